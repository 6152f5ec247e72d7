import type { Executor, Tx } from '../database.ts'

/** The encrypted file of a SecretStore, as it was accepted last. */
export interface SecretFile {
  /** Of its content. */
  readonly oid: string
  readonly content: string
}

export async function secretFile(sql: Executor, store: string): Promise<SecretFile | null> {
  const [row] = await sql<SecretFile[]>`SELECT oid, content FROM secret_files WHERE store = ${store}`
  return row ?? null
}

export async function keepSecretFile(tx: Tx, store: string, file: SecretFile, at: Date): Promise<void> {
  await tx`
    INSERT INTO secret_files (store, oid, content, kept_at) VALUES (${store}, ${file.oid}, ${file.content}, ${at})
    ON CONFLICT (store) DO UPDATE SET oid = excluded.oid, content = excluded.content, kept_at = excluded.kept_at`
}

export async function dropSecretFile(tx: Tx, store: string): Promise<void> {
  await tx`DELETE FROM secret_files WHERE store = ${store}`
}
