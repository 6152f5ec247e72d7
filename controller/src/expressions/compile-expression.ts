import { TypeError as CheckError, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import { closest } from '../lib/closest.ts'
import type { Json } from '../lib/json.ts'
import { evaluateExpression } from './evaluate.ts'
import { checkPath } from './names.ts'
import type { ExpressionProblem, Mentions } from './problem.ts'
import type { Scope } from './scope.ts'
import { isNode, visitPaths } from './syntax-tree.ts'
import type { ExpressionValues } from './values.ts'

interface CompiledExpression {
  readonly ok: true
  /** The checker's type: `bool`, `string`, `map<string, dyn>`, `dyn` … */
  readonly type: string
  readonly mentions: Mentions
  /** Throws SW_EXPRESSION_FAILED. */
  readonly evaluate: (values: ExpressionValues) => Json
}

export type ExpressionResult = CompiledExpression | { readonly ok: false; readonly problem: ExpressionProblem }

/**
 * Checks one CEL text against the variables of its scope: syntax, names (with the nearest known one), types.
 * `expect` is the type its place needs; a `dyn` result passes, and is checked again when it is evaluated.
 */
export function compileExpression(text: string, scope: Scope, expect?: 'bool' | 'string'): ExpressionResult {
  try {
    const parsed = scope.environment.parse(text)
    const steps = new Set<string>()
    const inputs = new Set<string>()
    const problems: ExpressionProblem[] = []
    if (isNode(parsed.ast)) {
      visitPaths(parsed.ast, (path) => {
        const name = path.keys[0]?.name
        if (path.root === 'steps' && typeof name === 'string') steps.add(name)
        if (path.root === 'inputs') {
          for (const input of typeof name === 'string' ? [name] : Object.keys(scope.declaration.inputs ?? {}))
            inputs.add(input)
        }
        const problem = checkPath(path, scope.declaration)
        if (problem !== null) problems.push(problem)
      })
    }
    if (problems[0] !== undefined) return { ok: false, problem: problems[0] }
    const checked = parsed.check()
    if (!checked.valid) return { ok: false, problem: problemOf(checked.error, text, scope) }
    const type = checked.type ?? 'dyn'
    if (expect !== undefined && type !== expect && type !== 'dyn')
      return { ok: false, problem: wrongType(type, expect) }
    return { ok: true, type, mentions: { steps, inputs }, evaluate: (values) => evaluateExpression(text, values) }
  } catch (error) {
    return { ok: false, problem: problemOf(error, text, scope) }
  }
}

/** Steps and inputs a text mentions, whatever the scope; empty for a text that is no CEL. */
export function variablesOf(text: string, scope: Scope): Mentions {
  const compiled = compileExpression(text, scope)
  return compiled.ok ? compiled.mentions : { steps: new Set(), inputs: new Set() }
}

function wrongType(type: string, expect: 'bool' | 'string'): ExpressionProblem {
  return {
    code: 'SW_EXPRESSION_TYPE',
    message: `this is of type ${type}, but ${expect} is needed here`,
    hint: expect === 'bool' ? 'compare it with something, for example == …' : 'use string(…)',
    offset: 0,
  }
}

function problemOf(error: unknown, text: string, scope: Scope): ExpressionProblem {
  if (error instanceof ParseError) {
    return {
      code: 'SW_EXPRESSION_SYNTAX',
      message: error.summary,
      hint: 'write a CEL expression',
      offset: error.range?.start ?? 0,
    }
  }
  if (!(error instanceof CheckError) && !(error instanceof EvaluationError)) throw error
  const offset = error.range?.start ?? 0
  if (error.code === 'unknown_variable') return unknownVariable(text.slice(offset, error.range?.end), offset, scope)
  return { code: 'SW_EXPRESSION_TYPE', message: error.summary, hint: hintOf(error.code), offset }
}

function unknownVariable(name: string, offset: number, scope: Scope): ExpressionProblem {
  const problem = {
    code: 'SW_UNKNOWN_NAME',
    message: `the variable ${JSON.stringify(name)} is not known here`,
    offset,
  } as const
  const { inputs, steps } = scope.declaration
  if (inputs !== undefined && Object.hasOwn(inputs, name)) return { ...problem, hint: `write inputs.${name}` }
  if (steps !== undefined && Object.hasOwn(steps, name)) return { ...problem, hint: `write steps.${name}.output` }
  const guess = closest(name, scope.roots)
  return {
    ...problem,
    hint: guess === undefined ? `known: ${scope.roots.join(', ')}` : `did you mean ${JSON.stringify(guess)}?`,
  }
}

function hintOf(code: string): string {
  switch (code) {
    case 'no_such_overload':
    case 'no_matching_overload':
      return 'convert one side with string(…), double(…) or int(…)'
    case 'invalid_index_type':
      return 'use int(…) for the index of a list'
    case 'incompatible_ternary_branches':
      return 'give both branches the same type, or wrap one in dyn(…)'
    case 'cannot_index_type':
      return 'only maps have keys; check the schema of the value'
    default:
      return 'correct the expression'
  }
}
