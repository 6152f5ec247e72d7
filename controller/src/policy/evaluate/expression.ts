import { EvaluationError, type ParseResult } from '@marcbachmann/cel-js'
import { compileExpression, type ExpressionResult } from '../../expressions/compile-expression.ts'
import { dialect } from '../../expressions/environment.ts'
import type { Scope } from '../../expressions/scope.ts'
import { isNode, visitPaths } from '../../expressions/syntax-tree.ts'
import { closest } from '../../lib/closest.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { PolicyRequest } from './request.ts'

/** What an expression of a rule may read, and which fields of it are known; null = any. */
const VARIABLES: Readonly<Record<string, readonly string[] | null>> = {
  point: null,
  action: null,
  subject: ['principal', 'roles', 'teams', 'lineage'],
  resource: ['type', 'namespace', 'name', 'labels'],
  env: ['id', 'stage', 'class'],
  risk: null,
  data: null,
  at: null,
}
const TYPES: Readonly<Record<string, string>> = {
  point: 'string',
  action: 'string',
  risk: 'string',
  data: 'map<string, dyn>',
  at: 'google.protobuf.Timestamp',
}

const checker = dialect.clone()
const dynamic = dialect.clone()
for (const name of Object.keys(VARIABLES)) {
  checker.registerVariable(name, TYPES[name] ?? 'map<string, dyn>')
  dynamic.registerVariable(name, 'dyn')
}
const scope: Scope = { declaration: {}, roots: Object.keys(VARIABLES), environment: checker }

/** What is wrong with the expression of a rule, with its offset; ok when it can be asked. */
export function checkPolicyExpression(text: string): ExpressionResult {
  const compiled = compileExpression(text, scope, 'bool')
  if (!compiled.ok) return compiled
  const problem = unknownField(checker.parse(text))
  return problem === null ? compiled : { ok: false, problem }
}

function unknownField(parsed: ParseResult): Extract<ExpressionResult, { ok: false }>['problem'] | null {
  const unknown: { name: string; root: string; offset: number }[] = []
  if (isNode(parsed.ast))
    visitPaths(parsed.ast, ({ root, keys: [field] }) => {
      const known = VARIABLES[root]
      if (known == null || field?.name == null || field.optional || known.includes(field.name)) return
      unknown.push({ name: field.name, root, offset: field.offset })
    })
  const [first] = unknown
  if (first === undefined) return null
  const known = VARIABLES[first.root]!
  const guess = closest(first.name, known)
  return {
    code: 'SW_UNKNOWN_NAME',
    message: `the field of ${first.root} ${JSON.stringify(first.name)} is not known`,
    hint: guess === undefined ? `known: ${known.join(', ')}` : `did you mean ${JSON.stringify(guess)}?`,
    offset: first.offset,
  }
}

/** Whether it fits; a text says why nobody can tell, which denies (a key that is missing, a value of another type). */
export type Fit = boolean | string

/** Throws what the library throws for a text that is no CEL: {@link checkPolicyExpression} tells before. */
export function compilePolicyExpression(text: string): (request: PolicyRequest) => Fit {
  const evaluate = dynamic.parse(text)
  return (request) => {
    try {
      const value: unknown = evaluate(request)
      return typeof value === 'boolean' ? value : `its expression is no boolean: ${text}`
    } catch (error) {
      const message = error instanceof EvaluationError ? error.summary : errorMessage(error)
      return `its expression cannot be evaluated (${message}): ${text}`
    }
  }
}
