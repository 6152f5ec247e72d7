import { SEVERITIES } from '../kinds/notification-route/notification-route.schema.ts'
import { globMatches } from '../lib/glob.ts'
import type { JsonObject } from '../lib/json.ts'

/** An event as routes see it. */
export interface NotifiedEvent {
  readonly seq: number
  readonly event_id: string
  readonly event_name: string
  /** UTC, ISO 8601. */
  readonly occurred_at: string
  readonly env_id: string
  readonly actor: string
  readonly correlation_id: string
  readonly resource: { readonly type: string; readonly id: string } | null
  readonly data: JsonObject
}

export type Severity = (typeof SEVERITIES)[number]

/** What a route asks of an event. */
export interface RouteMatch {
  /** Of its environment. */
  readonly envId: string
  readonly eventNames: readonly string[]
  readonly severity: Severity
}

/** Routes are never asked about these, or a delivery that fails would notify about itself. */
const OWN = 'stateward.notification.'
const BAD_END = /[._](failed|dead|denied|refused|rejected|exhausted|quarantined|lost|expired|opened)$/

/** An alert has a severity of its own; of everything else the last word of its name tells. */
export function severityOf(event: Pick<NotifiedEvent, 'event_name' | 'data'>): Severity {
  const { severity } = event.data
  const own = SEVERITIES.find((each) => each === severity)
  if (own !== undefined) return own
  return BAD_END.test(event.event_name) ? 'warning' : 'info'
}

export function matches(route: RouteMatch, event: NotifiedEvent): boolean {
  if (event.env_id !== route.envId || event.event_name.startsWith(OWN)) return false
  if (SEVERITIES.indexOf(severityOf(event)) < SEVERITIES.indexOf(route.severity)) return false
  return route.eventNames.some((glob) => globMatches(glob, event.event_name))
}

/**
 * What counts as the same news: the name of the event and what it is about. Of a run that is its blueprint: the next run of it
 * that fails is no other news.
 */
export function sameNews(event: NotifiedEvent): string {
  const { blueprint, namespace, name } = event.data
  const about =
    typeof blueprint === 'string'
      ? `Blueprint/${blueprint}`
      : event.resource !== null && event.resource.type !== 'Run'
        ? `${event.resource.type}/${event.resource.id}`
        : typeof name === 'string'
          ? `${String(namespace ?? '')}/${name}`
          : ''
  return `${event.event_name} ${about}`.trim().slice(0, 500)
}
