import type { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../lib/json.ts'
import { isObject } from '../lib/json.ts'
import { dialect } from './environment.ts'
import { ENV_FIELDS, EVENT_FIELDS, RUN_FIELDS } from './values.ts'

/** Which variables an expression may use, and what is known of their types. Left out = may not be used there. */
export interface ScopeDeclaration {
  /** Input name → its JSON Schema, or null when it has none or may be null. */
  readonly inputs?: Readonly<Record<string, JsonObject | null>>
  /** Step id → JSON Schema of its output, or null when it has none or the step may be skipped. */
  readonly steps?: Readonly<Record<string, JsonObject | null>>
  readonly event?: boolean
  readonly run?: boolean
  readonly env?: boolean
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

export function createScope(declaration: ScopeDeclaration): Scope {
  const environment = dialect.clone()
  const roots: string[] = []
  const declare = (root: string, typeName: string, fields: Record<string, string>) => {
    environment.registerType(typeName, { fields })
    environment.registerVariable(root, typeName)
    roots.push(root)
  }
  if (declaration.inputs !== undefined) {
    const fields = Object.entries(declaration.inputs).map(([name, schema]) => [name, celTypeOf(schema)] as const)
    declare('inputs', 'Inputs', Object.fromEntries(fields))
  }
  if (declaration.steps !== undefined) {
    const fields: Record<string, string> = {}
    for (const [id, output] of Object.entries(declaration.steps)) {
      const typeName = `Step_${id}`
      environment.registerType(typeName, { fields: { output: celTypeOf(output), status: 'string', error: 'dyn' } })
      fields[id] = typeName
    }
    declare('steps', 'Steps', fields)
  }
  if (declaration.event === true) {
    declare('event', 'Event', { ...fieldsOf(EVENT_FIELDS, 'string'), resource: 'dyn', data: 'map<string, dyn>' })
  }
  if (declaration.run === true) declare('run', 'Run', fieldsOf(RUN_FIELDS, 'string'))
  if (declaration.env === true) declare('env', 'Env', fieldsOf(ENV_FIELDS, 'string'))
  return { declaration, roots, environment }
}

/** Where only the event is known: trigger filters, dedupe keys, `from` of an input. */
export const eventScope: Scope = createScope({ event: true })
