import type { PrinterColumn } from '../../../kinds/definition.ts'
import { API_VERSION } from '../../../kinds/definition.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { isUuid } from '../../../lib/ids.ts'
import { severityOf } from '../../../notifications/match.ts'
import type { Executor } from '../../../store/database.ts'
import type { LoggedEvent } from '../../../store/ports.ts'
import { type ObjectEvent, objectEvents } from '../../../store/queries/object-events.ts'
import type { ServedResource, ServedView, ViewPage } from '../served-resource.ts'
import { messageOf } from './event-message.ts'

/** A cluster keeps its events for an hour, and so does this list; the log has all of them. */
const KEPT_MS = 3_600_000
const MOST = 2_000
const MOST_OF_ONE = 500
const OWN = /^stateward\./
const ABOUT = 'involvedObject.'
/** Who was let do what is for those who look after the log: every write through kubectl is one. */
const AUDIT = 'stateward.access.allowed'

/** Event of the core group. */
interface KubeEvent extends ServedView {
  readonly involvedObject: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }
  readonly reason: string
  readonly message: string
  readonly type: 'Normal' | 'Warning'
  readonly count: number
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly source: { readonly component: string }
  readonly reportingComponent: string
  readonly reportingInstance: string
}

const column = (name: string, jsonPath: string, priority: 0 | 1 = 0, type: PrinterColumn['type'] = 'string') => ({
  ...{ name, type, jsonPath, priority, description: `${name} of the event.` },
})

/** What the log holds, as the events of Kubernetes: of the last hour, or of one object. */
export function eventResource(now: () => Date): ServedResource {
  return {
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    shortNames: ['ev'],
    scope: 'Namespaced',
    isInfrastructure: true,
    isNamed: false,
    fields: [...['kind', 'namespace', 'name', 'uid', 'apiVersion'].map((field) => ABOUT + field), 'type', 'reason'],
    columns: [
      column('Last Seen', '.lastTimestamp', 0, 'date'),
      column('Type', '.type'),
      column('Reason', '.reason'),
      column('Kind', '.involvedObject.kind'),
      column('Object', '.involvedObject.name'),
      column('Message', '.message'),
      column('Source', '.source.component', 1),
    ],
    page: (sql, page) => pageOf(sql, page, now()),
    fixed: async () => [],
    async find(sql, namespace, name) {
      if (!isUuid(name)) return null
      const [found] = await objectEvents(sql, { ids: [name] })
      const view = found === undefined ? null : eventView(found)
      return view?.metadata.namespace === namespace ? view : null
    },
    byId: async (sql, ids) => (await objectEvents(sql, { ids })).map(eventView),
    subjectOf: (event) => (event.event_name === AUDIT ? null : { id: event.event_id, change: 'created' }),
    lastView: (event) => {
      throw fail('SW_INTERNAL', `event ${event.event_name} deletes no event`)
    },
    withLive: async (views) => views,
  }
}

/** One page: there are never more. */
async function pageOf(sql: Executor, { namespace, name, after, fields }: ViewPage, now: Date): Promise<KubeEvent[]> {
  if (after !== null) return []
  if (name !== null) return isUuid(name) ? (await objectEvents(sql, { ids: [name] })).map(eventView) : []
  const of = (field: string) => fields?.[ABOUT + field] ?? null
  const [uid, aboutName] = [of('uid'), of('name')]
  const about = { kind: of('kind'), namespace: of('namespace') ?? namespace ?? '', name: aboutName, uid }
  const found =
    uid !== null || aboutName !== null
      ? await objectEvents(sql, { about, limit: MOST_OF_ONE })
      : await objectEvents(sql, { since: new Date(now.getTime() - KEPT_MS), before: null, limit: MOST })
  return found
    .filter(({ event }) => event.event_name !== AUDIT)
    .map(eventView)
    .filter((view) => namespace === null || view.metadata.namespace === namespace)
    .reverse()
}

function eventView({ event, about }: ObjectEvent): KubeEvent {
  const object = about ?? namedIn(event)
  const namespace = object.namespace === '' ? 'default' : object.namespace
  const component = event.actor.startsWith('system:') ? event.actor.slice('system:'.length) : event.actor
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: event.event_id,
      namespace,
      uid: event.event_id,
      resourceVersion: String(event.seq),
      creationTimestamp: event.occurred_at,
    },
    involvedObject: { apiVersion: API_VERSION, ...object },
    reason: reasonOf(event.event_name),
    message: messageOf(event),
    type: severityOf(event) === 'info' ? 'Normal' : 'Warning',
    count: 1,
    firstTimestamp: event.occurred_at,
    lastTimestamp: event.occurred_at,
    source: { component: component === '' ? 'stateward' : component },
    reportingComponent: 'stateward',
    reportingInstance: '',
  }
}

/** Of an object that is gone, or was never one of ours. */
function namedIn({ resource, data, env_id }: LoggedEvent) {
  const [namespace, name] =
    typeof data['name'] === 'string'
      ? [String(data['namespace'] ?? ''), data['name']]
      : (/^([^/]+)\/(.+)$/.exec(resource?.id ?? '')?.slice(1) ?? [
          String(data['namespace'] ?? ''),
          resource?.id ?? env_id,
        ])
  return { kind: resource?.type ?? 'Environment', namespace: namespace!, name: name!, uid: resource?.id ?? '' }
}

/** `stateward.run.step.completed` as `RunStepCompleted`; a name of somebody else as it is. */
function reasonOf(name: string): string {
  if (!OWN.test(name)) return name
  const words = name.replace(OWN, '').split(/[._]/)
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
