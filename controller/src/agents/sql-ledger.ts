import { bootId, type ProcessIdentity } from '../lib/process-identity.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import { isFrozen } from '../store/queries/freezes.ts'
import {
  endedBefore,
  endInstance,
  type InstanceRow,
  insertInstance,
  instanceById,
  lastEndings,
  liveInstancesOfAgent,
  liveInstancesOfHost,
  lostInstances,
  type NewInstance,
  setProcess,
  setStopping,
  usedSlots,
} from '../store/queries/instances.ts'
import {
  agentsWithQueuedTasks,
  hasOpenTasks,
  leasedTasks,
  leaseToCommand,
  nextQueuedTask,
} from '../store/queries/tasks.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { type EndReason, whyLost } from './end-reasons.ts'
import { instanceEvent, taskEvent } from './events.ts'
import type { Claim, CommandEnd, DaemonEnd, Ledger } from './ledger.ts'
import { allowance, type Constraints } from './task-allowance.ts'
import { appendChanges, giveBack, settleTask, type TaskChange } from './tasks.ts'

export interface SqlLedgerDeps {
  readonly store: Store
  /** Whose processes these are: rows of another host are not touched. */
  readonly host: string
  /** Names the boot of the host's machine: null = this one. */
  readonly bootId?: string
  readonly maxAttempts: number
  /** What an agent may be given at this moment. */
  readonly constraintsOf: (agentUid: string) => Constraints | undefined
  /** Whether the host may have bulk work. */
  readonly takesBulk: (host: string) => Promise<boolean>
  /** Runs first in every transaction that writes, and throws when the host may not write any more. */
  readonly guard?: (tx: Tx) => Promise<void>
  /** Whether a replica may be started on this host at all; asked within the transaction that takes its place. */
  readonly mayPlace?: (tx: Tx, row: NewInstance) => Promise<boolean>
  /** Tells runs and queues what a committed transaction changed. */
  readonly announce: (changes: readonly TaskChange[]) => void
  /** Something about an agent changed; called after the commit. */
  readonly changed: (agent: { readonly namespace: string; readonly agent: string }) => void
}

/** The ledger of a host, next to the database. */
export function sqlLedger(deps: SqlLedgerDeps): Ledger {
  const { store } = deps
  const { engine } = store
  return {
    canStart: () => store.writer.canStartEffects(),
    async look(agentUid, replicas) {
      const [live, endings] = await Promise.all([
        liveInstancesOfAgent(engine, agentUid),
        lastEndings(engine, agentUid, replicas),
      ])
      const ids = live.map(({ id }) => id)
      return { live, endings, tasks: await leasedTasks(engine, ids) }
    },
    living: () => liveInstancesOfHost(engine, deps.host),
    lost: (boot) => lostInstances(engine, boot),
    usedSlots: () => usedSlots(engine, deps.host),
    tasksOf: (ids) => leasedTasks(engine, ids),
    async queue(ids) {
      const open = await hasOpenTasks(engine)
      if (!open && ids.length === 0) return { open, holding: [], queued: [] }
      const [held, queued] = await Promise.all([leasedTasks(engine, ids), agentsWithQueuedTasks(engine)])
      return { open, holding: held.map(({ instance_id }) => instance_id!), queued }
    },
    endedBefore: (ids, before) => endedBefore(engine, ids, before),
    insert: (row, capacity) => write(deps, (tx) => insert(tx, deps, row, capacity)),
    async claim(row, capacity) {
      const takesBulk = await deps.takesBulk(deps.host)
      return write(deps, (tx) => claim(tx, deps, row, capacity, takesBulk))
    },
    started: (id, identity) => started(deps, id, identity),
    adopted: (id, identity) => adopted(deps, id, identity),
    draining: (id, reason) => draining(deps, id, reason),
    notStarted: (id, message) => notStarted(deps, id, message),
    ended: (id, end) => ended(deps, id, end),
    commandEnded: (id, end) => commandEnded(deps, id, end),
  }
}

function write<T>(deps: SqlLedgerDeps, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(deps.store, async (tx) => {
    await deps.guard?.(tx)
    return work(tx)
  })
}

async function insert(tx: Tx, deps: SqlLedgerDeps, row: NewInstance, capacity: number) {
  // Another machine may not have heard of it yet.
  if (await isFrozen(tx)) return 'taken'
  if (deps.mayPlace !== undefined && !(await deps.mayPlace(tx, row))) return 'taken'
  return insertInstance(tx, row, capacity)
}

async function claim(
  tx: Tx,
  deps: SqlLedgerDeps,
  row: NewInstance,
  capacity: number,
  takesBulk: boolean,
): Promise<Claim> {
  const agent = { namespace: row.namespace, name: row.agent }
  const now = deps.store.clock.now()
  if (await isFrozen(tx)) return { type: 'none' }
  if ((await allowance(tx, agent, deps.constraintsOf(row.agentUid), 1, now)) === 0) return { type: 'none' }
  const task = await nextQueuedTask(tx, agent, now, takesBulk)
  if (task === null) return { type: 'none' }
  const inserted = await insert(tx, deps, row, capacity)
  if (inserted !== 'inserted') return { type: inserted }
  await leaseToCommand(tx, task.task_id, row.id, now)
  const leased = { ...task, status: 'leased' as const, instance_id: row.id, leased_at: now }
  await appendEvents(tx, deps.store, [taskEvent('leased', leased, now, {})])
  return { type: 'claimed', task: leased }
}

/** A row of this host; null when there is none. */
async function rowOf(tx: Tx, deps: SqlLedgerDeps, id: string): Promise<InstanceRow | null> {
  const row = await instanceById(tx, id)
  return row?.host === deps.host ? row : null
}

/** Commands come and go with tasks, which have events of their own. */
async function started(deps: SqlLedgerDeps, id: string, identity: ProcessIdentity): Promise<void> {
  const { store } = deps
  const row = await write(deps, async (tx) => {
    const row = await rowOf(tx, deps, id)
    if (row === null || !(await setProcess(tx, id, { ...identity, bootId: deps.bootId ?? bootId() }))) return null
    if (row.mode === 'perTask') return null
    const data = { ordinal: row.ordinal, host: row.host, pid: identity.pid, restart_count: row.restart_count }
    await appendEvents(tx, store, [instanceEvent('started', subjectOf(row), store.clock.now(), data)])
    return row
  })
  if (row !== null) deps.changed(row)
}

async function adopted(deps: SqlLedgerDeps, id: string, identity: ProcessIdentity): Promise<void> {
  const { store } = deps
  await write(deps, async (tx) => {
    const row = await rowOf(tx, deps, id)
    if (row === null || !(await setProcess(tx, id, { ...identity, bootId: deps.bootId ?? bootId() }))) return
    if (row.mode === 'perTask') return
    const data = { ordinal: row.ordinal, host: row.host, pid: identity.pid }
    await appendEvents(tx, store, [instanceEvent('adopted', subjectOf(row), store.clock.now(), data)])
  })
}

async function draining(deps: SqlLedgerDeps, id: string, reason: string): Promise<void> {
  const { store } = deps
  await write(deps, async (tx) => {
    const row = await rowOf(tx, deps, id)
    if (row === null || !(await setStopping(tx, id)) || row.mode === 'perTask') return
    const data = { ordinal: row.ordinal, pid: row.pid, reason }
    await appendEvents(tx, store, [instanceEvent('draining', subjectOf(row), store.clock.now(), data)])
  })
}

async function notStarted(deps: SqlLedgerDeps, id: string, message: string): Promise<void> {
  const { store } = deps
  await write(deps, async (tx) => {
    const at = store.clock.now()
    const row = await rowOf(tx, deps, id)
    const reason: EndReason = 'not_started'
    if (row === null || !(await endInstance(tx, id, { endedAt: at, exitCode: null, reason }))) return
    const data = { ordinal: row.ordinal, host: row.host, reason, exit_code: null, message }
    await appendEvents(tx, store, [instanceEvent('ended', subjectOf(row), at, data)])
  })
}

/** Nothing but giving back its tasks happens when somebody recorded the end before. */
async function ended(deps: SqlLedgerDeps, id: string, { exitCode, reason, pid }: DaemonEnd) {
  const { store } = deps
  // Whoever forgets a process because its agent was deleted has not failed at its tasks.
  const attempts = reason === 'orphaned' ? null : deps.maxAttempts
  const { changes, row } = await write(deps, async (tx) => {
    const at = store.clock.now()
    const row = await rowOf(tx, deps, id)
    if (row === null) return { changes: [], row }
    const changes: TaskChange[] = []
    for (const task of await leasedTasks(tx, [id]))
      changes.push(await giveBack(tx, store, task, whyLost(reason), attempts))
    const first = await endInstance(tx, id, { endedAt: at, exitCode, reason })
    const data = { ordinal: row.ordinal, pid: pid ?? row.pid, exit_code: exitCode, reason }
    await appendChanges(tx, store, changes, first ? [instanceEvent('ended', subjectOf(row), at, data)] : [])
    return { changes, row }
  })
  deps.announce(changes)
  if (row !== null) deps.changed(row)
  return changes.flatMap(({ task }) => (task === null ? [] : [task]))
}

async function commandEnded(deps: SqlLedgerDeps, id: string, { attempt, verdict, ...end }: CommandEnd): Promise<void> {
  const { store } = deps
  const change = await write(deps, async (tx): Promise<TaskChange | null> => {
    const row = await rowOf(tx, deps, id)
    if (row === null) return null
    const [task] = await leasedTasks(tx, [id])
    const current = task !== undefined && task.task_id === attempt?.task_id && task.attempt === attempt.attempt
    let change: TaskChange | null = null
    if (current && verdict.type === 'settle') change = await settleTask(tx, store, task, verdict.outcome, 'agent')
    if (current && verdict.type === 'give-back') change = await giveBack(tx, store, task, verdict.why, deps.maxAttempts)
    await endInstance(tx, id, { endedAt: store.clock.now(), ...end })
    if (change !== null) await appendChanges(tx, store, [change])
    return change
  })
  if (change !== null) deps.announce([change])
}

function subjectOf(row: InstanceRow) {
  return { instanceId: row.id, namespace: row.namespace, agent: row.agent }
}
