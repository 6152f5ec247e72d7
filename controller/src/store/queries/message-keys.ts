import type { Executor } from '../database.ts'
import type { NewMessage } from '../intake/tables.ts'

/** A message that was sent before under the same key of the same sender. */
export interface KnownMessage {
  readonly message_id: string
  readonly request_digest: string | null
}

/** Those of these messages that had come before, by `JSON.stringify([namespace, sender, idempotency_key])`. */
export async function knownMessages(
  sql: Executor,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<string, KnownMessage>> {
  const rows = await sql<(KnownMessage & Pick<NewMessage, 'namespace' | 'sender' | 'idempotency_key'>)[]>`
    SELECT m.namespace, m.sender, m.idempotency_key, m.message_id, m.request_digest
    FROM unnest(${messages.map(({ namespace }) => namespace)}::text[], ${messages.map(({ sender }) => sender)}::text[],
                ${messages.map(({ idempotency_key }) => idempotency_key)}::text[]) AS k (namespace, sender, idempotency_key)
    JOIN messages m USING (namespace, sender, idempotency_key)`
  return new Map(rows.map((row) => [JSON.stringify([row.namespace, row.sender, row.idempotency_key]), row]))
}
