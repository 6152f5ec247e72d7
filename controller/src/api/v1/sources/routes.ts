import type { Route } from '../../http/route.ts'
import { readCommit } from './read-commit.ts'
import { listSyncs, readSync } from './read-syncs.ts'
import { approveDeletions, syncSource } from './sync-source.ts'

/** A source: reading it now, its history of ChangeSets, commits of it, and letting held-back deletions through. */
export const SOURCE_ROUTES: readonly Route[] = [syncSource, listSyncs, readSync, readCommit, approveDeletions]
