import type { SecretName, SecretUse } from '../kinds/secret-ref.ts'

/** A place secrets are in. Values are handed out one at a time; names may be listed, where the place can tell them. */
export interface SecretProvider {
  /** How people know it: `environment`, `data folder`, `SecretStore/repo`. */
  readonly name: string
  /** Null when it has none of this name. Throws SW_SECRET_MISSING, saying why, when there is one that cannot be used. */
  find(secret: SecretName): Promise<string | null>
  /** Gives it a value, durable when it resolves. Left out: the place is read, and written by others. */
  write?(secret: SecretName, value: string): Promise<void>
  /** How others write it, where this process does not. */
  readonly readOnly?: string
  /** Texts of the names it has, sorted; null where it cannot tell. */
  list(): Promise<readonly string[] | null>
}

/** Decides whether a secret may be used; throws when not. */
export type SecretGate = (secret: SecretName, use: SecretUse) => Promise<void>

/** A store as it is declared now. */
export interface DeclaredStore {
  readonly name: string
  /** Globs over names; null = every secret. */
  readonly paths: readonly string[] | null
  readonly provider: SecretProvider
}
