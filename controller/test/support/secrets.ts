import { type SecretReader, secretText } from '../../src/kinds/secret-ref.ts'

/** Secrets by `name/key`, for tests; nothing is asked and nothing told. */
export function secretsFrom(secrets: Readonly<Record<string, string>> | ReadonlyMap<string, string>): SecretReader {
  const find = async (path: string) =>
    (secrets instanceof Map ? secrets.get(path) : (secrets as Readonly<Record<string, string>>)[path]) ?? null
  return { read: (secret) => find(secretText(secret)), peek: (secret) => find(secretText(secret)) }
}
