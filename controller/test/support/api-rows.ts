import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { appendEvents } from '../../src/store/log.ts'
import type { NewEvent } from '../../src/store/ports.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')

export interface ObjectSeed {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly spec?: JsonObject
  readonly status?: JsonObject
}

/** Writes events as any part of Stateward would; returns the number of the last one. */
export async function emit(
  store: Store,
  ...events: (Partial<NewEvent> & { readonly event_name: string })[]
): Promise<number> {
  const complete = events.map((event) => ({
    event_id: uuidv7(),
    occurred_at: NOW,
    env_id: 'default',
    actor: 'system',
    correlation_id: 'test',
    data: {},
    ...event,
  }))
  return transact(store, async (tx) => (await appendEvents(tx, store, complete)).lastSeq)
}

/** An accepted object with its event; returns its uid. */
export async function createObject(store: Store, seed: ObjectSeed): Promise<string> {
  const uid = uuidv7()
  const namespace = seed.namespace ?? 'default'
  await transact(store, async (tx) => {
    const { lastSeq } = await appendEvents(tx, store, [
      objectEvent('created', seed, uid, { namespace, name: seed.name }),
    ])
    await tx`
      INSERT INTO objects (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels,
        annotations, spec, spec_digest, effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, status, created_at)
      VALUES (${uid}, ${seed.kind}, ${namespace}, ${seed.name}, 'main', 1, ${lastSeq}, ${lastSeq}, ${tx.json(seed.labels ?? {})},
        ${tx.json(seed.annotations ?? {})}, ${tx.json(seed.spec ?? {})}, 'd', 'e', 'f.yaml', 0, 'oid', 'c0ffee', ${tx.json(seed.status ?? {})}, ${NOW})`
  })
  return uid
}

/** Many agents at once, named `<prefix>-00000` and on. */
export async function createAgents(store: Store, prefix: string, count: number): Promise<void> {
  const seeds = Array.from({ length: count }, (_, n) => ({
    uid: uuidv7(),
    seed: { kind: 'Agent', name: `${prefix}-${String(n).padStart(5, '0')}` },
  }))
  for (let at = 0; at < count; at += 1_000)
    await transact(store, async (tx) => {
      const part = seeds.slice(at, at + 1_000)
      const { lastSeq } = await appendEvents(
        tx,
        store,
        part.map(({ seed, uid }) => objectEvent('created', seed, uid, { namespace: 'default', name: seed.name })),
      )
      await tx`
        INSERT INTO objects (uid, kind, namespace, name, source, generation, resource_version, spec_resource_version, labels,
          annotations, spec, spec_digest, effective_digest, origin_file, origin_document, origin_oid, last_applied_revision, status, created_at)
        SELECT uid, 'Agent', 'default', name, 'main', 1, ${lastSeq - part.length}::bigint + n, ${lastSeq - part.length}::bigint + n, '{}', '{}',
          '{"replicas": 0, "runtime": {"process": {"command": ["true"]}}}', 'd', 'e', 'f.yaml', 0, 'oid', 'c0ffee', '{"phase": "Stopped"}', ${NOW}
        FROM unnest(${part.map(({ uid }) => uid)}::uuid[], ${part.map(({ seed }) => seed.name)}::text[])
          WITH ORDINALITY AS r (uid, name, n)`
    })
}

export async function updateObject(store: Store, seed: ObjectSeed, uid: string): Promise<void> {
  await transact(store, async (tx) => {
    const { lastSeq } = await appendEvents(tx, store, [
      objectEvent('updated', seed, uid, { namespace: seed.namespace ?? 'default', name: seed.name }),
    ])
    await tx`
      UPDATE objects SET resource_version = ${lastSeq}, labels = ${tx.json(seed.labels ?? {})}, spec = ${tx.json(seed.spec ?? {})},
        status = ${tx.json(seed.status ?? {})} WHERE uid = ${uid}`
  })
}

export async function deleteObject(store: Store, seed: ObjectSeed, uid: string): Promise<void> {
  const namespace = seed.namespace ?? 'default'
  await transact(store, async (tx) => {
    const last = {
      namespace,
      name: seed.name,
      generation: 1,
      labels: seed.labels ?? {},
      annotations: {},
      spec: seed.spec ?? {},
    }
    await appendEvents(tx, store, [objectEvent('deleted', seed, uid, last)])
    await tx`DELETE FROM objects WHERE uid = ${uid}`
  })
}

function objectEvent(verb: string, seed: ObjectSeed, uid: string, data: JsonObject): NewEvent {
  return {
    event_id: uuidv7(),
    event_name: `stateward.object.${verb}`,
    occurred_at: NOW,
    env_id: 'default',
    actor: 'system',
    correlation_id: 'test',
    resource: { type: seed.kind, id: uid },
    data,
  }
}

export interface RunSeed {
  readonly name: string
  readonly namespace?: string
  readonly status?: string
  readonly createdAt?: Date
  readonly condition?: JsonObject
}

/** A run of blueprint `fix` (analyze → approve → report) with its event; returns its id. */
export async function createRun(store: Store, seed: RunSeed): Promise<string> {
  const runId = uuidv7()
  const step = (id: string, kind: string, waitsFor: string[]) => ({
    id,
    name: id,
    kind,
    waitsFor,
    if: null,
    timeoutMs: null,
    place: null,
  })
  const plan = {
    format: 1,
    steps: [
      { ...step('analyze', 'agent_task', []), agent: 'sre' },
      { ...step('approve', 'gate', ['analyze']), mode: 'manual', approvers: [] },
      { ...step('report', 'transform', ['approve']), expression: 'steps.analyze.output' },
    ],
  }
  await transact(store, async (tx) => {
    await tx`INSERT INTO compiled_plans (digest, plan, created_at) VALUES ('plan', ${tx.json(plan)}, ${NOW}) ON CONFLICT DO NOTHING`
    await tx`
      INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, trigger, inputs, condition, actor, correlation_id, created_at)
      VALUES (${runId}, ${seed.namespace ?? 'default'}, ${seed.name}, ${uuidv7()}, 'fix', 'c0ffee', 'plan', ${seed.status ?? 'running'}, 'manual', '{}',
        ${seed.condition === undefined ? null : tx.json(seed.condition)}, 'user:ada', 'c', ${seed.createdAt ?? NOW})`
    const event = {
      event_id: uuidv7(),
      event_name: 'stateward.run.created',
      occurred_at: NOW,
      env_id: 'default',
      actor: 'user:ada',
      correlation_id: 'c',
      run_id: runId,
      data: {},
    }
    await appendEvents(tx, store, [event])
  })
  return runId
}

/** The gate `approve` of a run, waiting; returns its step id. */
export async function openGate(store: Store, runId: string): Promise<string> {
  const stepId = uuidv7()
  await transact(store, async (tx) => {
    await tx`
      INSERT INTO steps (run_id, path, attempt, step_id, kind, status, started_at)
      VALUES (${runId}, 'analyze', 1, ${uuidv7()}, 'agent_task', 'completed', ${NOW}), (${runId}, 'approve', 1, ${stepId}, 'gate', 'running', ${NOW})`
    await tx`
      INSERT INTO gates (step_id, run_id, path, mode, approvers, min_approvals, state, created_at)
      VALUES (${stepId}, ${runId}, 'approve', 'manual', '{}', 1, 'waiting', ${NOW})`
  })
  return stepId
}

/** The end of a run, with its event. */
export async function endRun(
  store: Store,
  runId: string,
  status: 'completed' | 'failed' | 'cancelled',
  end: { readonly error?: JsonObject; readonly outputs?: JsonObject } = {},
): Promise<void> {
  await transact(store, async (tx) => {
    await tx`
      UPDATE runs SET status = ${status}, condition = NULL, started_at = ${NOW}, completed_at = ${new Date(NOW.getTime() + 2500)},
        error = ${end.error === undefined ? null : tx.json(end.error)}, outputs = ${end.outputs === undefined ? null : tx.json(end.outputs)}
      WHERE run_id = ${runId}`
    const event = {
      event_id: uuidv7(),
      event_name: `stateward.run.${status}`,
      occurred_at: NOW,
      env_id: 'default',
      actor: 'user:ada',
      correlation_id: 'c',
      run_id: runId,
      data: { run: 'x', duration_ms: 2500, deadline: null, ...end },
    }
    await appendEvents(tx, store, [event])
  })
}
