import { keyOf, type ObjectKey } from '../../kinds/resource.ts'
import { SCHEMA_VERSION } from '../../kinds/validate.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Issue } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Change } from '../../plan/change-set.ts'
import type { DesiredState } from '../../plan/desired-state.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Revision } from '../../source/ports.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { markDeleting, moveObjects, type ObjectRow, upsertObjects } from '../../store/queries/objects.ts'
import {
  insertSync,
  type SourceFileRow,
  type SyncOutcome,
  type SyncRow,
  saveSourceFiles,
  saveSourceHead,
} from '../../store/queries/sources.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { type World, worldObjectOf } from '../world.ts'

export interface AcceptRequest {
  readonly source: string
  readonly revision: Revision
  readonly plan: Plan
  /** With line and column. */
  readonly issues: readonly Issue[]
  readonly desired: DesiredState
  /** Files that were read again for this revision. */
  readonly paths: readonly string[]
  /** Plans only, changes nothing. */
  readonly observe: boolean
  /** Monotonic milliseconds when the work began. */
  readonly startedMs: number
  readonly actor: string
  readonly correlationId: string
}

export interface Accepted {
  readonly sync: SyncRow
  /** Objects that were created, updated or marked for deletion. */
  readonly changed: readonly ObjectKey[]
}

const MAX_CHANGES_KEPT = 1_000

/**
 * Makes a plan the accepted state, in one transaction: changed objects, the inventory (rows marked for deletion), where
 * the source stands, one line of history and their events. Then, and only then, the world follows. Effects come later,
 * from the queue.
 */
export async function accept(store: Store, world: World, request: AcceptRequest): Promise<Accepted> {
  const now = store.clock.now()
  const applied = request.observe
    ? []
    : request.plan.changes.filter((change) => ['create', 'update', 'delete'].includes(change.action))
  const outcome = outcomeOf(request)
  const syncId = uuidv7(now.getTime())
  const uids = new Map(applied.map((change) => [keyOf(change), world.get(keyOf(change))?.uid ?? uuidv7(now.getTime())]))
  const events = [
    ...applied.map((change) => objectEvent(change, uids.get(keyOf(change))!, request, now)),
    revisionEvent(request, outcome, syncId, now),
  ]
  const moved = request.observe ? [] : request.plan.moved
  const { rows, sync } = await transact(store, async (tx) => {
    const position = await appendEvents(tx, store, events)
    const versions = new Map(applied.map((change, i) => [keyOf(change), position.firstSeq + i]))
    const upserts = applied
      .filter((change) => change.action !== 'delete')
      .map((change) => objectRow(change, uids.get(keyOf(change))!, versions.get(keyOf(change))!, world, request, now))
    await upsertObjects(tx, upserts)
    const deletions = applied
      .filter((change) => change.action === 'delete')
      .map((change) => ({ uid: uids.get(keyOf(change))!, resource_version: versions.get(keyOf(change))! }))
    await markDeleting(tx, deletions, now)
    await moveObjects(
      tx,
      moved.map((key) => originRow(key, world, request.desired)),
    )
    if (!request.observe)
      await saveSourceFiles(
        tx,
        request.source,
        [...new Set([...request.paths, ...stalePaths(request)])],
        fileRows(request),
      )
    await saveSourceHead(tx, {
      source: request.source,
      attempted_revision: request.revision.commit,
      applied_revision: request.observe ? request.plan.fromRevision : request.revision.commit,
      applied_tree: request.observe ? null : request.revision.tree,
      schema_version: SCHEMA_VERSION,
      applied_at: now,
    })
    const row = syncRow(request, outcome, syncId, position.lastSeq, now, store)
    await insertSync(tx, row)
    return { rows: { upserts, versions }, sync: row }
  })
  follow(world, applied, rows.upserts, rows.versions, moved, request.desired, now)
  return { sync, changed: applied.map(keyOf) }
}

function outcomeOf(request: AcceptRequest): SyncOutcome {
  if (request.observe) return 'observed'
  const bad = request.plan.counts.blocked > 0 || request.issues.some((issue) => issue.severity === 'error')
  return bad ? 'partial' : 'applied'
}

const EVENT_OF: Readonly<Record<string, string>> = { create: 'created', update: 'updated', delete: 'deleting' }

function objectEvent(change: Change, uid: string, request: AcceptRequest, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.object.${EVENT_OF[change.action]}`,
    occurred_at: now,
    env_id: change.namespace === '' ? 'default' : change.namespace,
    actor: request.actor,
    correlation_id: request.correlationId,
    resource: { type: change.kind, id: uid },
    data: {
      namespace: change.namespace,
      name: change.name,
      revision: request.revision.commit,
      digest: change.toDigest,
    },
  }
}

function revisionEvent(request: AcceptRequest, outcome: SyncOutcome, syncId: string, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: request.observe ? 'stateward.source.revision.observed' : 'stateward.source.revision.applied',
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

function objectRow(
  change: Change,
  uid: string,
  version: number,
  world: World,
  request: AcceptRequest,
  now: Date,
): ObjectRow {
  const key = keyOf(change)
  const { resource, oid } = request.desired.get(key)!
  const before = world.get(key)
  const specChanged = before === undefined || before.specDigest !== resource.specDigest
  return {
    uid,
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    source: request.source,
    generation: before === undefined ? 1 : before.generation + (specChanged ? 1 : 0),
    resource_version: version,
    spec_resource_version: specChanged ? version : before.specResourceVersion,
    labels: resource.labels,
    annotations: resource.annotations,
    spec: resource.spec,
    spec_digest: resource.specDigest,
    effective_digest: request.plan.effective.get(key)!.digest,
    origin_file: resource.origin.file,
    origin_document: resource.origin.document,
    origin_oid: oid,
    last_applied_revision: request.revision.commit,
    status: before?.status ?? {},
    created_at: before?.createdAt ?? now,
    deletion_timestamp: null,
  }
}

function originRow(key: ObjectKey, world: World, desired: DesiredState) {
  const { resource, oid } = desired.get(key)!
  return {
    uid: world.get(key)!.uid,
    origin_file: resource.origin.file,
    origin_document: resource.origin.document,
    origin_oid: oid,
  }
}

/** Files of objects that wait: at the next start they have to be read again, since the database holds another revision of them. */
function stalePaths(request: AcceptRequest): string[] {
  return request.plan.changes
    .filter((change) => (change.action === 'blocked' || change.action === 'skip') && change.file !== undefined)
    .map((change) => change.file!)
}

function fileRows(request: AcceptRequest): SourceFileRow[] {
  const stale = new Set(stalePaths(request))
  const rows: SourceFileRow[] = []
  for (const path of new Set([...request.paths, ...stale])) {
    const file = request.desired.file(path)
    if (file === undefined) continue
    const broken = file.issues.length > 0 || file.unidentified || file.identified.length > 0 || stale.has(path)
    const foreignOnly = !broken && file.resources.length === 0
    if (broken || foreignOnly || file.ignored > 0)
      rows.push({ path, oid: file.oid, ignored: file.ignored, foreign_only: foreignOnly })
  }
  return rows
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

/** The world after the commit of the transaction. */
function follow(
  world: World,
  applied: readonly Change[],
  upserts: readonly ObjectRow[],
  versions: ReadonlyMap<ObjectKey, number>,
  moved: readonly ObjectKey[],
  desired: DesiredState,
  now: Date,
): void {
  for (const row of upserts) world.put(worldObjectOf(row))
  for (const change of applied) {
    if (change.action !== 'delete') continue
    const key = keyOf(change)
    world.put({ ...world.get(key)!, deleting: true, deletionTimestamp: now, resourceVersion: versions.get(key)! })
  }
  for (const key of moved) {
    const { resource, oid } = desired.get(key)!
    world.put({ ...world.get(key)!, file: resource.origin.file, document: resource.origin.document, oid })
  }
}
