import type { EventName, VerbOf } from '../../events/catalogue.ts'
import { keyOf } from '../../kinds/resource.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Change } from '../../plan/change-set.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import type { NewEvent } from '../../store/ports.ts'
import { markDeleting, upsertObjects } from '../../store/queries/objects.ts'
import type { Store } from '../../store/store.ts'
import { rowOfWorldObject, type World, type WorldObject } from '../world.ts'
import type { AcceptRequest } from './accept-request.ts'

/**
 * How many objects go to the server in one statement: what is held as text at once, and what the server works on while the
 * next ones are made.
 */
const CHUNK = 500

/**
 * Writes the changed objects and their events, in the order of the plan, with `closing` as the last events of all. Answers
 * with the objects as they are from the commit of the transaction on, and the number of the last event.
 */
export async function writeObjects(
  tx: Tx,
  store: Store,
  world: World,
  applied: readonly Change[],
  closing: readonly NewEvent[],
  request: AcceptRequest,
  now: Date,
): Promise<{ readonly objects: readonly WorldObject[]; readonly lastSeq: number }> {
  const objects: WorldObject[] = []
  let next: number | null = null
  let written: Promise<unknown> = Promise.resolve()
  for (let at = 0; at === 0 || at < applied.length; at += CHUNK) {
    const chunk = applied.slice(at, at + CHUNK)
    const uids = chunk.map(
      (change) => world.get(keyOf(change))?.uid ?? givenUid(change, request) ?? uuidv7(now.getTime()),
    )
    const events = chunk.map((change, i) => objectEvent(change, uids[i]!, request, now))
    if (at + CHUNK >= applied.length) events.push(...closing)
    const appended = appendEvents(tx, store, events)
    // From its first number on the log is ours to the end of the transaction: the numbers that follow are known.
    const first: number = next ?? (await appended).firstSeq
    next = first + events.length
    const made = chunk.map((change, i) => acceptedObject(change, uids[i]!, first + i, world, request, now))
    const writing = Promise.all([
      appended,
      upsertObjects(tx, made.filter((object) => !object.deleting).map(rowOfWorldObject)),
      markDeleting(tx, made.filter((object) => object.deleting).map(rowOfWorldObject), now),
    ])
    // Its failure counts when its turn comes.
    writing.catch(() => {})
    await written
    written = writing
    objects.push(...made)
  }
  await written
  return { objects, lastSeq: next! - 1 }
}

/** A source that knows its objects names new ones, too. */
function givenUid(change: Change, { desired }: AcceptRequest): string | undefined {
  return desired.get(keyOf(change))?.resource.origin.uid
}

const EVENT_OF: Readonly<Record<string, VerbOf<'stateward.object'>>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleting',
}

function objectEvent(change: Change, uid: string, request: AcceptRequest, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.object.${EVENT_OF[change.action]!}` satisfies EventName,
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

/** What an object is once the plan is accepted. */
function acceptedObject(
  change: Change,
  uid: string,
  version: number,
  world: World,
  request: AcceptRequest,
  now: Date,
): WorldObject {
  const key = keyOf(change)
  const before = world.get(key)
  if (change.action === 'delete')
    return { ...before!, deleting: true, deletionTimestamp: now, resourceVersion: version }
  const { resource, oid } = request.desired.get(key)!
  const specChanged = before === undefined || before.specDigest !== resource.specDigest
  return {
    uid,
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    source: request.source,
    generation: resource.origin.generation ?? (before === undefined ? 1 : before.generation + (specChanged ? 1 : 0)),
    resourceVersion: version,
    specResourceVersion: specChanged ? version : before.specResourceVersion,
    labels: resource.labels,
    annotations: resource.annotations,
    spec: resource.spec,
    specDigest: resource.specDigest,
    effectiveDigest: request.plan.effective.get(key)!.digest,
    file: resource.origin.file,
    document: resource.origin.document,
    oid,
    lastAppliedRevision: request.revision.commit,
    createdAt: before?.createdAt ?? now,
    deletionTimestamp: null,
    deleting: false,
    status: before?.status ?? {},
  }
}
