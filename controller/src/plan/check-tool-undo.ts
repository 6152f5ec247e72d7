import { problem } from '../blueprints/problem.ts'
import { checkTemplate } from '../expressions/check-template.ts'
import { createScope } from '../expressions/scope.ts'
import { mapShellParameters } from '../expressions/shell-parameters.ts'
import { compileShellText } from '../expressions/shell-template.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { schemaViolations, violationsText } from '../lib/json-schema.ts'

const AT = '/spec/undo'

/** What is wrong with the undo a Tool declares: the tool it names, its expressions, its parameters. Pure. */
export function checkToolUndo(
  name: string,
  spec: JsonObject,
  toolSchema: (tool: string) => JsonObject | null,
): readonly SpecProblem[] {
  const { undo, inputSchema } = spec
  if (!isObject(undo)) return []
  const action = String(undo['action'])
  const given = (undo['with'] ?? {}) as JsonObject
  if (action === name)
    return [problem('SW_BAD_VALUE', `${AT}/action`, 'a tool does not take itself back', 'name another tool')]
  const schema = toolSchema(action)
  if (schema === null)
    return [
      problem(
        'SW_REFERENCE_NOT_FOUND',
        `${AT}/action`,
        `there is no tool ${action}`,
        'declare it, or name a built-in one',
      ),
    ]
  const properties = isObject(inputSchema) && isObject(inputSchema['properties']) ? inputSchema['properties'] : {}
  const inputs = Object.fromEntries(Object.keys(properties).map((key) => [key, null]))
  const scope = createScope({ inputs, variables: { output: 'dyn' } })
  const problems: SpecProblem[] = checkTemplate(given, scope, `${AT}/with`).problems.map(
    ({ code, pointer, message, hint, offset }) => problem(code, pointer, message, hint, offset),
  )
  mapShellParameters(
    schema,
    given,
    (value, pointer) => {
      const compiled = typeof value === 'string' ? compileShellText(value) : null
      if (compiled !== null && !compiled.ok) {
        const { code, message, hint, offset } = compiled.problem
        problems.push(problem(code, pointer, message, hint, offset))
      }
      return value
    },
    `${AT}/with`,
  )
  // Whether values fit is seen when they are there; which parameters there are is known now.
  const names = isObject(schema['properties']) ? Object.keys(schema['properties']) : null
  if (names !== null && schema['additionalProperties'] === false) {
    for (const key of Object.keys(given))
      if (!names.includes(key) && !(key.endsWith('_ref') && names.includes(key.slice(0, -'_ref'.length))))
        problems.push(
          problem(
            'SW_UNKNOWN_FIELD',
            `${AT}/with/${key}`,
            `${action} takes no ${key}`,
            `it takes: ${names.join(', ')}`,
          ),
        )
  }
  const missing = (Array.isArray(schema['required']) ? schema['required'] : []).filter(
    (key) => typeof key === 'string' && given[key] === undefined && given[`${key}_ref`] === undefined,
  )
  for (const key of missing)
    problems.push(problem('SW_MISSING_FIELD', `${AT}/with`, `${action} needs ${key}`, `add ${key}`))
  if (problems.length === 0 && !JSON.stringify(given).includes('{{')) {
    const violations = schemaViolations(schema, given)
    if (violations.length > 0)
      problems.push(
        problem('SW_BAD_VALUE', `${AT}/with`, `it does not fit ${action}: ${violationsText(violations)}`, 'correct it'),
      )
  }
  return problems
}
