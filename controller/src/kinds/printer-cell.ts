import { formatAge } from '../lib/duration.ts'
import { isObject } from '../lib/json.ts'
import { valuesAtPath } from '../lib/json-path.ts'
import { shortRevision } from '../lib/short-revision.ts'
import type { PrinterColumn } from './definition.ts'

/** The text of a printer column for one object: dates as ages, commits by their first seven characters, nothing as `-`. */
export function cellOf(object: unknown, column: PrinterColumn, now: Date): string {
  const text = textOfCell(object, column, now)
  return text === '' ? '-' : text
}

/** The same; nothing is empty. */
function textOfCell(object: unknown, column: PrinterColumn, now: Date): string {
  return textOfValues(valuesAtPath(object, column.jsonPath), column, now)
}

/** The text of what the path of a column led to; nothing is empty. */
export function textOfValues(values: readonly unknown[], column: PrinterColumn, now: Date): string {
  if (values.length === 1) return textOf(values[0], column.type, now)
  return values
    .map((value) => textOf(value, column.type, now))
    .filter((text) => text !== '')
    .join(',')
}

function textOf(value: unknown, type: PrinterColumn['type'], now: Date): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map((item) => textOf(item, type, now)).join(',')
  if (isObject(value)) return JSON.stringify(value)
  if (type === 'date' && typeof value === 'string') return ageOf(value, now)
  return shortRevision(String(value))
}

/** `5m`, counted from a time; a text that is no time stays as it is. */
export function ageOf(time: string, now: Date): string {
  const at = Date.parse(time)
  return Number.isNaN(at) ? time : formatAge(now.getTime() - at)
}
