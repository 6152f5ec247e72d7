import type { SpecProblem } from '../kinds/definition.ts'
import { closest } from '../lib/closest.ts'

export function problem(code: string, pointer: string, message: string, hint: string, offset?: number): SpecProblem {
  return { code, pointer, message, hint, ...(offset === undefined ? {} : { offset }) }
}

/** `did you mean "x"?`, or what is known. */
export function nameHint(name: string, known: readonly string[]): string {
  const guess = closest(name, known)
  if (guess !== undefined) return `did you mean ${JSON.stringify(guess)}?`
  return known.length === 0 ? 'there is none' : `known: ${known.join(', ')}`
}
