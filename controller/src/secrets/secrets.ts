import { type SecretName, type SecretReader, type SecretUse, secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import { globMatches } from '../lib/glob.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import type { DeclaredStore, SecretGate, SecretProvider } from './ports.ts'

export interface SecretsOptions {
  /** Asked first, in this order. */
  readonly builtin: readonly SecretProvider[]
  /** Those declared in the state repo, asked after them in the order of their names. */
  readonly declared: () => readonly DeclaredStore[]
  /** What was read is learnt here, so that it is taken out of whatever the process writes. */
  readonly known: KnownSecrets
  readonly gate: SecretGate
  /** Tells the log that a secret is used; who uses it waits for that. */
  readonly told: (secret: SecretName, use: SecretUse, provider: string) => Promise<void>
  /** Tells the log that a secret was given a value. */
  readonly written: (secret: SecretName, use: SecretUse, provider: string) => Promise<void>
}

/** Where a secret is, or why it cannot be used. Never the value. */
export interface SecretStanding {
  readonly secret: string
  /** Null = nowhere. */
  readonly provider: string | null
  readonly problem: string | null
}

/** Names of secrets; null where the place cannot tell, and `problem` says why where it could not be asked. */
export interface SecretsOfProvider {
  readonly provider: string
  readonly secrets: readonly string[] | null
  readonly problem: string | null
}

export interface Secrets extends SecretReader {
  /**
   * Gives a secret a value, where it is now, or in `store`, or in the data folder; answers with where. What is read before that
   * place must not have it. SW_SECRET_READ_ONLY, SW_NOT_FOUND: there is no such store, or it is not for this secret; what the
   * policies say against its use.
   */
  put(secret: SecretName, value: string, use: SecretUse, store?: string): Promise<{ readonly provider: string }>
  check(secret: SecretName): Promise<SecretStanding>
  /** What each place has, or one of them. */
  list(provider?: string): Promise<readonly SecretsOfProvider[]>
}

/** The secrets of this process: looked up at each use, handed to whoever asks, and kept nowhere but for redaction. */
export function createSecrets(options: SecretsOptions): Secrets {
  const providersFor = (path: string): readonly SecretProvider[] => [
    ...options.builtin,
    ...options
      .declared()
      .filter(({ paths }) => paths === null || paths.some((glob) => globMatches(glob, path)))
      .map(({ provider }) => provider),
  ]
  const find = async (secret: SecretName): Promise<{ readonly value: string; readonly provider: string } | null> => {
    for (const provider of providersFor(secretText(secret))) {
      const value = await provider.find(secret)
      if (value === null) continue
      options.known.learn(value)
      return { value, provider: provider.name }
    }
    return null
  }
  return {
    async read(secret, use) {
      await options.gate(secret, use)
      const found = await find(secret)
      if (found === null) return null
      await options.told(secret, use, found.provider)
      return found.value
    },
    async put(secret, value, use, store) {
      const path = secretText(secret)
      await options.gate(secret, use)
      const providers = providersFor(path)
      const holder = (await find(secret))?.provider ?? null
      const wanted = store ?? holder ?? providers.find(({ write }) => write !== undefined)?.name
      const place = providers.findIndex(({ name }) => name === wanted)
      if (place === -1) throw fail('SW_NOT_FOUND', `${wanted ?? 'nowhere'} is no place for secret ${path}`)
      const { name, write, readOnly } = providers[place]!
      if (write === undefined)
        throw fail('SW_SECRET_READ_ONLY', `secret ${path} is kept in ${name}, which is only read`, {
          remedy: readOnly ?? 'write it where it is kept, or to the data folder under a name that no other place has',
        })
      const before = providers.findIndex((provider) => provider.name === holder)
      if (before !== -1 && before < place)
        throw fail('SW_SECRET_READ_ONLY', `${holder} has secret ${path}, and is asked before ${name}`)
      options.known.learn(value)
      await write(secret, value)
      await options.written(secret, use, name)
      return { provider: name }
    },
    peek: async (secret) => (await find(secret))?.value ?? null,
    async check(secret) {
      const path = secretText(secret)
      try {
        return { secret: path, provider: (await find(secret))?.provider ?? null, problem: null }
      } catch (error) {
        return { secret: path, provider: null, problem: problemOf(error) }
      }
    },
    async list(only) {
      const all = [...options.builtin, ...options.declared().map(({ provider }) => provider)]
      const providers = only === undefined ? all : all.filter(({ name }) => name === only)
      return await Promise.all(
        providers.map(async (provider) => {
          try {
            return { provider: provider.name, secrets: await provider.list(), problem: null }
          } catch (error) {
            return { provider: provider.name, secrets: null, problem: problemOf(error) }
          }
        }),
      )
    },
  }
}

function problemOf(error: unknown): string {
  if (error instanceof StatewardError) return `${error.message} (${error.remedy})`
  throw error
}
