import { fail } from '../../lib/error-catalogue.ts'
import { isUuid } from '../../lib/ids.ts'

type Position = readonly (string | number | Date)[]

/** An opaque cursor: the position behind the last row of a page. Nobody but us reads it. */
export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** What a part of a position may be; whatever passes can be handed to the database. */
const PARTS = {
  number: (part: unknown) => Number.isSafeInteger(part),
  string: (part: unknown) => typeof part === 'string' && part.isWellFormed() && !part.includes('\u0000'),
  uuid: (part: unknown) => typeof part === 'string' && isUuid(part),
  time: (part: unknown) => typeof part === 'string' && /^\d{4}-/.test(part) && !Number.isNaN(Date.parse(part)),
} as const

type Part = keyof typeof PARTS
type ValueOf<P> = P extends 'number' ? number : P extends 'time' ? Date : string

/** The position in a cursor; throws SW_BAD_REQUEST unless it is ours and has as many parts, of these types. */
export function decodeCursor<const T extends readonly Part[]>(
  cursor: string,
  types: T,
): { [K in keyof T]: ValueOf<T[K]> } {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    parts = null
  }
  if (!Array.isArray(parts) || parts.length !== types.length || parts.some((part, i) => !PARTS[types[i]!](part))) {
    throw fail('SW_BAD_REQUEST', 'the cursor is not one of ours', {
      remedy: 'send next_cursor of the page before, unchanged',
    })
  }
  const values = parts.map((part: unknown, i) => (types[i] === 'time' ? new Date(String(part)) : part))
  return values as { [K in keyof T]: ValueOf<T[K]> }
}

/** A page of at most `limit` of the rows, of which one more was asked for than it holds; `next_cursor` null on the last one. */
export function pageBody<Row, Item>(
  rows: readonly Row[],
  page: { readonly limit: number; readonly correlationId: string },
  position: (last: Row) => Position,
  toItem: (row: Row) => Item,
) {
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return {
    items: shown.map(toItem),
    next_cursor: last === undefined ? null : encodeCursor(position(last)),
    correlation_id: page.correlationId,
  }
}
