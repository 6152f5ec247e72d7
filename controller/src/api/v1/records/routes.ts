import type { Route } from '../../http/route.ts'
import { listImpressions, recordImpression } from './impressions.ts'
import { listBatches } from './list-batches.ts'
import { listFootprintRollups } from './list-footprint-rollups.ts'
import { listFootprints } from './list-footprints.ts'
import { readAgentLog, readRunLog, readTaskLog } from './read-logs.ts'
import { verifyAudit } from './verify-audit.ts'

/** What is kept of the past besides events: logs, footprints, impressions, and whether the log is as it was written. */
export const RECORD_ROUTES: readonly Route[] = [
  readRunLog,
  readTaskLog,
  readAgentLog,
  listFootprints,
  listFootprintRollups,
  listImpressions,
  recordImpression,
  verifyAudit,
  listBatches,
]
