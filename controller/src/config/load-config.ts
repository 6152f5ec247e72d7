import { join, resolve } from 'node:path'
import { valueAt } from '../lib/json.ts'
import { readConfigFile } from './config-file.ts'
import type { Environment } from './environment.ts'
import { type Config, ConfigSchema } from './schema.ts'
import { secretsOf } from './secrets.ts'
import { optionName, SETTINGS, type Setting } from './settings.ts'
import { type GivenValue, validateGiven } from './validate-config.ts'
import { type ValueSchema, valueFromText } from './value-from-text.ts'

/** Where a value comes from, as people read it: `--port`, `STATEWARD_PORT`, the file's path, `default`. */
type Origin = string

export interface LoadedConfig {
  readonly config: Config
  /** By the setting's path (`database.url`). */
  readonly origins: ReadonlyMap<string, Origin>
  /** The file that was looked for; it need not exist. */
  readonly file: string
}

export interface ConfigInputs {
  readonly env: Environment
  /** Parsed options by name (`databaseUrl`); undefined = not given. Options that are no setting are ignored. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly cwd: string
  /** The text of a file; null when there is none. Default: the disk. */
  readonly readFile?: (path: string) => string | null
}

/**
 * flags > variables > `<data>/config.yaml` > defaults, checked as one. Throws SW_CONFIG_INVALID naming the value and
 * where it comes from; an empty variable counts as unset. The result is frozen; its paths are absolute.
 */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const values: Record<string, unknown> = {}
  const origins = new Map<string, Origin>()
  const givenValues: GivenValue[] = []
  const dataSetting = SETTINGS.find((setting) => setting.path === 'data')!
  const data = resolve(inputs.cwd, String(given(dataSetting, inputs)?.value ?? schemaOf('data').default))
  const file = join(data, 'config.yaml')
  const written = readConfigFile(file, inputs.readFile)

  for (const setting of SETTINGS) {
    const fromFile = valueAt(written, `/${setting.path.replaceAll('.', '/')}`)
    const chosen =
      given(setting, inputs) ??
      (fromFile === undefined
        ? { value: schemaOf(setting.path).default, origin: 'default' }
        : { value: fromFile, origin: file })
    const base = chosen.origin === file ? data : inputs.cwd
    put(values, setting.path, setting.isPath ? absolute(chosen.value, base) : chosen.value)
    origins.set(setting.path, chosen.origin)
    if (chosen.origin !== 'default') givenValues.push({ ...chosen, path: setting.path, schema: schemaOf(setting.path) })
  }
  validateGiven(givenValues)
  const config = deepFreeze({
    ...structuredClone(values as unknown as Omit<Config, 'secrets'>),
    secrets: secretsOf(inputs.env),
  })
  return { config, origins, file }
}

function given(setting: Setting, inputs: ConfigInputs): { value: unknown; origin: Origin } | undefined {
  const flag = inputs.flags[optionName(setting.flag)]
  const schema = schemaOf(setting.path)
  if (flag !== undefined) {
    return { value: typeof flag === 'string' ? valueFromText(schema, flag) : flag, origin: `--${setting.flag}` }
  }
  const text = inputs.env[setting.variable]
  if (text !== undefined && text !== '') return { value: valueFromText(schema, text), origin: setting.variable }
  return undefined
}

function schemaOf(path: string): ValueSchema & { readonly default?: unknown; readonly description?: string } {
  return valueAt(ConfigSchema, `/properties/${path.replaceAll('.', '/properties/')}`) as ReturnType<typeof schemaOf>
}

/** What a setting is for, in one sentence. */
export function describeSetting(path: string): string {
  return schemaOf(path).description ?? ''
}

function put(values: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let at = values
  for (const key of keys) {
    at[key] ??= {}
    at = at[key] as Record<string, unknown>
  }
  at[last] = value
}

/** `scheme://…` and `git@host:path` are addresses, everything else is a path. */
export function isRemoteAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[^/\s]+@[^/\s]+:/.test(text)
}

function absolute(value: unknown, base: string): unknown {
  return typeof value !== 'string' || value === '' || isRemoteAddress(value) ? value : resolve(base, value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
