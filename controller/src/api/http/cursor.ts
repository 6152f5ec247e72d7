import { fail } from '../../lib/error-catalogue.ts'

/** An opaque cursor: the position behind the last row of a page. Nobody but us reads it. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** The position in a cursor; throws SW_BAD_REQUEST unless it is ours and has as many parts, of these types. */
export function decodeCursor<const T extends readonly ('string' | 'number')[]>(
  cursor: string,
  types: T,
): { [K in keyof T]: T[K] extends 'number' ? number : string } {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    parts = null
  }
  if (
    !Array.isArray(parts) ||
    parts.length !== types.length ||
    parts.some((part, index) => typeof part !== types[index])
  ) {
    throw fail('SW_BAD_REQUEST', 'the cursor is not one of ours', {
      remedy: 'send next_cursor of the page before, unchanged',
    })
  }
  return parts as { [K in keyof T]: T[K] extends 'number' ? number : string }
}
