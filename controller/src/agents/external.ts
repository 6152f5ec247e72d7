import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { newToken, uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import {
  type InstanceRow,
  insertInstance,
  instanceById,
  liveInstancesOfAgent,
  registerInstance,
  replaceToken,
  setStopping,
} from '../store/queries/instances.ts'
import { leasedTasks } from '../store/queries/tasks.ts'
import { transact } from '../store/transact.ts'
import { type AgentTarget, graceMsOf, heartbeatOf } from './agent-target.ts'
import type { EndReason } from './end-reasons.ts'
import { instanceEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { observedInstance } from './instance-views.ts'
import { type AgentObservation, summarize } from './observation.ts'
import { sqlLedger } from './sql-ledger.ts'
import { announce } from './tasks.ts'

/**
 * Agents that somebody else starts, anywhere. A process binds itself to a replica's place and gets the token of an instance;
 * from then on it speaks the daemon protocol. Nobody here can end it: when it falls silent or is not wanted any more, its
 * instance ends, so that its token is worth nothing and its tasks go to others.
 */

/** Rows of such instances stand on no host of ours. */
const HOST = 'external'

export interface Binding {
  readonly agentUid: string
  /** An instance that this process was before: it takes its place again, with a new token. */
  readonly instanceId: string | null
  /** Where it runs, as it says. */
  readonly host: string | null
}

export interface Bound {
  readonly instance: InstanceRow
  readonly token: string
  /** False when the process took its own place again. */
  readonly isNew: boolean
}

/** SW_CONFLICT: it is not external, all its places are taken, or the instance has ended. SW_NOT_READY: not reconciled yet. */
export async function bindExternal(fleet: Fleet, binding: Binding, actor: string): Promise<Bound> {
  const { store } = fleet.context
  const target = fleet.targets.get(binding.agentUid)
  if (target === undefined) throw fail('SW_NOT_READY', 'the agent is not reconciled yet')
  if (target.external !== true)
    throw fail(
      'SW_CONFLICT',
      `agent ${target.namespace}/${target.name} is started by its host: nobody else binds to it`,
      {
        remedy: 'declare it with runtime: {external: {}}',
      },
    )
  const token = newToken('a')
  const bound = await transact(store, async (tx) => {
    const at = store.clock.now()
    const before = binding.instanceId === null ? null : await instanceById(tx, binding.instanceId)
    if (before !== null) {
      if (before.agent_uid !== target.uid || before.ended_at !== null)
        throw fail('SW_CONFLICT', `instance ${before.id} has ended, or is another agent's`, {
          remedy: 'register without instance_id',
        })
      await replaceToken(tx, before.id, sha256(token))
      await registerInstance(tx, before.id, at)
      return { id: before.id, isNew: false }
    }
    const id = binding.instanceId ?? uuidv7(at.getTime())
    const ordinal = await takePlace(tx, target, { id, host: hostOf(binding), tokenSha256: sha256(token), at })
    await registerInstance(tx, id, at)
    const data = { ordinal, host: hostOf(binding), pid: null }
    const subject = { instanceId: id, namespace: target.namespace, agent: target.name }
    await appendEvents(tx, store, [instanceEvent('registered', subject, at, data, actor)])
    return { id, isNew: true }
  })
  fleet.changed({ namespace: target.namespace, agent: target.name })
  const instance = await instanceById(store.engine, bound.id)
  return { instance: instance!, token, isNew: bound.isNew }
}

function hostOf({ host }: Binding): string {
  return host === null ? HOST : `${HOST}/${host}`
}

async function takePlace(
  tx: Parameters<typeof insertInstance>[0],
  target: AgentTarget,
  own: { readonly id: string; readonly host: string; readonly tokenSha256: string; readonly at: Date },
): Promise<number> {
  for (let ordinal = 0; ordinal < target.spec.replicas; ordinal++) {
    const inserted = await insertInstance(
      tx,
      {
        id: own.id,
        agentUid: target.uid,
        namespace: target.namespace,
        agent: target.name,
        ordinal,
        host: own.host,
        mode: 'daemon',
        slots: target.spec.resources.slots,
        launchDigest: target.launchDigest,
        tokenSha256: own.tokenSha256,
        bootId: '',
        restartCount: 0,
        crashCount: 0,
        createdAt: own.at,
      },
      // It takes nothing of our hosts.
      Number.MAX_SAFE_INTEGER,
    )
    if (inserted === 'inserted') return ordinal
  }
  throw fail(
    'SW_CONFLICT',
    `all ${target.spec.replicas} places of agent ${target.namespace}/${target.name} are taken`,
    {
      remedy:
        'raise replicas, or wait until one that is gone falls silent; a process that starts again sends its instance_id',
    },
  )
}

/** The process says that it ends: its tasks go to others at once. */
export async function unbindExternal(fleet: Fleet, instance: InstanceRow): Promise<void> {
  if (fleet.targets.get(instance.agent_uid)?.external !== true)
    throw fail('SW_CONFLICT', 'this process is watched by its host: it just ends')
  await endOne(fleet, instance, 'exited')
}

/** Ends instances that fell silent or are not wanted any more, and says how the agent stands. */
export function ensureExternal(fleet: Fleet, target: AgentTarget): Promise<AgentObservation> {
  fleet.targets.set(target.uid, target)
  return fleet.serial.run(target.uid, async () => {
    fleet.targets.set(target.uid, target)
    const { engine } = fleet.context.store
    const rows = await liveInstancesOfAgent(engine, target.uid)
    const held = new Set(
      (
        await leasedTasks(
          engine,
          rows.map(({ id }) => id),
        )
      ).map(({ instance_id }) => instance_id),
    )
    for (const row of rows) {
      const reason = endReason(fleet, target, row, held.has(row.id))
      if (reason === 'drain') await transact(fleet.context.store, (tx) => setStopping(tx, row.id))
      else if (reason !== null) await endOne(fleet, row, reason)
    }
    const observation = await observeExternal(fleet, target)
    if (target.deleting && observation.gone) fleet.targets.delete(target.uid)
    return observation
  })
}

/** Why an instance ends now; `drain`: it may finish what it has; null: it is as wanted. */
function endReason(fleet: Fleet, target: AgentTarget, row: InstanceRow, hasTasks: boolean): EndReason | 'drain' | null {
  const now = fleet.context.clock.now().getTime()
  const silence = now - Math.max((row.last_heartbeat_at ?? row.created_at).getTime(), fleet.observedSince)
  if (silence >= heartbeatOf(target.spec).timeoutMs) return 'heartbeat'
  const unwanted = target.deleting ? 'deleted' : row.ordinal >= target.spec.replicas ? 'scaled' : null
  if (unwanted === null) return null
  if (!hasTasks || graceMsOf(target.spec) === 0) return unwanted
  return row.state === 'stopping' ? null : 'drain'
}

async function endOne(fleet: Fleet, row: InstanceRow, reason: EndReason): Promise<void> {
  const ledger = sqlLedger({
    store: fleet.context.store,
    host: row.host,
    maxAttempts: fleet.context.settings.maxAttempts,
    announce: (changes) => announce(fleet, changes),
    changed: (agent) => fleet.changed(agent),
    takesBulk: fleet.context.isDatabaseHost,
    constraintsOf: (uid) => fleet.targets.get(uid)?.spec.constraints,
  })
  await ledger.ended(row.id, { exitCode: null, reason, pid: null })
}

export async function observeExternal(fleet: Fleet, target: AgentTarget): Promise<AgentObservation> {
  const { engine } = fleet.context.store
  const rows = await liveInstancesOfAgent(engine, target.uid)
  const tasks = await leasedTasks(
    engine,
    rows.map(({ id }) => id),
  )
  const taskOf = new Map(tasks.map((task) => [task.instance_id, task.task_id]))
  return summarize({
    target,
    instances: rows.map((row) => observedInstance(row, taskOf.get(row.id))),
    held: [],
    obstacle: null,
    now: fleet.context.clock.now().getTime(),
    observedSince: fleet.observedSince,
  })
}
