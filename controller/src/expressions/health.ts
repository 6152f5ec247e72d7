import type { SpecProblem } from '../kinds/definition.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { compileExpression } from './compile-expression.ts'
import { tryEvaluate } from './evaluate.ts'
import { createScope } from './scope.ts'

/** How the health of objects of one kind is told from what they are: CEL over the object, as Flux has it. */
export interface HealthExpressions {
  readonly current: string
  readonly inProgress?: string
  readonly failed?: string
}

/** What an expression may read of an object. */
export interface HealthSubject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: JsonObject
  readonly spec: JsonObject
  readonly status: JsonObject
}

export type Health =
  | { readonly state: 'current' | 'inProgress' | 'failed'; readonly expression: string }
  /** None of them holds: nothing is known of it yet. */
  | { readonly state: 'unknown'; readonly expression: null }
  /** One of them cannot be evaluated, for another reason than that a field is not there. */
  | { readonly state: 'broken'; readonly expression: string; readonly message: string }

/** In this order the first one that holds counts: what goes on is not judged, and what has failed is not current. */
const ORDER = ['inProgress', 'failed', 'current'] as const
const MAP = 'map<string, dyn>'

const scope = createScope({
  variables: { apiVersion: 'string', kind: 'string', metadata: MAP, spec: MAP, status: MAP },
})

/** Of several judgements the one that says most: what failed before what goes on, and that before what holds. */
const WORST = ['broken', 'failed', 'inProgress', 'unknown', 'current'] as const

export function worstOf<T extends { readonly health: Health }>(judged: readonly T[]): T | null {
  for (const state of WORST) {
    const found = judged.find(({ health }) => health.state === state)
    if (found !== undefined) return found
  }
  return null
}

/** Syntax, names and types of the expressions of one kind; `pointer` is where they stand. */
export function checkHealth(expressions: HealthExpressions, pointer: string): SpecProblem[] {
  return ORDER.flatMap((field) => {
    const text = expressions[field]
    if (text === undefined) return []
    const compiled = compileExpression(text, scope, 'bool')
    return compiled.ok ? [] : [{ ...compiled.problem, pointer: `${pointer}/${field}` }]
  })
}

/** Evaluates them on an object. An expression that reads what is not there does not hold. Pure; never throws. */
export function healthOf(expressions: HealthExpressions, subject: HealthSubject): Health {
  const variables: Readonly<Record<string, Json>> = { ...subject }
  for (const state of ORDER) {
    const expression = expressions[state]
    if (expression === undefined) continue
    const result = tryEvaluate(expression, { variables })
    if (!result.ok) {
      if (result.missingKey !== null) continue
      return { state: 'broken', expression, message: result.error.message }
    }
    if (typeof result.value !== 'boolean')
      return { state: 'broken', expression, message: `it has to be true or false: ${expression}` }
    if (result.value) return { state, expression }
  }
  return { state: 'unknown', expression: null }
}
