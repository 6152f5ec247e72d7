import { redactor } from '../agents/redaction.ts'
import { MAX_CHILDREN, MAX_DEPTH, spawnProblems } from '../agents/spawn-rules.ts'
import { failed } from '../agents/task-outcome.ts'
import { createTask } from '../agents/task-verbs.ts'
import { settleTask, type TaskChange } from '../agents/tasks.ts'
import type { Caller } from '../api/caller.ts'
import type { SpawnRequest, SpawnVerbs } from '../api/ports/spawning.ts'
import { lacksMoney, spawnedAccount } from '../budgets/reserve.ts'
import type { EventName } from '../events/catalogue.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { recordName, uuidv7 } from '../lib/ids.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { formatUsd } from '../lib/usd.ts'
import { resourceOf, rowOfWorldObject, SPAWNED, type World, type WorldObject } from '../reconcile/world.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { deleteAccount, insertAccount, shareBudgets, turnBook } from '../store/queries/budgets.ts'
import { markDeleting, upsertObjects } from '../store/queries/objects.ts'
import {
  endSpawnedAgent,
  insertSpawnedAgent,
  pageSpawnedAgents,
  type SpawnedAgentRow,
  spawnedAgent,
} from '../store/queries/spawned-agents.ts'
import { BULK_ROWS } from '../store/queries/tasks.ts'
import { openTasksOfAgent } from '../store/queries/tasks-read.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { effectiveDigestOf } from './effective-digest.ts'
import { hostWithRoom } from './host-room.ts'

export interface SpawnDeps {
  /** How many spawned agents may live in a namespace at once; null = any number. */
  readonly quota: (namespace: string) => number | null
  readonly store: Store
  readonly world: World
  readonly enqueue: (key: ObjectKey) => void
  readonly taskQueued: (namespace: string, agent: string) => void
  readonly nudgeRun: (runId: string) => void
}

/**
 * Spawns agents: objects like those that are declared, of a source of their own, so that supervision, tasks and readers treat
 * them alike and no commit removes them. One at a time, so that room that was counted is still there.
 */
export function spawnVerbs(deps: SpawnDeps): SpawnVerbs {
  let last: Promise<unknown> = Promise.resolve()
  return {
    spawn(request, self, caller) {
      const next = last.then(() => spawn(deps, request, self, caller))
      last = next.catch(() => {})
      return next
    },
    async end(uid, self, caller) {
      const row = await spawnedAgent(deps.store.engine, uid)
      if (row === null)
        throw fail('SW_NOT_FOUND', `agent ${uid} was not spawned`, {
          remedy: 'a declared agent goes by a commit: DELETE /api/v1/agents/{agent} proposes it',
        })
      if (self !== null && (row.namespace !== self.split('/')[0] || row.parent !== self.split('/')[1]))
        throw fail('SW_FORBIDDEN', `agent ${row.name} is not yours`)
      return endSpawned(deps, row, 'ended', caller)
    },
  }
}

async function spawn(
  deps: SpawnDeps,
  request: SpawnRequest,
  self: string | null,
  caller: Caller,
): Promise<SpawnedAgentRow> {
  const { store, world } = deps
  const { namespace } = request
  const now = store.clock.now()
  const deadline = request.deadline === null ? null : new Date(request.deadline)
  const problems = spawnProblems({ ...request, deadline }, now)
  if (problems.length > 0)
    throw fail('SW_VALIDATION_FAILED', problems.map(({ message }) => message).join('; '), {
      details: {
        violations: problems.map(({ path, message }) => ({ path: `body/${path}`, message, keyword: 'required' })),
      },
    })
  if (self !== null && (request.lifetime !== 'ephemeral' || self !== `${namespace}/${request.parent}`))
    throw fail('SW_FORBIDDEN', 'an agent spawns ephemeral agents of its own only: lifetime ephemeral, parent itself')
  await assertLineage(deps, request)
  await assertQuota(deps, namespace)
  const object = objectOf(world, request, now)
  const room = await hostWithRoom(deps, world.effective(object), request.host)
  const row: Omit<SpawnedAgentRow, 'ended_at' | 'end_reason' | 'task_id'> = {
    uid: object.uid,
    namespace,
    name: object.name,
    of_kind: request.of.kind,
    of_name: request.of.name,
    owner: caller.actor,
    parent: request.parent,
    lifetime: request.lifetime,
    host: room.host,
    reason: request.reason,
    budget_nano_usd: request.budgetNanoUsd,
    deadline,
    created_at: now,
  }
  const made = await transact(store, async (tx) => {
    if (row.budget_nano_usd !== null) {
      await shareBudgets(tx)
      await turnBook(tx)
    }
    await assertMoney(tx, request, now)
    if (row.budget_nano_usd !== null)
      await insertAccount(tx, spawnedAccount({ ...object, max: BigInt(row.budget_nano_usd) }))
    const task =
      request.task === null
        ? null
        : await createTask(
            tx,
            { store, hasAgent: () => true },
            {
              ...request.task,
              namespace,
              agent: object.name,
              deadline,
              parentTaskId: null,
              maxAttempts: 3,
              retryDelayMs: 0,
              keepWorkspace: false,
              expectedRows: request.task.expectedRows,
            },
            { ...caller, instanceId: null },
          ).then((changed) => changed.task)
    const spawned = { ...row, task_id: task?.task_id ?? null }
    await insertSpawnedAgent(tx, spawned)
    const data = { namespace, name: object.name, revision: object.lastAppliedRevision, digest: object.effectiveDigest }
    const { firstSeq } = await appendEvents(tx, store, [
      event('stateward.object.created', object, caller, now, data),
      event('stateward.agent.spawned', object, caller, now, {
        ...termsOf(spawned),
        task_id: spawned.task_id,
        budget_usd: row.budget_nano_usd === null ? null : formatUsd(row.budget_nano_usd),
        deadline: deadline?.toISOString() ?? null,
        reason: row.reason,
      }),
    ])
    const placed = { ...object, resourceVersion: firstSeq, specResourceVersion: firstSeq }
    await upsertObjects(tx, [rowOfWorldObject(placed)])
    return { placed, spawned }
  })
  world.put(made.placed)
  deps.enqueue(keyOf(made.placed))
  if (request.task !== null) deps.taskQueued(namespace, object.name)
  return { ...made.spawned, ended_at: null, end_reason: null }
}

/** How a task failed whose agent was ended for that reason. */
const CODE_OF: Readonly<Record<string, string>> = { budget_exceeded: 'budget_exceeded', deadline: 'deadline_exceeded' }

/** Ends a spawned agent: its open tasks have failed, and its object goes as one that was removed from Git does. */
export async function endSpawned(
  deps: SpawnDeps,
  row: SpawnedAgentRow,
  reason: string,
  caller: Caller,
): Promise<SpawnedAgentRow> {
  const { store, world } = deps
  const key = keyOf({ kind: 'Agent', namespace: row.namespace, name: row.name })
  const object = world.get(key)
  const now = store.clock.now()
  let settled: TaskChange[] = []
  const deleting = await transact(store, async (tx) => {
    settled = []
    if (!(await endSpawnedAgent(tx, row.uid, now, reason))) return null
    await deleteAccount(tx, `Spawned/${row.uid}`)
    if (object === undefined || object.uid !== row.uid) return null
    for (const task of await openTasksOfAgent(tx, row)) {
      const outcome = failed(CODE_OF[reason] ?? 'agent_ended', `agent ${row.name} has ended: ${reason}`, redactor([]))
      settled.push(await settleTask(tx, store, task, outcome, 'controller'))
    }
    const data = { namespace: row.namespace, name: row.name, revision: object.lastAppliedRevision, digest: null }
    const { firstSeq } = await appendEvents(tx, store, [
      event('stateward.object.deleting', object, caller, now, data),
      event('stateward.agent.despawned', object, caller, now, { ...termsOf(row), reason }),
      ...settled.flatMap(({ events }) => events),
    ])
    await markDeleting(tx, [{ uid: row.uid, resource_version: firstSeq }], now)
    return { ...world.get(key)!, deleting: true, deletionTimestamp: now, resourceVersion: firstSeq }
  })
  if (deleting !== null) {
    world.put(deleting)
    deps.enqueue(key)
    for (const { run } of settled) if (run !== null) deps.nudgeRun(run)
  }
  return (await spawnedAgent(store.engine, row.uid))!
}

/** A child has what is left of its parent: where nothing is left, there is no child. */
async function assertMoney(tx: Tx, { namespace, parent }: SpawnRequest, now: Date): Promise<void> {
  const lacking = parent === null ? null : await lacksMoney(tx, { namespace, agent: parent }, now)
  if (lacking === null) return
  throw fail('SW_OVER_BUDGET', `agent ${parent} has nothing left for another one: ${lacking}`, {
    remedy: 'raise maxUsd of the budget by a commit, or wait for its next window',
  })
}

async function assertQuota({ store, quota }: SpawnDeps, namespace: string): Promise<void> {
  const most = quota(namespace)
  if (most === null) return
  const page = { namespace, parent: null, live: true, after: null, limit: most }
  if ((await pageSpawnedAgents(store.engine, page)).length < most) return
  throw fail(
    'SW_QUOTA_EXCEEDED',
    `${most} spawned agents live in namespace ${namespace}: quota.spawnedAgents of its Environment`,
    {
      remedy: 'wait until one ends, or raise quota.spawnedAgents of the Environment',
    },
  )
}

/** The parent is there, has not too many children, and does not stand too deep below a declared agent. */
async function assertLineage({ store, world }: SpawnDeps, { namespace, parent }: SpawnRequest): Promise<void> {
  if (parent === null) return
  let ancestor = world.get(`Agent/${namespace}/${parent}`)
  if (ancestor === undefined || ancestor.deleting)
    throw fail('SW_NOT_FOUND', `there is no agent ${parent} in namespace ${namespace} to be its parent`)
  let depth = 1
  while (ancestor?.source === SPAWNED && depth <= MAX_DEPTH) {
    depth++
    const above: string | undefined = (ancestor.spec['parentRef'] as { readonly name?: string } | undefined)?.name
    ancestor = above === undefined ? undefined : world.get(`Agent/${namespace}/${above}`)
  }
  if (depth > MAX_DEPTH)
    throw fail('SW_FORBIDDEN', `agent ${parent} stands ${MAX_DEPTH} spawned agents deep: it may not have more below it`)
  const children = await pageSpawnedAgents(store.engine, {
    ...{ namespace, parent, live: true, after: null },
    limit: MAX_CHILDREN,
  })
  if (children.length >= MAX_CHILDREN)
    throw fail('SW_HOST_FULL', `agent ${parent} has ${MAX_CHILDREN} spawned agents`, { remedy: 'wait until one ends' })
}

/** What is declared gives everything: a spawner chooses what it is an instance of, never what that does. */
function objectOf(world: World, request: SpawnRequest, now: Date): WorldObject {
  const { namespace, parent, lifetime, of } = request
  const declared = world.get(`${of.kind}/${namespace}/${of.name}`)
  if (declared === undefined || declared.deleting || declared.source === SPAWNED)
    throw fail('SW_NOT_FOUND', `no ${of.kind} ${of.name} is declared in namespace ${namespace}`)
  const { agentId: _, ...own } = declared.spec
  const spec = {
    ...(of.kind === 'Agent' ? own : { templateRef: { name: of.name } }),
    ...(parent === null ? {} : { parentRef: { name: parent } }),
    ...constraintsOf(world, request, own['constraints']),
    ...(isBulkTask(request) ? { dataAccess: 'bulk' } : {}),
    replicas: 1,
  } as JsonObject
  const object: WorldObject = {
    uid: uuidv7(now.getTime()),
    kind: 'Agent',
    namespace,
    name: recordName(of.name),
    source: SPAWNED,
    generation: 1,
    resourceVersion: 0,
    specResourceVersion: 0,
    labels: { ...declared.labels, 'stateward.dev/lifetime': lifetime },
    annotations: {},
    spec,
    specDigest: digestOf(spec),
    effectiveDigest: '',
    file: SPAWNED,
    document: 0,
    oid: '',
    lastAppliedRevision: declared.lastAppliedRevision,
    createdAt: now,
    deletionTimestamp: null,
    status: {},
    deleting: false,
  }
  return { ...object, effectiveDigest: effectiveDigestOf(world, resourceOf(object)) }
}

/** An agent for bulk work is placed where that is done. */
function isBulkTask({ task }: SpawnRequest): boolean {
  return (task?.expectedRows ?? 0) >= BULK_ROWS
}

/** What holds for who spawns holds for what it spawns: nobody is rid of his limits by a child. */
function constraintsOf(
  world: World,
  { namespace, parent }: SpawnRequest,
  own: unknown,
): { readonly constraints?: JsonObject } {
  const ancestor = parent === null ? undefined : world.get(`Agent/${namespace}/${parent}`)
  const held = ancestor === undefined ? undefined : world.effective(ancestor)['constraints']
  return isObject(held) ? { constraints: { ...(isObject(own) ? own : {}), ...held } as JsonObject } : {}
}

function termsOf(
  row: Pick<SpawnedAgentRow, 'namespace' | 'name' | 'of_kind' | 'of_name' | 'owner' | 'parent' | 'lifetime' | 'host'>,
) {
  const { namespace, name: agent, of_kind, of_name, owner, parent, lifetime, host } = row
  return { namespace, agent, of: `${of_kind}/${of_name}`, owner, parent, lifetime, host }
}

function event(
  name: EventName,
  object: WorldObject,
  { actor, correlationId }: Caller,
  at: Date,
  data: JsonObject,
): NewEvent {
  return {
    event_id: uuidv7(at.getTime()),
    event_name: name,
    occurred_at: at,
    env_id: object.namespace,
    actor,
    correlation_id: correlationId,
    resource: { type: 'Agent', id: object.uid },
    data,
  }
}
