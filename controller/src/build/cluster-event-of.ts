import { API_VERSION } from '../kinds/definition.ts'
import { keyOf, type ObjectKey, refOf } from '../kinds/resource.ts'
import type { KubeObject } from '../kube-client/watch-lines.ts'
import { shortRevision } from '../lib/short-revision.ts'
import type { ClusterEvent } from '../status/writers/cluster-events.ts'
import type { LoggedEvent } from '../store/ports.ts'

/** Of the log, what people look for at a custom resource. */
export const TOLD = [
  'stateward.object.created',
  'stateward.object.updated',
  'stateward.object.deleting',
  'stateward.object.deleted',
  'stateward.object.status_changed',
  'stateward.object.suspended',
  'stateward.object.resumed',
  'stateward.change.held',
  'stateward.agent.instance.started',
  'stateward.agent.instance.ended',
] as const

type Told = Pick<ClusterEvent, 'type' | 'reason' | 'note'>

/** Ready=False for these is no news: it is on its way. */
const ON_ITS_WAY = ['Progressing', 'Starting', 'Terminating']
/** Ways to end that nobody asked for. */
const UNASKED = ['heartbeat', 'lost', 'not_started']
const MAX_KNOWN = 20_000

/**
 * What an event of the log is for the custom resource it is about; null when it is about none. A status that changed is news
 * only when Ready, or its reason, did.
 */
export function clusterEventOf(
  resource: (key: ObjectKey) => KubeObject | undefined,
): (event: LoggedEvent) => ClusterEvent | null {
  const ready = new Map<string, string>()
  return (event) => {
    const key = keyOfEvent(event)
    const object = key === null ? undefined : resource(key)
    if (key === null || object === undefined) return null
    const { uid } = object.metadata
    // Of an older one of that name, or of one that Git declares.
    if (event.event_name.startsWith('stateward.object.') && event.resource?.id !== uid) return null
    const told = toldOf(event)
    if (told === null) return null
    if (event.event_name === 'stateward.object.status_changed') {
      const now = `${told.type} ${told.reason}`
      if (ready.get(uid) === now) return null
      if (ready.size >= MAX_KNOWN) ready.clear()
      ready.set(uid, now)
    }
    return { regarding: { apiVersion: API_VERSION, ...refOf(key), uid }, ...told }
  }
}

function keyOfEvent({ event_name, resource, data }: LoggedEvent): ObjectKey | null {
  const text = (field: string) => (typeof data[field] === 'string' ? data[field] : '')
  if (event_name.startsWith('stateward.agent.instance.'))
    return keyOf({ kind: 'Agent', namespace: text('namespace'), name: text('agent') })
  const kind = event_name === 'stateward.change.held' ? text('kind') : (resource?.type ?? '')
  return kind === '' ? null : keyOf({ kind, namespace: text('namespace'), name: text('name') })
}

function toldOf({ event_name, actor, data }: LoggedEvent): Told | null {
  const at = shortRevision(String(data['revision'] ?? ''))
  const reason = String(data['reason'] ?? '')
  const message = String(data['message'] ?? '')
  switch (event_name) {
    case 'stateward.object.created':
      return { type: 'Normal', reason: 'Accepted', note: `accepted at ${at}` }
    case 'stateward.object.updated':
      return { type: 'Normal', reason: 'Updated', note: `its update is accepted at ${at}` }
    case 'stateward.object.deleting':
      return { type: 'Normal', reason: 'Deleting', note: 'what it stands for is being ended' }
    case 'stateward.object.deleted':
      return { type: 'Normal', reason: 'Deleted', note: 'what it stood for has ended' }
    case 'stateward.object.suspended':
      return { type: 'Normal', reason: 'Suspended', note: `suspended by ${actor}${reason === '' ? '' : `: ${reason}`}` }
    case 'stateward.object.resumed':
      return { type: 'Normal', reason: 'Resumed', note: `resumed by ${actor}${reason === '' ? '' : `: ${reason}`}` }
    case 'stateward.change.held':
      return { type: 'Warning', reason: reason || 'Held', note: message || 'a change of it waits' }
    case 'stateward.agent.instance.started':
      return { type: 'Normal', reason: 'Started', note: `instance ${String(data['ordinal'])} was started` }
    case 'stateward.agent.instance.ended': {
      const isBad = UNASKED.includes(reason) || (reason === 'exited' && data['exit_code'] !== 0)
      const note = `instance ${String(data['ordinal'])} ended: ${[reason, message].filter((one) => one !== '').join(', ')}`
      return { type: isBad ? 'Warning' : 'Normal', reason: 'Ended', note }
    }
    default:
      if (data['ready'] === 'True') return { type: 'Normal', reason: 'Ready', note: message }
      if (data['ready'] !== 'False' || ON_ITS_WAY.includes(reason)) return null
      return { type: 'Warning', reason, note: message }
  }
}
