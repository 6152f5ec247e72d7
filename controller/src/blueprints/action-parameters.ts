import { mapShellParameters } from '../expressions/shell-parameters.ts'
import { compileShellText } from '../expressions/shell-template.ts'
import { hasTemplate } from '../expressions/template.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import { schemaProblem, schemaViolations } from '../lib/json-schema.ts'
import { nameHint, problem } from './problem.ts'

function holdsTemplate(value: Json): boolean {
  if (typeof value === 'string') return hasTemplate(value)
  if (Array.isArray(value)) return value.some(holdsTemplate)
  return isObject(value) && Object.values(value).some((member) => holdsTemplate(member as Json))
}

/** What can be said of parameters before their templates are filled: which are missing or unknown; everything when there is no template. */
function checkParameters(action: string, schema: JsonObject, parameters: JsonObject, pointer: string): SpecProblem[] {
  if (schemaProblem(schema) !== null) return []
  const hint = `see the inputSchema of ${action}`
  if (!holdsTemplate(parameters)) {
    return schemaViolations(schema, parameters).map((violation) =>
      problem(
        'SW_BAD_VALUE',
        `${pointer}${violation.pointer}`,
        `${violation.pointer || 'with'} ${violation.message}`,
        hint,
      ),
    )
  }
  const problems: SpecProblem[] = []
  const properties = isObject(schema['properties']) ? Object.keys(schema['properties']) : []
  for (const name of Array.isArray(schema['required']) ? schema['required'] : []) {
    if (typeof name === 'string' && !Object.hasOwn(parameters, name)) {
      problems.push(problem('SW_MISSING_FIELD', pointer, `${action} needs the parameter ${name}`, hint))
    }
  }
  if (schema['additionalProperties'] === false && schema['patternProperties'] === undefined) {
    for (const name of Object.keys(parameters)) {
      if (properties.includes(name)) continue
      problems.push(
        problem(
          'SW_UNKNOWN_FIELD',
          `${pointer}/${name}`,
          `${action} has no parameter ${JSON.stringify(name)}`,
          nameHint(name, properties),
        ),
      )
    }
  }
  return problems
}

/**
 * The parameters of an action with every shell parameter (`x-shell` in the tool's inputSchema) split into its literal and its values.
 * `pointer` is the step's.
 */
export function compileActionParameters(
  action: string,
  parameters: JsonObject,
  pointer: string,
  toolSchema: (name: string) => JsonObject | null,
): { readonly with: JsonObject; readonly problems: readonly SpecProblem[] } {
  const schema = toolSchema(action)
  if (schema === null) {
    const hint = 'use a built-in tool, or declare a Tool of that name'
    const problems = hasTemplate(action)
      ? []
      : [problem('SW_UNKNOWN_NAME', `${pointer}/action`, `there is no tool ${JSON.stringify(action)}`, hint)]
    return { with: parameters, problems }
  }
  const problems = checkParameters(action, schema, parameters, `${pointer}/with`)
  const compiled = mapShellParameters(schema, parameters, (value, at) => {
    const place = `${pointer}/with${at}`
    if (typeof value !== 'string') {
      problems.push(problem('SW_WRONG_TYPE', place, 'a shell command has to be a text', 'write it as one string'))
      return value
    }
    const shell = compileShellText(value)
    if (shell.ok) return shell.shell
    // A broken {{ }} was found when the template was checked.
    if (shell.problem.code !== 'SW_TEMPLATE') problems.push({ ...shell.problem, pointer: place })
    return value
  })
  return { with: compiled as JsonObject, problems: unique(problems) }
}

/** A shell parameter of the wrong type is found by its schema as well. */
function unique(problems: readonly SpecProblem[]): SpecProblem[] {
  return problems.filter(
    (one, i) => problems.findIndex((other) => other.pointer === one.pointer && other.offset === one.offset) === i,
  )
}
