import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import { hostByName } from '../store/queries/hosts.ts'
import {
  type InstanceRow,
  instanceById,
  instanceByToken,
  recordHeartbeat,
  registerInstance,
} from '../store/queries/instances.ts'
import { renewLeases, type TaskRow, taskById, unlease } from '../store/queries/tasks.ts'
import { transact } from '../store/transact.ts'
import { heartbeatOf, runtimeOf, secretRefsOf } from './agent-target.ts'
import { agentActor, instanceEvent, taskEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { redactorFor, redactorOfRefs } from './instance-record.ts'
import { isPodHost } from './pods/pod-host.ts'
import type { Told } from './ports.ts'
import type { Redact } from './redaction.ts'
import { POD_WORKSPACE } from './runtimes/pod/pod-request.ts'
import { messageOf, type TaskMessage } from './task-command.ts'
import { completed, failed, sameOutcome, type TaskOutcome } from './task-outcome.ts'
import { announce, appendChanges, settleTask, type TaskUsage } from './tasks.ts'
import { healthEvent } from './watch-health.ts'
import { workspacesIn } from './workspaces.ts'

/**
 * What a daemon says over HTTP, version 1. Every function but the first takes the instance that its token proved, and
 * throws errors of the catalogue: SW_FORBIDDEN when the body names another instance, SW_CONFLICT when that one has ended.
 */

export const PROTOCOL = 1

const NOTHING_TOLD: Told = { all: [], fresh: 0 }
const LONGEST_WAIT_MS = 30_000
/** Tasks that another process queued are seen this soon. */
const LOOK_MS = 1000

/** The living instance a bearer token belongs to; null for any other text. */
export async function authenticate(fleet: Fleet, token: string): Promise<InstanceRow | null> {
  if (!token.startsWith('swa_')) return null
  return instanceByToken(fleet.context.store.engine, sha256(token))
}

/** An instance as it is now; null when there never was one. */
export function findInstance(fleet: Fleet, id: string): Promise<InstanceRow | null> {
  return instanceById(fleet.context.store.engine, id)
}

export interface Registration {
  readonly agent_id: string
  readonly heartbeat_seconds: number
  /** The agent's spec as it runs; secrets by reference. */
  readonly spec: JsonObject
}

/** Registering again changes nothing. SW_NOT_READY while the agent is not reconciled yet: try again. */
export async function register(
  fleet: Fleet,
  instance: InstanceRow,
  body: { readonly instance_id: string; readonly protocol: number },
): Promise<Registration> {
  assertOwn(instance, body.instance_id)
  if (body.protocol !== PROTOCOL) {
    throw fail('SW_VALIDATION_FAILED', `protocol ${body.protocol} is not spoken here, only ${PROTOCOL}`, {
      details: { violations: [{ pointer: '/protocol', message: `must be ${PROTOCOL}` }] },
    })
  }
  const target = fleet.targets.get(instance.agent_uid)
  if (target === undefined)
    throw fail('SW_NOT_READY', `agent ${instance.namespace}/${instance.agent} is not reconciled yet`)
  const { store } = fleet.context
  const first = await transact(store, async (tx) => {
    const at = store.clock.now()
    const registered = await registerInstance(tx, instance.id, at)
    if (registered === null) throw ended(instance)
    if (!registered.first) return false
    const { ordinal, host, pid } = registered
    const subject = { ...instance, instanceId: instance.id }
    await appendEvents(tx, store, [
      instanceEvent('registered', subject, at, { ordinal, host, pid }, agentActor(instance)),
    ])
    return true
  })
  if (first) fleet.changed(instance)
  return {
    agent_id: instance.agent_uid,
    heartbeat_seconds: heartbeatOf(target.spec).intervalMs / 1000,
    spec: { ...target.spec, runtime: runtimeOf(target) } as unknown as JsonObject,
  }
}

export interface HeartbeatReport {
  readonly instance_id: string
  readonly status: 'idle' | 'busy'
  /** Ids of the tasks it works on: their leases are renewed. */
  readonly tasks: readonly string[]
  /** Since it was started. */
  readonly usage?: TaskUsage
  readonly cpuPercent?: number | null
  readonly memoryBytes?: number | null
}

export interface HeartbeatAnswer {
  readonly interventions: readonly JsonObject[]
  /** No more tasks will come: finish what you have and end. */
  readonly drain: boolean
}

export async function heartbeat(
  fleet: Fleet,
  instance: InstanceRow,
  report: HeartbeatReport,
): Promise<HeartbeatAnswer> {
  assertOwn(instance, report.instance_id)
  const { store } = fleet.context
  const isBetter = await transact(store, async (tx) => {
    const at = store.clock.now()
    const before = await recordHeartbeat(tx, instance.id, {
      at,
      busy: report.status === 'busy',
      tokens: report.usage?.tokens ?? 0,
      costNanoUsd: report.usage?.costNanoUsd ?? 0,
      cpuPercent: report.cpuPercent ?? null,
      memoryBytes: report.memoryBytes ?? null,
    })
    if (before === null) throw ended(instance)
    if (report.tasks.length > 0)
      await renewLeases(tx, { instanceId: instance.id, taskIds: report.tasks, until: leaseEnd(fleet, instance, at) })
    if (before.health === 'late' || before.health === 'silent')
      await appendEvents(tx, store, [healthEvent({ ...instance, ...before }, 'healthy', at)])
    return before.health !== 'healthy'
  })
  if (isBetter) fleet.changed(instance)
  const { all } = await fleet.context.interventions.tell(instance)
  return { interventions: all, drain: isDraining(fleet, instance) }
}

export interface PickupRequest {
  readonly instance_id: string
  readonly max: number
  /** At most 30. */
  readonly wait_seconds: number
}

export interface Pickup {
  readonly interventions: readonly JsonObject[]
  readonly tasks: readonly TaskMessage[]
}

/**
 * Leases tasks, waiting for one if there is none; null when the time is over or the instance is to drain. When `signal`
 * aborts (the client is gone), a task leased for it meanwhile goes back as if it had never left.
 */
export async function pickup(
  fleet: Fleet,
  instance: InstanceRow,
  { instance_id, max, wait_seconds }: PickupRequest,
  signal: AbortSignal,
): Promise<Pickup | null> {
  assertOwn(instance, instance_id)
  const { clock } = fleet.context.store
  const until = clock.monotonicMs() + Math.min(Math.max(wait_seconds * 1000, 0), LONGEST_WAIT_MS)
  for (;;) {
    // Before the tasks: what it is told may be that it gets none.
    const told = signal.aborted ? NOTHING_TOLD : await fleet.context.interventions.tell(instance)
    const tasks = await lease(fleet, instance, Math.max(1, Math.floor(max)))
    if (tasks.length > 0 && signal.aborted) {
      await neverTaken(fleet, instance, tasks)
      fleet.notifier.notify(instance.namespace, instance.agent)
      return null
    }
    if (tasks.length > 0 || told.fresh > 0)
      return {
        interventions: told.all,
        tasks: await Promise.all(tasks.map((task) => handOver(fleet, instance, task))),
      }
    const left = until - clock.monotonicMs()
    if (left <= 0 || signal.aborted || fleet.closing) return null
    await fleet.notifier.wait(instance.namespace, instance.agent, Math.min(left, LOOK_MS), signal)
  }
}

async function lease(fleet: Fleet, instance: InstanceRow, max: number): Promise<readonly TaskRow[]> {
  if (isDraining(fleet, instance)) return []
  const now = fleet.context.store.clock.now()
  const constraints = fleet.targets.get(instance.agent_uid)?.spec.constraints
  const takesBulk = await fleet.context.isDatabaseHost(instance.host)
  return fleet.leases.lease({ instance, constraints, max, until: leaseEnd(fleet, instance, now), now, takesBulk })
}

/** Their receiver had gone before it could get them. */
async function neverTaken(fleet: Fleet, instance: InstanceRow, tasks: readonly TaskRow[]): Promise<void> {
  const { store } = fleet.context
  await transact(store, async (tx) => {
    const ids = tasks.map(({ task_id }) => task_id)
    await unlease(tx, ids, instance.id)
    const reason = 'whoever asked for it had gone'
    const now = store.clock.now()
    await appendEvents(
      tx,
      store,
      tasks.map((task) => taskEvent('requeued', task, now, { reason })),
    )
  })
}

async function handOver(fleet: Fleet, instance: InstanceRow, task: TaskRow): Promise<TaskMessage> {
  const agent = fleet.targets.get(instance.agent_uid)?.spec
  if (isHere(fleet, instance))
    return messageOf(task, await fleet.workspaces.makeTaskFolder(instance.agent_uid, task), agent)
  if (isPodHost(instance.host)) return messageOf(task, POD_WORKSPACE, agent)
  // Folders of another machine cannot be made from here: there a daemon's tasks share the folder of their replica.
  const host = await hostByName(fleet.context.store.engine, instance.host)
  return messageOf(task, workspacesIn(host?.data_dir ?? '').replicaFolder(instance.agent_uid, instance.ordinal), agent)
}

function isHere(fleet: Fleet, { host }: InstanceRow): boolean {
  return host === fleet.context.localHost().name
}

/** Takes the secrets an instance was given out of its texts; of one elsewhere, those its agent declares. */
async function redactorOf(fleet: Fleet, instance: InstanceRow): Promise<Redact> {
  const { secrets } = fleet.context
  if (isHere(fleet, instance)) return redactorFor(fleet.workspaces.instanceFolder(instance.id), secrets)
  const target = fleet.targets.get(instance.agent_uid)
  return redactorOfRefs(target === undefined ? [] : secretRefsOf(target.spec), secrets)
}

export interface TaskReport {
  readonly attempt: number
  readonly status: 'completed' | 'failed'
  readonly output?: Json
  readonly error?: { readonly code: string; readonly message: string; readonly retryable?: boolean }
  readonly usage?: TaskUsage | null
}

/**
 * The result counts once. The same report again gives the same answer; any other, and one for an
 * attempt that somebody else has by now, is SW_CONFLICT. An output that does not fit the step's schema fails the task with
 * `invalid_output`, and the answer says so.
 */
export async function complete(
  fleet: Fleet,
  instance: InstanceRow,
  taskId: string,
  report: TaskReport,
): Promise<{ readonly task_id: string; readonly status: 'completed' | 'failed' }> {
  const { store } = fleet.context
  const task = await taskById(store.engine, taskId)
  // Somebody else's task is nobody's business: as if there were none.
  if (task === null || task.namespace !== instance.namespace || task.agent !== instance.agent) {
    throw fail('SW_NOT_FOUND', `there is no task ${taskId} of agent ${instance.namespace}/${instance.agent}`)
  }
  const redact = await redactorOf(fleet, instance)
  const outcome = outcomeOf(report, task, redact)
  const attempt = { task_id: taskId, run_id: task.run_id, attempt: report.attempt, instance_id: instance.id }
  const change = await transact(store, async (tx) => {
    const settled = await settleTask(tx, store, attempt, outcome, 'agent', report.usage)
    await appendChanges(tx, store, [settled])
    return settled
  })
  if (change.events.length === 0) return repeated(fleet, instance, taskId, report.attempt, outcome)
  announce(fleet, [change])
  if (!task.keep_workspace && fleet.targets.get(instance.agent_uid)?.spec.keepWorkspace !== true) {
    await fleet.workspaces.removeTaskFolder(instance.agent_uid, { task_id: taskId, attempt: report.attempt })
  }
  // A stopping daemon was only waited for because of its tasks.
  if (isDraining(fleet, instance)) {
    fleet.look(instance.agent_uid)
    fleet.notifier.notify(instance.namespace, instance.agent)
  }
  return { task_id: taskId, status: outcome.status }
}

function outcomeOf(report: TaskReport, task: TaskRow, redact: (text: string) => string): TaskOutcome {
  if (report.status === 'completed') return completed(report.output ?? null, task.output_schema, redact)
  const { code, message, retryable } = report.error ?? { code: 'agent_failed', message: 'the agent gave no reason' }
  return failed(code, message, redact, retryable ?? false)
}

async function repeated(fleet: Fleet, instance: InstanceRow, taskId: string, attempt: number, outcome: TaskOutcome) {
  const task = await taskById(fleet.context.store.engine, taskId)
  if (task !== null && task.instance_id === instance.id && task.attempt === attempt && sameOutcome(task, outcome)) {
    return { task_id: taskId, status: outcome.status }
  }
  throw fail('SW_CONFLICT', whyConflict(task, instance, attempt), {
    remedy: 'drop the result: the task was cancelled, reported differently, or given to somebody else',
    details: { task_id: taskId, status: task?.status ?? 'cancelled', attempt: task?.attempt ?? attempt },
  })
}

function whyConflict(task: TaskRow | null, instance: InstanceRow, attempt: number): string {
  if (task === null) return 'the task is not there any more'
  if (task.attempt !== attempt) return `attempt ${attempt} is over, the task is at attempt ${task.attempt}`
  if (task.status === 'cancelled') return 'the task was cancelled'
  if (task.instance_id !== instance.id) return 'the task is not leased to this instance'
  return `the task is ${task.status} with another result`
}

function isDraining(fleet: Fleet, instance: InstanceRow): boolean {
  const target = fleet.targets.get(instance.agent_uid)
  const stopping = fleet.processes.get(instance.id)?.stopping ?? null
  // Its supervisor may be another process: the row says it, too.
  const isStopping = stopping !== null || instance.state === 'stopping'
  return (
    fleet.closing || isStopping || (target !== undefined && (target.suspended || target.terminated || target.deleting))
  )
}

function leaseEnd(fleet: Fleet, instance: InstanceRow, from: Date): Date {
  const target = fleet.targets.get(instance.agent_uid)
  return new Date(
    from.getTime() + (target === undefined ? fleet.context.settings.leaseMs : heartbeatOf(target.spec).timeoutMs),
  )
}

function assertOwn(instance: InstanceRow, claimed: string): void {
  if (claimed !== instance.id)
    throw fail('SW_FORBIDDEN', `the token belongs to instance ${instance.id}, not ${claimed}`)
}

function ended(instance: InstanceRow) {
  return fail('SW_CONFLICT', `instance ${instance.id} has ended`, {
    remedy: 'end: another process took this place',
  })
}
