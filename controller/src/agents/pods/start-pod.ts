import { mkdirSync } from 'node:fs'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { InstanceMode } from '../../store/queries/instances.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import type { AgentTarget } from '../agent-target.ts'
import type { Fleet } from '../fleet.ts'
import { writeRecord } from '../instance-record.ts'
import type { Obstacle } from '../observation.ts'
import { redactor } from '../redaction.ts'
import { podManifests } from '../runtimes/pod/pod-manifest.ts'
import { POD_WORKSPACE, type PodTask, podName } from '../runtimes/pod/pod-request.ts'
import { isRefusal } from '../runtimes/pod/pods-api.ts'
import { declaredEnvironment } from '../secrets.ts'
import { candidate } from '../start-instance.ts'
import { messageOf, stdinOf } from '../task-command.ts'
import { failed } from '../task-outcome.ts'
import { podHost } from './pod-host.ts'
import { podRefused, podStarted } from './pod-ledger.ts'
import { type PodParts, watchPod } from './pod-parts.ts'

export type PodStart =
  | { readonly type: 'started' }
  /** Another instance of that replica lives, or there is no task to start it for. */
  | { readonly type: 'nothing' }
  | { readonly type: 'obstacle'; readonly obstacle: Obstacle }

/** The cluster has room, or says that it has not. */
const ANY = Number.MAX_SAFE_INTEGER
/** A Secret holds 1 MiB; what is left is for the environment. */
const MAX_INPUT_BYTES = 900_000
/** The kubelet ends what this controller did not: only when nobody else has. */
const DEADLINE_SLACK_SECONDS = 30

interface Supplies {
  readonly declared: Readonly<Record<string, string>>
  readonly files: { readonly tree: string; readonly image: string } | null
}

/**
 * Starts a replica, or the oldest queued task of its agent, as a pod: its row is committed first (a task's together with its
 * claim), then the pod is made, then both are told to the log. A controller that is killed in between leaves a row whose pod, if
 * there is one, has the name that follows from it.
 */
export async function startPod(
  parts: PodParts,
  target: AgentTarget,
  place: {
    readonly mode: InstanceMode
    readonly ordinal: number
    readonly restartCount: number
    readonly crashCount: number
  },
): Promise<PodStart> {
  const { fleet, ledger, seen, starting } = parts
  const supplies = await suppliesOf(fleet, target)
  if ('obstacle' in supplies) return { type: 'obstacle', obstacle: supplies.obstacle }
  const made = candidate(fleet, target, place)
  const row = { ...made.row, host: podHost(seen.api.namespace), bootId: '' }
  starting.add(row.id)
  try {
    let task: TaskRow | null = null
    if (place.mode === 'daemon') {
      if ((await ledger.insert(row, ANY)) !== 'inserted') return { type: 'nothing' }
    } else {
      const claim = await ledger.claim(row, ANY)
      if (claim.type !== 'claimed') return { type: 'nothing' }
      task = claim.task
    }
    const work = task === null ? null : podTask(fleet, target, task)
    if (task !== null && Buffer.byteLength(work!.input) > MAX_INPUT_BYTES) {
      await tooMuch(parts, row.id, task)
      return { type: 'started' }
    }
    return await create(parts, target, { row, token: made.token, task, work, supplies })
  } finally {
    starting.delete(row.id)
  }
}

async function create(
  parts: PodParts,
  target: AgentTarget,
  {
    row,
    token,
    task,
    work,
    supplies,
  }: {
    readonly row: ReturnType<typeof candidate>['row']
    readonly token: string
    readonly task: TaskRow | null
    readonly work: PodTask | null
    readonly supplies: Supplies
  },
): Promise<PodStart> {
  const { fleet, ledger, seen } = parts
  const { context } = fleet
  const { pod, secret } = podManifests({
    target,
    runtime: target.pod!,
    namespace: seen.api.namespace,
    declared: supplies.declared,
    files: supplies.files,
    task: work,
    instance: {
      url: context.pods!.url,
      token,
      agent: target.name,
      namespace: target.namespace,
      instanceId: row.id,
    },
  })
  const folder = fleet.workspaces.instanceFolder(row.id)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeRecord(folder, target)
  let uid: string
  try {
    uid = await seen.api.create(pod, secret)
  } catch (error) {
    const message = errorMessage(error)
    context.log.error({ err: error, instance: row.id, agent: row.agent }, 'could not make the pod of an agent')
    // Without a word from the cluster it may be there all the same: the row stays, and the next look finds out.
    if (isRefusal(error)) {
      if (task === null) await ledger.notStarted(row.id, message)
      else await podRefused(context.store, row.id, task, message)
    }
    return { type: 'obstacle', obstacle: { reason: 'Failed', message: `its pod could not be made: ${message}` } }
  }
  await podStarted(context.store, row.id, uid)
  watchPod(parts, row, podName(row.agent, row.id))
  if (task === null) fleet.changed(row)
  return { type: 'started' }
}

function podTask(fleet: Fleet, target: AgentTarget, task: TaskRow): PodTask {
  const message = messageOf(task, POD_WORKSPACE, target.spec)
  const left = task.deadline === null ? null : task.deadline.getTime() - fleet.context.clock.now().getTime()
  return {
    id: task.task_id,
    input: stdinOf(message, target.spec.runtime.process.stdin),
    seconds: left === null ? null : Math.max(1, Math.ceil(left / 1000)) + DEADLINE_SLACK_SECONDS,
  }
}

async function tooMuch({ ledger }: PodParts, id: string, task: TaskRow): Promise<void> {
  const text = `the task is larger than the ${MAX_INPUT_BYTES} bytes that a pod can be given; hand it over as an artifact`
  await ledger.commandEnded(id, {
    exitCode: null,
    reason: 'not_started',
    attempt: { task_id: task.task_id, attempt: task.attempt },
    verdict: { type: 'settle', outcome: failed('input_too_large', text, redactor([])) },
  })
}

/** What a pod is started with, or what stands in its way. Writes nothing. */
export async function suppliesOf(
  fleet: Fleet,
  target: AgentTarget,
): Promise<Supplies | { readonly obstacle: Obstacle }> {
  const { namespace, name, filesTree } = target
  const image = fleet.context.pods?.filesImage ?? null
  if (filesTree !== null && image === null) {
    const message = 'its workdir is brought by an image with git, and none is set: STATEWARD_PODS_IMAGE'
    return { obstacle: { reason: 'Failed', message } }
  }
  try {
    const use = { consumer: `agent:${namespace}/${name}`, namespace }
    const { values } = await declaredEnvironment(target.spec, fleet.context.secrets, use)
    return { declared: values, files: filesTree === null ? null : { tree: filesTree, image: image! } }
  } catch (error) {
    if (!(error instanceof StatewardError)) throw error
    if (error.ref === 'SW_DATABASE_UNREACHABLE' || error.ref === 'SW_LEASE_LOST') throw error
    const reason = error.ref === 'SW_SECRET_MISSING' ? 'SecretMissing' : 'Failed'
    return { obstacle: { reason, message: `${error.message}: ${error.remedy}` } }
  }
}
