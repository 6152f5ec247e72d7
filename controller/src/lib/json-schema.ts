import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { digestOf } from './digest.ts'
import { errorMessage } from './errors.ts'
import type { JsonObject } from './json.ts'
import { pointerToken } from './json.ts'

/** JSON Schemas that people write in manifests (inputs, outputs, tool parameters); draft 7, or 2020-12 when `$schema` says so. */

export interface Violation {
  /** RFC 6901 pointer into the value. */
  readonly pointer: string
  readonly message: string
}

const OPTIONS = { strict: false, allErrors: true, ownProperties: true, addUsedSchema: false, logger: false } as const
const MAX_VIOLATIONS = 20
const MAX_COMPILED = 2_000

let draft7: Ajv | undefined
let draft2020: Ajv2020 | undefined
const compiled = new Map<string, ValidateFunction>()
/** The same object is asked about again and again: as long as it lives, its digest is not worked out twice. */
const digests = new WeakMap<JsonObject, string>()

function ajvFor(schema: JsonObject): Ajv | Ajv2020 {
  if (String(schema['$schema'] ?? '').includes('2020-12')) {
    draft2020 ??= addFormats.default(new Ajv2020(OPTIONS)) as Ajv2020
    return draft2020
  }
  draft7 ??= addFormats.default(new Ajv(OPTIONS)) as Ajv
  return draft7
}

function validatorOf(schema: JsonObject): ValidateFunction {
  const digest = digests.get(schema) ?? digestOf(schema)
  digests.set(schema, digest)
  let validator = compiled.get(digest)
  if (validator === undefined) {
    if (schema['$async'] === true) throw new Error('$async schemas are not supported')
    const ajv = ajvFor(schema)
    try {
      validator = ajv.compile(schema)
    } finally {
      // Ajv would keep every schema it has ever seen.
      ajv.removeSchema(schema)
      if (typeof schema['$id'] === 'string') ajv.removeSchema(schema['$id'])
    }
    if (compiled.size >= MAX_COMPILED) compiled.clear()
    compiled.set(digest, validator)
  }
  return validator
}

/** What is wrong with the schema itself, or null. */
export function schemaProblem(schema: JsonObject): string | null {
  try {
    validatorOf(schema)
    return null
  } catch (error) {
    return errorMessage(error)
  }
}

function violationOf(error: ErrorObject): Violation {
  const { missingProperty, additionalProperty, allowedValues } = error.params as Record<string, unknown>
  const key = typeof missingProperty === 'string' ? missingProperty : additionalProperty
  const pointer = typeof key === 'string' ? `${error.instancePath}/${pointerToken(key)}` : error.instancePath
  const message =
    typeof missingProperty === 'string'
      ? 'is missing'
      : typeof additionalProperty === 'string'
        ? 'is not allowed here'
        : Array.isArray(allowedValues)
          ? `must be one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`
          : (error.message ?? error.keyword)
  return { pointer, message }
}

/** Where a value does not fit its schema; at most 20 places, none when it fits. Throws when the schema itself is wrong. */
export function schemaViolations(schema: JsonObject, value: unknown): Violation[] {
  const validate = validatorOf(schema)
  if (validate(value) === true) return []
  return (validate.errors ?? []).slice(0, MAX_VIOLATIONS).map(violationOf)
}

/** `/host must be string; /port is missing`. */
export function violationsText(violations: readonly Violation[]): string {
  return violations.map(({ pointer, message }) => `${pointer === '' ? 'it' : pointer} ${message}`).join('; ')
}
