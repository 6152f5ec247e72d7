import { EVENT_WORDS } from '../../../events/event-words.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { shortRevision } from '../../../lib/short-revision.ts'
import type { LoggedEvent } from '../../../store/ports.ts'

const MAX_MESSAGE = 1_000
const OWN = /^stateward\./
/** They stand beside the message already, or tell a person nothing. */
const UNTOLD: readonly string[] = ['name', 'namespace', 'agent', 'digest', 'instance_id', 'task_id', 'run_id']

type Words = (event: Pick<LoggedEvent, 'actor' | 'data'>) => string

/** What an event of a declared object says, by its name without `stateward.`. */
const OBJECT_WORDS: Readonly<Record<string, Words>> = {
  'object.created': ({ data }) => `declared at ${shortRevision(String(data['revision']))}`,
  'object.updated': ({ data }) => `changed at ${shortRevision(String(data['revision']))}`,
  'object.deleting': ({ data }) => `taken out at ${shortRevision(String(data['revision']))}`,
  'object.deleted': () => 'it is gone',
  'object.suspended': ({ data, actor }) => `suspended by ${actor}${because(data)}`,
  'object.resumed': ({ data, actor }) => `resumed by ${actor}${because(data)}`,
  'agent.instance.started': ({ data }) => `${processOf(data)} was started`,
  'agent.instance.adopted': ({ data }) => `${processOf(data)} was found alive`,
  'agent.instance.registered': ({ data }) => `${processOf(data)} said that it is there`,
  'agent.instance.draining': ({ data }) => `${processOf(data)} gets no more tasks${because(data)}`,
}

/** What `kubectl events` says of an event: in words where there are any, else what it holds. */
export function messageOf(event: LoggedEvent): string {
  const told = wordsOf(event)
  return told.length > MAX_MESSAGE ? `${told.slice(0, MAX_MESSAGE - 1)}…` : told
}

function wordsOf(event: LoggedEvent): string {
  const name = event.event_name.replace(OWN, '')
  const ofObject = OBJECT_WORDS[name]
  if (ofObject !== undefined) return ofObject(event)
  const ofRun = EVENT_WORDS[name]
  if (ofRun === undefined) return scalarsOf(event)
  const { step } = event.data
  return `${typeof step === 'string' ? `${step}: ` : ''}${ofRun(event, '')[1]}`
}

/** Of what others sent, all that is not a list or a map. */
function scalarsOf({ event_name, data }: LoggedEvent): string {
  if (typeof data['message'] === 'string') return data['message']
  const isOwn = OWN.test(event_name)
  return Object.entries(data)
    .filter(([key, value]) => value !== null && typeof value !== 'object' && !(isOwn && UNTOLD.includes(key)))
    .map(([key, value]) => `${key}=${isOwn ? shortRevision(String(value)) : String(value)}`)
    .join(' ')
}

function because({ reason }: JsonObject): string {
  return typeof reason === 'string' && reason !== '' ? `: ${reason}` : ''
}

/** `process 4711 on local`; of a pod there is no number. */
function processOf({ pid, host }: JsonObject): string {
  return `${typeof pid === 'number' ? `process ${pid}` : 'an instance'}${typeof host === 'string' ? ` on ${host}` : ''}`
}
