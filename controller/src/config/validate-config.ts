import { createRequire } from 'node:module'
import type { Ajv, ErrorObject } from 'ajv'
import { DURATION_PATTERN } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { pointerKeys } from '../lib/json.ts'
import { SETTINGS } from './settings.ts'

export interface GivenValue {
  readonly path: string
  readonly schema: unknown
  readonly value: unknown
  readonly origin: string
}

/** Loaded only when a value needs it: most calls give an address or a path, and every command would wait for it. */
function loadAjv(): typeof Ajv {
  return (createRequire(import.meta.url)('ajv') as { Ajv: typeof Ajv }).Ajv
}

/** Whether any text will do: a path, an address, a token. */
function takesAnyText({ schema, value }: GivenValue): boolean {
  if (typeof value !== 'string' || value === '') return false
  const {
    type,
    anyOf = [{ type }],
    enum: choices,
    pattern,
  } = schema as {
    type?: string
    anyOf?: readonly { type?: string }[]
    enum?: unknown
    pattern?: unknown
  }
  return choices === undefined && pattern === undefined && anyOf.some((option) => option.type === 'string')
}

/**
 * Throws SW_CONFIG_INVALID that names every wrong value, what is allowed, and where each comes from. Only what somebody
 * gave is checked: defaults are right (a test says so), and most calls give nothing.
 */
export function validateGiven(all: readonly GivenValue[]): void {
  const given = all.filter((item) => !takesAnyText(item))
  if (given.length === 0) return
  const Ajv = loadAjv()
  const properties = Object.fromEntries(given.map(({ path, schema }) => [path, schema]))
  const validate = new Ajv({ strict: false, allErrors: true, verbose: true }).compile({ type: 'object', properties })
  if (validate(Object.fromEntries(given.map(({ path, value }) => [path, value])))) return
  const problems = new Map<string, string>()
  for (const error of validate.errors ?? []) {
    const path = pointerKeys(error.instancePath)[0]!
    if (problems.has(path)) continue
    const secret = SETTINGS.find((setting) => setting.path === path)?.secret === true
    const value = secret ? '' : `, not ${JSON.stringify(error.data)}`
    problems.set(path, `${path} ${wording(error)}${value} (from ${given.find((item) => item.path === path)?.origin})`)
  }
  throw fail('SW_CONFIG_INVALID', [...problems.values()].join('; '))
}

function wording(error: ErrorObject): string {
  if (error.keyword === 'enum') return `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`
  if (error.keyword === 'pattern' && error.params['pattern'] === DURATION_PATTERN)
    return 'must be a duration such as 30s, 5m or 1h30m'
  return error.message ?? 'is wrong'
}
