import { globMatches } from '../lib/glob.ts'
import { type NotifiedEvent, sameNews } from './match.ts'

/** Failures of any system, whatever the first word of their names. */
export const DEFAULT_GLOBS = [
  '*.failed',
  '*.validation_failed',
  '*.cicd.test.failed',
  '*.cicd.deploy.failed',
  '*.infra.*.failed',
  '*.backup.failed',
] as const

/** A step that failed is told by its run; what follows from alerts and notifications is no news. */
const LEFT_OUT = /^stateward\.(notification|alert|run\.step)\./

/** What the alert says. */
export interface DefaultAlert {
  readonly key: string
  readonly namespace: string
  readonly title: string
  readonly message: string
}

/** The alert that the built-in route opens for an event; null for none. One stays open for each kind of news. */
export function defaultAlert(event: NotifiedEvent, namespace: string): DefaultAlert | null {
  if (LEFT_OUT.test(event.event_name)) return null
  if (!DEFAULT_GLOBS.some((glob) => globMatches(glob, event.event_name))) return null
  const news = sameNews(event)
  const about = news.slice(event.event_name.length).trim()
  return {
    key: `notification/${event.env_id}/${news}`,
    namespace,
    title: `${event.event_name}${about === '' ? '' : `: ${about}`}`.slice(0, 200),
    message: messageOf(event),
  }
}

function messageOf({ data, actor }: NotifiedEvent): string {
  const said = [data['message'], data['reason'], (data['error'] as { message?: unknown } | null | undefined)?.message]
  const text = said.find((one): one is string => typeof one === 'string' && one !== '')
  return (text ?? `sent by ${actor}`).slice(0, 1000)
}
