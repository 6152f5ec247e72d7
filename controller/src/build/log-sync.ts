import { placeOf } from '../lib/issue.ts'
import type { Log } from '../store/ports.ts'
import type { SyncRow } from '../store/queries/sources.ts'

/** Says in the log what became of a revision: one line for it, one for each problem. */
export function logSync(log: Log, sync: SyncRow): void {
  const fields = {
    kind: 'Source',
    name: sync.source,
    revision: sync.to_revision,
    outcome: sync.outcome,
    ...sync.counts,
    duration_ms: sync.duration_ms,
  }
  log.info(fields, 'revision accepted')
  for (const issue of sync.issues) {
    const { code, severity, message, hint, object } = issue
    const line = { code, place: placeOf(issue), problem: message, remedy: hint, object, revision: sync.to_revision }
    if (severity === 'error') log.error(line, 'a document is broken; it keeps its last good revision')
    else log.warn(line, 'a document has a problem')
  }
}
