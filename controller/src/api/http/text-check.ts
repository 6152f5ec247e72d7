import { fail } from '../../lib/error-catalogue.ts'

/** Deeper JSON than this is refused: nothing here needs it, and recursive readers behind the API must not meet it. */
export const MAX_DEPTH = 64

/**
 * Refuses what the database cannot store: U+0000 and lone surrogates, in values and in keys. Everything else is stored
 * as sent. Walks without recursion, since the depth is the sender's choice. Throws SW_INVALID_TEXT or SW_VALIDATION_FAILED.
 */
export function checkText(value: unknown, part: string): void {
  const todo: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }]
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    const { value: at, depth } = item
    if (typeof at === 'string') checkString(at, part)
    // Bytes are no text yet; who decodes them checks them.
    if (typeof at !== 'object' || at === null || Buffer.isBuffer(at)) continue
    if (depth >= MAX_DEPTH) {
      throw fail('SW_VALIDATION_FAILED', `the request's ${part} is nested deeper than ${MAX_DEPTH} levels`, {
        details: {
          violations: [
            { path: part, message: `must not be nested deeper than ${MAX_DEPTH} levels`, keyword: 'maxDepth' },
          ],
        },
      })
    }
    for (const [key, member] of Object.entries(at)) {
      checkString(key, part)
      todo.push({ value: member, depth: depth + 1 })
    }
  }
}

function checkString(text: string, part: string): void {
  if (text.includes('\u0000')) throw fail('SW_INVALID_TEXT', `the request's ${part} holds a NUL character (U+0000)`)
  if (!text.isWellFormed())
    throw fail('SW_INVALID_TEXT', `the request's ${part} holds a lone surrogate, which is not text`)
}
