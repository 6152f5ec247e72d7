import { ageOf } from '../../kinds/printer-cell.ts'
import type { EventDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { inlineText } from './inline-text.ts'
import { renderTable } from './table.ts'

/** Events of one thing, for the foot of a description: how long ago, what, by whom. */
export function renderEventTable(events: readonly EventDto[], now: Date, width: number | null): string {
  if (events.length === 0) return ''
  const columns = [{ head: 'Age' }, { head: 'Event' }, { head: 'Actor' }, { head: 'Details', shrinks: true }]
  const rows = events.map((event) => [
    ageOf(event.occurred_at, now),
    event.event_name,
    event.actor,
    briefData(event.data),
  ])
  return renderTable(columns, rows, { width })
}

/** One event on one line: number, time of day, name, what it is about, by whom, data. */
export function renderEventLine(event: EventDto, colors: Colors): string {
  const time = event.occurred_at.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
  const about = event.resource === null ? '' : inlineText(`${event.resource.type}/${event.resource.id}`)
  const parts = [
    colors.dim(String(event.seq).padStart(6)),
    colors.dim(time),
    colors.cyan(inlineText(event.event_name)),
    about,
    colors.dim(inlineText(`by ${event.actor}`)),
    briefData(event.data),
  ]
  return `${parts.filter((part) => part !== '').join(' ')}\n`
}

const BRIEF = 160

/** The data of an event as `key=value` pairs, short enough for a line. */
export function briefData(data: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(data)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const line = inlineText(text)
  return line.length <= BRIEF ? line : `${line.slice(0, BRIEF - 1)}…`
}
