import type { SpecProblem } from '../kinds/definition.ts'
import { pointerToken } from '../lib/json.ts'
import type { ParseLimits } from './limits.ts'

interface Walk {
  left: number
  readonly maxDepth: number
  /** The way to the value being looked at; its text is made only for a problem. */
  readonly path: (string | number)[]
}

/**
 * Refuses what YAML can say and JSON or the database cannot hold (NaN, infinities, integers beyond a double, U+0000, half
 * surrogate pairs), and documents whose aliases expand to too many values, too deep, or to themselves, before anything
 * walks the document for good.
 */
export function checkJsonValues(
  value: unknown,
  limits: Pick<ParseLimits, 'maxValues' | 'maxDepth'>,
): SpecProblem | null {
  return walk(value, { left: limits.maxValues, maxDepth: limits.maxDepth, path: [] })
}

function walk(value: unknown, state: Walk): SpecProblem | null {
  if (--state.left < 0) {
    return problem(
      'SW_DOCUMENT_TOO_LARGE',
      '',
      'the document expands to too many values',
      'split it, or write aliases out less often',
    )
  }
  const { path } = state
  if (typeof value === 'string') return unsafeText(value) ? badText(path) : null
  if (typeof value === 'number') return checkNumber(value, path)
  if (typeof value !== 'object' || value === null) return null
  // Aliases nest what the parser saw flat, and may lead back to where they stand.
  if (path.length >= state.maxDepth) {
    return problem(
      'SW_DOCUMENT_TOO_LARGE',
      '',
      `its aliases expand to more than ${state.maxDepth} levels`,
      'write the values out; an alias must not stand inside its own anchor',
    )
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path.push(i)
      const bad = walk(value[i], state)
      if (bad !== null) return bad
      path.pop()
    }
    return null
  }
  for (const key of Object.keys(value)) {
    if (unsafeText(key)) return badText(path)
    path.push(key)
    const bad = walk((value as Record<string, unknown>)[key], state)
    if (bad !== null) return bad
    path.pop()
  }
  return null
}

function checkNumber(value: number, path: Walk['path']): SpecProblem | null {
  if (!Number.isFinite(value))
    return problem('SW_UNSAFE_NUMBER', pointerOf(path), `${value} is not a JSON number`, 'write a finite number')
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return null
  return problem(
    'SW_UNSAFE_NUMBER',
    pointerOf(path),
    'this integer is beyond 2^53 and would lose digits',
    'quote it to make it text',
  )
}

function unsafeText(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed()
}

function pointerOf(path: Walk['path']): string {
  return path.map((part) => `/${pointerToken(part)}`).join('')
}

function badText(path: Walk['path']): SpecProblem {
  return problem(
    'SW_UNSAFE_TEXT',
    pointerOf(path),
    'this text holds U+0000 or half a surrogate pair',
    'remove the escape sequence',
  )
}

function problem(code: string, pointer: string, message: string, hint: string): SpecProblem {
  return { code, pointer, message, hint }
}
