import { mapShellParameters, misplacedShellKeyword } from '../expressions/shell-parameters.ts'
import { isShellText } from '../expressions/shell-template.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { schemaProblem, schemaViolations, violationsText } from '../lib/json-schema.ts'
import type { ToolInfo } from './ports.ts'

/** A schema is looked through once, as long as it lives. */
const looked = new WeakMap<JsonObject, { readonly misplaced: string | null }>()

function misplacedIn(schema: JsonObject): string | null {
  let found = looked.get(schema)
  if (found === undefined) {
    found = { misplaced: misplacedShellKeyword(schema) }
    looked.set(schema, found)
  }
  return found.misplaced
}

/**
 * Checks the parameters of a call against the tool's inputSchema. A shell parameter has to come with its values apart from its text;
 * a plain string there means that a plan was made before the parameter was marked, and its values are already inside. Throws
 * SW_VALIDATION_FAILED with `details.violations`.
 */
export function checkParameters(tool: ToolInfo, parameters: JsonObject): void {
  const wrong = schemaProblem(tool.inputSchema)
  if (wrong !== null) {
    throw fail('SW_VALIDATION_FAILED', `the inputSchema of ${tool.name} is not a JSON Schema: ${wrong}`, {
      remedy: 'correct the Tool',
    })
  }
  const misplaced = misplacedIn(tool.inputSchema)
  if (misplaced !== null) {
    throw fail(
      'SW_VALIDATION_FAILED',
      `x-shell stands at ${misplaced} of the inputSchema of ${tool.name}, where it has no effect`,
      {
        remedy: 'mark a property directly, not under anyOf, $defs and the like',
      },
    )
  }
  const mixed: string[] = []
  const plain = mapShellParameters(tool.inputSchema, parameters, (value, pointer) => {
    if (isShellText(value)) return value.literal
    mixed.push(pointer)
    return value
  })
  if (mixed.length > 0) {
    throw fail(
      'SW_VALIDATION_FAILED',
      `${mixed.join(', ')} of ${tool.name} is read by a shell, but came as plain text`,
      {
        details: { violations: mixed.map((pointer) => ({ pointer, message: 'is a shell parameter' })) },
        remedy: 'start a new run, whose plan knows the tool as it is now',
      },
    )
  }
  const violations = schemaViolations(tool.inputSchema, plain)
  if (violations.length === 0) return
  throw fail('SW_VALIDATION_FAILED', `the parameters of ${tool.name} are wrong: ${violationsText(violations)}`, {
    details: { violations },
  })
}
