import type { Event } from '../../api/reads.ts'

/** What the most telling members of an event's data are, in the order they are shown. */
const TELLING = [
  ...['message', 'reason', 'title', 'name', 'run', 'path', 'step', 'blueprint', 'agent', 'tool', 'status', 'ready'],
  ...['error', 'decision', 'host', 'service', 'state', 'revision', 'outcome', 'branch'],
]
const SHOWN = 4
const LONGEST = 160

/** An event in one line: what of its data says most. Pure. */
export function summaryOf({ data }: Pick<Event, 'data'>): string {
  const parts: string[] = []
  for (const key of [
    ...TELLING.filter((each) => each in data),
    ...Object.keys(data).filter((each) => !TELLING.includes(each)),
  ]) {
    if (parts.length === SHOWN) break
    const text = wordOf(data[key])
    if (text !== '') parts.push(key === 'message' || key === 'title' ? text : `${key}=${text}`)
  }
  const line = parts.join('  ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value.replaceAll(/\s+/g, ' ')
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'object' && 'message' in value && typeof value.message === 'string') return value.message
  return ''
}

const FAILURE_WORDS: ReadonlySet<string> = new Set([
  ...['failed', 'failure', 'error', 'critical', 'alert', 'dead_lettered', 'quarantined', 'refused', 'denied'],
  ...['abandoned', 'missed', 'exhausted', 'disconnected', 'unplaced', 'orphaned', 'history_rewritten'],
])
const FAILURE_NAMES: ReadonlySet<string> = new Set([
  'stateward.alert.raised',
  'stateward.breaker.opened',
  'stateward.drift.detected',
  'stateward.fleet.frozen',
  'stateward.host.lease.expired',
  'stateward.run.gate.expired',
])
const STATUS_EVENT = 'stateward.object.status_changed'

/** Whether an event tells that something went wrong, as the API's filter `failures` has it. Pure. */
export function isFailure({ event_name: name, data }: Pick<Event, 'event_name' | 'data'>): boolean {
  if (name === STATUS_EVENT) return data['ready'] === 'False'
  return FAILURE_NAMES.has(name) || FAILURE_WORDS.has(name.slice(name.lastIndexOf('.') + 1))
}

/** The same lists, for a test that holds them beside those of the API. */
export const FAILURES = { words: [...FAILURE_WORDS], names: [...FAILURE_NAMES], statusEvent: STATUS_EVENT }

export interface EventFilter {
  readonly name: string
  readonly run: string
  readonly resourceType: string
  readonly resource: string
  readonly actor: string
  readonly correlation: string
  readonly failures: boolean
}

/** Whether an event that comes live belongs to what is filtered for, as the API would say. Pure. */
export function matchesFilter(event: Event, filter: EventFilter): boolean {
  return (
    (filter.name === '' || globMatches(filter.name, event.event_name)) &&
    (filter.run === '' || event.run_id === filter.run) &&
    (filter.resourceType === '' || event.resource?.type === filter.resourceType) &&
    (filter.resource === '' || event.resource?.id === filter.resource) &&
    (filter.actor === '' || event.actor === filter.actor) &&
    (filter.correlation === '' || event.correlation_id === filter.correlation) &&
    (!filter.failures || isFailure(event))
  )
}

export function globMatches(glob: string, name: string): boolean {
  if (!glob.includes('*')) return glob === name
  const pattern = glob
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`).test(name)
}

/** What somebody typed as a pattern for names: a word alone means any name that has it. */
export function nameGlob(text: string): string {
  const word = text.trim()
  if (word === '' || word.includes('*') || word.includes('.')) return word
  return `*${word}*`
}
