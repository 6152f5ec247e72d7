import { pointerToken } from '../lib/json.ts'
import type { SpecProblem } from '../kinds/definition.ts'

interface Found {
  readonly problem: SpecProblem
}

/**
 * Refuses what YAML can say and JSON cannot (NaN, infinities, integers a double cannot hold), and documents whose aliases
 * expand to more than `maxValues` values, before anything walks the document for good.
 */
export function checkJsonValues(value: unknown, maxValues: number): SpecProblem | null {
  const budget = { left: maxValues }
  return walk(value, '', budget)?.problem ?? null
}

function walk(value: unknown, pointer: string, budget: { left: number }): Found | null {
  if (--budget.left < 0) {
    return found('SW_DOCUMENT_TOO_LARGE', '', 'the document expands to too many values', 'split it, or write aliases out less often')
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return found('SW_UNSAFE_NUMBER', pointer, `${value} is not a JSON number`, 'write a finite number')
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      return found('SW_UNSAFE_NUMBER', pointer, 'this integer is beyond 2^53 and would lose digits', 'quote it to make it text')
    }
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const bad = walk(value[i], `${pointer}/${i}`, budget)
      if (bad !== null) return bad
    }
    return null
  }
  for (const key of Object.keys(value)) {
    const bad = walk((value as Record<string, unknown>)[key], `${pointer}/${pointerToken(key)}`, budget)
    if (bad !== null) return bad
  }
  return null
}

function found(code: string, pointer: string, message: string, hint: string): Found {
  return { problem: { code, pointer, message, hint } }
}
