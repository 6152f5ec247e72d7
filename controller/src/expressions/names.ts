import { closest } from '../lib/closest.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { ExpressionProblem } from './problem.ts'
import type { ScopeDeclaration } from './scope.ts'
import type { Path, PathKey } from './syntax-tree.ts'
import { ENV_FIELDS, ERROR_FIELDS, EVENT_FIELDS, RUN_FIELDS, STEP_FIELDS } from './values.ts'

function unknownName(what: string, key: PathKey, known: readonly string[]): ExpressionProblem {
  const guess = key.name === null ? undefined : closest(key.name, known)
  return {
    code: 'SW_UNKNOWN_NAME',
    message: `${what} ${JSON.stringify(key.name)} is not known`,
    hint: guess === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean ${JSON.stringify(guess)}?`,
    offset: key.offset,
  }
}

/** Follows the keys through a schema as far as it says which fields there are. */
function unknownField(schema: JsonObject | null, keys: readonly PathKey[]): ExpressionProblem | null {
  let at: JsonObject | null = schema
  for (const key of keys) {
    if (at === null || key.name === null || key.optional || !isObject(at['properties'])) return null
    const fields = at['properties'] as JsonObject
    if (!Object.hasOwn(fields, key.name)) {
      const closed = at['additionalProperties'] === false && at['patternProperties'] === undefined
      return closed ? unknownName('the field', key, Object.keys(fields)) : null
    }
    const next: unknown = fields[key.name]
    at = isObject(next) ? (next as JsonObject) : null
  }
  return null
}

function checkStepPath(path: Path, steps: Readonly<Record<string, JsonObject | null>>): ExpressionProblem | null {
  const [id, field, ...rest] = path.keys
  if (id === undefined || id.name === null) {
    return {
      code: 'SW_UNKNOWN_NAME',
      message: '`steps` needs the id of a step right after it, since a step waits for the steps it mentions',
      hint: 'write steps.<id>.output',
      offset: path.offset,
    }
  }
  if (!Object.hasOwn(steps, id.name)) return unknownName('the step', id, Object.keys(steps))
  if (field?.name === undefined || field.name === null) return null
  if (!(STEP_FIELDS as readonly string[]).includes(field.name)) {
    return unknownName(`a step has output, status and error;`, field, STEP_FIELDS)
  }
  return field.name === 'output' ? unknownField(steps[id.name]!, rest) : null
}

function checkInputPath(path: Path, inputs: Readonly<Record<string, JsonObject | null>>): ExpressionProblem | null {
  const [name, ...rest] = path.keys
  if (name === undefined || name.name === null) return null
  if (!Object.hasOwn(inputs, name.name)) return unknownName('the input', name, Object.keys(inputs))
  return unknownField(inputs[name.name]!, rest)
}

/** A name that the scope does not have, as a problem. Also finds those that the type checker lets through, as in `has(inputs.hots)`. */
export function checkPath(path: Path, scope: ScopeDeclaration): ExpressionProblem | null {
  const field = path.keys[0]
  const among = (known: readonly string[]) =>
    field?.name != null && !known.includes(field.name) ? unknownName(`the field of ${path.root}`, field, known) : null
  switch (path.root) {
    case 'inputs':
      return scope.inputs === undefined ? null : checkInputPath(path, scope.inputs)
    case 'steps':
      return scope.steps === undefined ? null : checkStepPath(path, scope.steps)
    case 'event':
      return among(EVENT_FIELDS)
    case 'run':
      return among(RUN_FIELDS)
    case 'env':
      return among(ENV_FIELDS)
    case 'error':
      return among(ERROR_FIELDS)
    default:
      return null
  }
}
