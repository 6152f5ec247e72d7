import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

/** One thing a schema refused, as `details.violations[]` of the error shape shows it. */
export interface Violation {
  /** Where: `body`, `querystring`, `params`, and the JSON pointer inside it. */
  readonly path: string
  readonly message: string
  readonly keyword: string
}

// ajv-formats is CommonJS: its function is the default export of the namespace.
const withFormats = addFormats as unknown as (ajv: Ajv) => Ajv

// A body means what it says: "5" is not 5. Queries and paths are text, so there text is read as the type that is asked for.
const strict = withFormats(new Ajv({ allErrors: true, strict: false, useDefaults: true }))
const coercing = withFormats(new Ajv({ allErrors: true, strict: false, useDefaults: true, coerceTypes: 'array' }))

/** What a failed validation throws inside Fastify; the error handler turns it into the error shape. */
export class ViolationsError extends Error {
  readonly violations: readonly Violation[]

  constructor(part: string, errors: readonly ErrorObject[]) {
    super(`the request's ${part} does not fit its schema`)
    this.violations = errors.slice(0, 50).map((error) => violationOf(part, error))
  }
}

function violationOf(part: string, error: ErrorObject): Violation {
  const extra = error.keyword === 'additionalProperties' ? `/${String(error.params['additionalProperty'])}` : ''
  const missing = error.keyword === 'required' ? `/${String(error.params['missingProperty'])}` : ''
  const allowed = error.keyword === 'enum' ? `: ${(error.params['allowedValues'] as unknown[]).join(', ')}` : ''
  const message =
    extra !== ''
      ? 'is not a field of this request'
      : missing !== ''
        ? 'is required'
        : `${error.message ?? 'is wrong'}${allowed}`
  return { path: `${part}${error.instancePath}${extra}${missing}`, message, keyword: error.keyword }
}

/** Fastify's validator: collects every violation, refuses unknown fields where the schema says so, never coerces a body. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const part = httpPart ?? 'body'
  // Fastify keeps schemas of routes without a type as they are; ajv compiles the plain JSON Schema they are.
  const validate: ValidateFunction = (part === 'body' ? strict : coercing).compile(schema)
  const mayBeMissing = 'x-optional-body' in schema
  return (data: unknown) =>
    (mayBeMissing && (data === undefined || data === null)) || validate(data)
      ? { value: data }
      : { error: new ViolationsError(part, validate.errors ?? []) }
}
