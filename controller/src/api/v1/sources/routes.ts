import type { Route } from '../../http/route.ts'
import { listSyncs, readSync } from './read-syncs.ts'
import { approveDeletions, syncSource } from './sync-source.ts'

/** A source: reading it now, its history of ChangeSets, and letting held-back deletions through. */
export const SOURCE_ROUTES: readonly Route[] = [syncSource, listSyncs, readSync, approveDeletions]
