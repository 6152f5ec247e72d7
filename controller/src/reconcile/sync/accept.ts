import type { EventName } from '../../events/catalogue.ts'
import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { SCHEMA_VERSION } from '../../kinds/validate.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Change } from '../../plan/change-set.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { moveObjects } from '../../store/queries/objects.ts'
import { insertPolicyVersions } from '../../store/queries/policies.ts'
import {
  insertSync,
  type SyncOutcome,
  type SyncRow,
  saveSourceFiles,
  saveSourceHead,
} from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { rowOfWorldObject, type World, type WorldObject } from '../world.ts'
import type { AcceptRequest } from './accept-request.ts'
import { heldEvents } from './held-changes.ts'
import { policyChanges } from './policy-versions.ts'
import { fileRows, partlyAppliedFiles } from './source-file-rows.ts'
import { writeObjects } from './write-objects.ts'

export interface Accepted {
  readonly sync: SyncRow
  /** Objects that were created, updated or marked for deletion. */
  readonly changed: readonly ObjectKey[]
}

/** Of a larger revision its history keeps the first changes and issues, and the counts of all. */
export const MAX_CHANGES_KEPT = 1_000

/**
 * Makes a plan the accepted state, in one transaction: changed objects, the inventory (rows marked for deletion), where
 * the source stands, one line of history and their events. Then, and only then, the world follows. Effects come later,
 * from the queue.
 */
export async function accept(store: Store, world: World, request: AcceptRequest): Promise<Accepted> {
  const now = store.clock.now()
  const applied = appliedChanges(request)
  const outcome = outcomeOf(request)
  const syncId = uuidv7(now.getTime())
  const moved = request.observe ? [] : request.plan.moved.map((key) => movedObject(key, world, request.desired))
  const files = request.observe
    ? partlyAppliedFiles(applied, request.desired)
    : fileRows(request.paths, request.plan.changes, request.desired)
  const { objects, sync } = await transact(store, async (tx) => {
    const closing = [
      ...(request.observe ? [] : ((await request.governance?.record(tx, request.plan, request)) ?? [])),
      ...(request.observe ? [] : heldEvents(request, now)),
      ...(request.rewritten ? [rewrittenEvent(request, now)] : []),
      revisionEvent(request, outcome, syncId, now),
    ]
    const { objects, lastSeq } = await writeObjects(tx, store, world, applied, closing, request, now)
    const row = syncRow(request, outcome, syncId, lastSeq, now, store)
    const policies = policyChanges(objects, world, request, now)
    // None waits for the answer to another: one round trip to the server.
    await Promise.all([
      moveObjects(tx, moved.map(rowOfWorldObject)),
      saveSourceFiles(tx, request.source, files.paths, files.rows),
      saveSourceHead(tx, {
        source: request.source,
        attempted_revision: request.revision.commit,
        applied_revision: request.observe ? request.plan.fromRevision : request.revision.commit,
        applied_tree: request.observe ? null : request.revision.tree,
        schema_version: SCHEMA_VERSION,
        applied_at: now,
      }),
      insertSync(tx, row),
      insertPolicyVersions(tx, policies.versions),
      policies.events.length > 0 && appendEvents(tx, store, policies.events),
    ])
    return { objects, sync: row }
  })
  // Its spec is what it was, and its source counts on: its status says so.
  const counted = moved.filter((object) => world.get(keyOf(object))?.generation !== object.generation)
  for (const object of objects) world.put(object)
  for (const object of moved) world.put(object)
  return { sync, changed: [...objects, ...counted].map(keyOf) }
}

function appliedChanges(request: AcceptRequest): Change[] {
  const own = keyOf({ kind: 'Source', namespace: '', name: request.source })
  const actions = request.observe ? ['create', 'update'] : ['create', 'update', 'delete']
  return request.plan.changes.filter(
    (change) => actions.includes(change.action) && (!request.observe || keyOf(change) === own),
  )
}

function outcomeOf(request: AcceptRequest): SyncOutcome {
  if (request.observe) return 'observed'
  const bad = request.plan.counts.blocked > 0 || request.issues.some((issue) => issue.severity === 'error')
  return bad ? 'partial' : 'applied'
}

function rewrittenEvent(request: AcceptRequest, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.source.history_rewritten' satisfies EventName,
    occurred_at: now,
    env_id: 'default',
    actor: request.actor,
    correlation_id: request.correlationId,
    data: { source: request.source, revision: request.revision.commit, from: request.plan.fromRevision },
  }
}

function revisionEvent(request: AcceptRequest, outcome: SyncOutcome, syncId: string, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: (request.observe
      ? 'stateward.source.revision.observed'
      : 'stateward.source.revision.applied') satisfies EventName,
    occurred_at: now,
    env_id: 'default',
    actor: request.actor,
    correlation_id: request.correlationId,
    resource: { type: 'Sync', id: syncId },
    data: {
      source: request.source,
      revision: request.revision.commit,
      from: request.plan.fromRevision,
      outcome,
      counts: request.plan.counts as unknown as JsonObject,
      issues: request.issues.length,
    },
  }
}

function movedObject(key: ObjectKey, world: World, desired: DesiredState): WorldObject {
  const { resource, oid } = desired.get(key)!
  const before = world.get(key)!
  const { file, document, generation = before.generation } = resource.origin
  return { ...before, file, document, oid, generation }
}

function syncRow(
  request: AcceptRequest,
  outcome: SyncOutcome,
  id: string,
  seq: number,
  now: Date,
  store: Store,
): SyncRow {
  return {
    id,
    source: request.source,
    seq,
    from_revision: request.plan.fromRevision,
    to_revision: request.revision.commit,
    outcome,
    counts: request.plan.counts,
    changes: request.plan.changes.slice(0, MAX_CHANGES_KEPT),
    issues: request.issues.slice(0, MAX_CHANGES_KEPT),
    ignored: request.plan.ignored,
    digest: request.plan.digest,
    actor: request.actor,
    occurred_at: now,
    duration_ms: Math.round(store.clock.monotonicMs() - request.startedMs),
  }
}
