import type { Environment } from './environment.ts'

const PREFIX = 'STATEWARD_SECRET_'

/** The variable that holds `secretRef {name, key}`: upper case, everything but letters and digits as `_`. */
export function secretVariable(name: string, key: string): string {
  const part = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '_')
  return `${PREFIX}${part(name)}_${part(key)}`
}

/** What the environment holds of secrets, by variable name. */
export function secretsOf(environment: Environment): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (value !== undefined && variable.startsWith(PREFIX)) found[variable] = value
  }
  return Object.freeze(found)
}
