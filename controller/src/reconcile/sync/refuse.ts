import type { EventName } from '../../events/catalogue.ts'
import { newCorrelationId, uuidv7 } from '../../lib/ids.ts'
import { appendEvents } from '../../store/log.ts'
import { insertSync, readSyncs, type SyncRow } from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'

export interface Refusal {
  readonly source: string
  readonly revision: string
  readonly applied: string | null
  readonly code: string
  readonly message: string
  readonly remedy: string
  readonly actor: string
}

/** Records that a revision was not even read; null when the history ends with that already. */
export async function refuse(store: Store, refusal: Refusal): Promise<SyncRow | null> {
  const { source, revision, applied, code, message, remedy, actor } = refusal
  const [last] = await readSyncs(store.engine, source, 1)
  if (last?.to_revision === revision && last.outcome === 'refused') return null
  const now = store.clock.now()
  const row: Omit<SyncRow, 'seq'> = {
    id: uuidv7(now.getTime()),
    source,
    ...{ from_revision: applied, to_revision: revision, outcome: 'refused' },
    counts: { create: 0, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 },
    changes: [],
    issues: [{ code: 'SW_COMMIT_UNSIGNED', severity: 'error', message, hint: remedy }],
    ...{ ignored: 0, digest: '', actor, occurred_at: now, duration_ms: 0 },
  }
  return transact(store, async (tx) => {
    const { firstSeq } = await appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.source.revision.refused' satisfies EventName,
        occurred_at: now,
        env_id: 'default',
        actor,
        correlation_id: newCorrelationId(),
        resource: { type: 'Sync', id: row.id },
        data: { source, revision, from: applied, code, message },
      },
    ])
    const written = { ...row, seq: firstSeq }
    await insertSync(tx, written)
    return written
  })
}
