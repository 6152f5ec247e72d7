import type { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../lib/json.ts'
import { isObject } from '../lib/json.ts'
import { dialect } from './environment.ts'
import { ENV_FIELDS, ERROR_FIELDS, EVENT_FIELDS, RUN_FIELDS } from './values.ts'

/** Which variables an expression may use, and what is known of their types. Left out = may not be used there. */
export interface ScopeDeclaration {
  /** Input name → its JSON Schema, or null when it has none or may be null. */
  readonly inputs?: Readonly<Record<string, JsonObject | null>>
  /** Step id → JSON Schema of its output, or null when it has none or the step may be skipped. */
  readonly steps?: Readonly<Record<string, JsonObject | null>>
  readonly event?: boolean
  readonly run?: boolean
  readonly env?: boolean
  readonly error?: boolean
  readonly blackboard?: boolean
  /** Further variables by name, with the checker's type: those of a loop. */
  readonly variables?: Readonly<Record<string, string>>
}

/** A declaration with the type checker made for it. Make one a plan, not one an expression. */
export interface Scope {
  readonly declaration: ScopeDeclaration
  /** Names that may start an expression. */
  readonly roots: readonly string[]
  readonly environment: Environment
}

/**
 * The checker's type of a value with this schema: `string`, `bool`, `list<…>`, `map<string, dyn>`, else `dyn`.
 * Numbers stay `dyn`: a literal is an int and a JSON number a double, and the checker would refuse `inputs.n in [1, 2]`.
 */
function celTypeOf(schema: JsonObject | null): string {
  if (schema === null || 'const' in schema || 'enum' in schema) return 'dyn'
  switch (schema['type']) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'array':
      return `list<${isObject(schema['items']) ? celTypeOf(schema['items'] as JsonObject) : 'dyn'}>`
    case 'object':
      return 'map<string, dyn>'
    default:
      return 'dyn'
  }
}

function fieldsOf(names: readonly string[], type: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, type]))
}

/**
 * What values of the declared types would be made with. There are none: a scope only checks, and evaluation is dynamic.
 * Without one the library makes a class for each type.
 */
class NoValue {}

/** A scope without its schemas: only the types of its fields. */
interface Shape {
  readonly inputs: readonly (readonly [string, string])[] | null
  readonly steps: readonly (readonly [string, string])[] | null
  readonly event: boolean
  readonly run: boolean
  readonly env: boolean
  readonly error: boolean
  readonly blackboard: boolean
  readonly variables: readonly (readonly [string, string])[]
}

type Checker = Pick<Scope, 'roots' | 'environment'>

/**
 * Checkers by shape: making one costs more than checking all expressions of a plan with it, and most changes of a plan
 * leave its shape as it was.
 */
const checkers = new Map<string, Checker>()
const MAX_CHECKERS = 500

function checkerOf(shape: Shape): Checker {
  const key = JSON.stringify(shape)
  let checker = checkers.get(key)
  if (checker === undefined) {
    if (checkers.size >= MAX_CHECKERS) checkers.clear()
    checker = createChecker(shape)
    checkers.set(key, checker)
  }
  return checker
}

function createChecker(shape: Shape): Checker {
  const environment = dialect.clone()
  const roots: string[] = []
  const register = (typeName: string, fields: Record<string, string>) =>
    environment.registerType(typeName, { ctor: NoValue, fields })
  const declare = (root: string, typeName: string, fields: Record<string, string>) => {
    register(typeName, fields)
    environment.registerVariable(root, typeName)
    roots.push(root)
  }
  if (shape.inputs !== null) declare('inputs', 'Inputs', Object.fromEntries(shape.inputs))
  if (shape.steps !== null) {
    for (const [id, output] of shape.steps) register(`Step_${id}`, { output, status: 'string', error: 'dyn' })
    declare('steps', 'Steps', Object.fromEntries(shape.steps.map(([id]) => [id, `Step_${id}`])))
  }
  if (shape.event) {
    declare('event', 'Event', { ...fieldsOf(EVENT_FIELDS, 'string'), resource: 'dyn', data: 'map<string, dyn>' })
  }
  if (shape.run) declare('run', 'Run', fieldsOf(RUN_FIELDS, 'string'))
  if (shape.env) declare('env', 'Env', fieldsOf(ENV_FIELDS, 'string'))
  if (shape.error) declare('error', 'Error', { ...fieldsOf(ERROR_FIELDS, 'string'), retryable: 'bool', cause: 'dyn' })
  if (shape.blackboard) {
    environment.registerVariable('blackboard', 'map<string, dyn>')
    roots.push('blackboard')
  }
  for (const [name, type] of shape.variables) {
    environment.registerVariable(name, type)
    roots.push(name)
  }
  return { roots, environment }
}

function typesOf(schemas: Readonly<Record<string, JsonObject | null>> | undefined): Shape['inputs'] {
  if (schemas === undefined) return null
  return Object.entries(schemas).map(([name, schema]) => [name, celTypeOf(schema)] as const)
}

export function createScope(declaration: ScopeDeclaration): Scope {
  const { event = false, run = false, env = false, error = false, blackboard = false } = declaration
  const inputs = typesOf(declaration.inputs)
  const steps = typesOf(declaration.steps)
  const variables = Object.entries(declaration.variables ?? {})
  const checker = checkerOf({ inputs, steps, event, run, env, error, blackboard, variables })
  return { declaration, ...checker }
}

/** Where only the event is known: trigger filters, dedupe keys, `from` of an input. */
export const eventScope: Scope = createScope({ event: true })

/** Where only the error of an attempt is known: `retryIf`. */
export const errorScope: Scope = createScope({ error: true })
