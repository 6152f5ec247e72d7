import { endedRunAccounts } from '../budgets/chores.ts'
import { deadLetters, oldMessages } from '../bus/chores.ts'
import { parseDuration } from '../lib/duration.ts'
import { lostModelCalls, oldModelCalls } from '../models/chores.ts'
import { oldNotifications } from '../notifications/chores.ts'
import { CONTROLLER_LEASE } from '../reconcile/controller.ts'
import {
  footprintsByDay,
  oldArtifacts,
  oldEvents,
  oldFootprints,
  oldIdempotencyKeys,
  oldToolCalls,
  oldTreeArchives,
  staleLogRequests,
} from '../records/chores.ts'
import { createJanitor } from '../records/janitor.ts'
import { forgetUndos } from '../tools/undo/undo-store.ts'
import type { Core } from './core.ts'
import { undoFolderOf } from './tool-calls.ts'

const TIDY_UP_MS = 600_000

/** What the leader tidies up every ten minutes: whatever is older than the configuration keeps, and what was lost on the way. */
export function leaderJanitor({ config, store, artifacts, feed, processes }: Core): ReturnType<typeof createJanitor> {
  const { retention } = config
  const kept = {
    events: parseDuration(retention.events),
    footprints: parseDuration(retention.footprints),
    artifacts: parseDuration(retention.artifacts),
    messages: parseDuration(retention.messages),
  }
  const undo = { store, folder: undoFolderOf(config.data) }
  return createJanitor({
    store,
    lease: CONTROLLER_LEASE,
    intervalMs: TIDY_UP_MS,
    chores: [
      oldEvents(store, kept.events),
      oldIdempotencyKeys(store),
      oldTreeArchives(store),
      oldNotifications(store),
      staleLogRequests(store),
      footprintsByDay(store),
      oldFootprints(store, kept.footprints),
      { name: 'undo of tools', run: () => forgetUndos(undo, kept.artifacts) },
      { name: 'processes of tools', run: () => processes.tidy(kept.artifacts) },
      oldToolCalls(store, kept.artifacts),
      oldArtifacts(artifacts, kept.artifacts),
      deadLetters(store, (seq) => feed.nudge(seq)),
      oldMessages(store, kept.messages),
      endedRunAccounts(store),
      lostModelCalls(store),
      oldModelCalls(store, kept.footprints),
    ],
  })
}
