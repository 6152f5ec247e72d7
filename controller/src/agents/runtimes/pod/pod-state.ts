import type { V1ContainerStatus } from '@kubernetes/client-node'
import { isObject } from '../../../lib/json.ts'
import { CONTAINER, INSTANCE_LABEL, RESULT_CONTAINER } from './pod-request.ts'

/** A pod as the cluster tells of it; times as they come over the wire. */
export interface SeenPod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly status?: unknown
}

export type PodState =
  /** The agent's container does not run yet; `problem` says why it may take long, or forever. */
  | { readonly type: 'waiting'; readonly problem: PodProblem | null }
  /** Since milliseconds since the epoch. */
  | { readonly type: 'running'; readonly since: number }
  | PodEnd

/** Nothing of it runs any more. */
export interface PodEnd {
  readonly type: 'ended'
  /** null = it was ended without one: evicted, or its node is gone. */
  readonly exitCode: number | null
  /** When its program ended, in milliseconds since the epoch; null = nobody said. */
  readonly at: number | null
  readonly message: string | null
  /** Its program never ran. */
  readonly isUnstarted: boolean
  /** What the command of a task printed can be read. */
  readonly hasResult: boolean
}

export interface PodProblem {
  /** room: no node takes it; else somebody has to correct something. */
  readonly kind: 'room' | 'wrong'
  readonly message: string
}

type Status = Readonly<Record<string, unknown>>

/** Waiting reasons that time alone seldom ends. */
const WRONG = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

export function instanceOf(pod: SeenPod): string | null {
  return pod.metadata.labels?.[INSTANCE_LABEL] ?? null
}

/**
 * What a pod's status means. Total: whatever it is, it is one of the three. The command of a task is an init container: after
 * one that ended well its pod has not ended before its result is printed, or cannot be any more.
 */
export function podState({ status }: SeenPod): PodState {
  const said = isObject(status) ? status : {}
  const command = containerOf(said, 'initContainerStatuses', CONTAINER)
  const agent = command ?? containerOf(said, 'containerStatuses', CONTAINER)
  const terminated = agent?.state?.terminated ?? null
  const phase = said['phase']
  const isOver = phase === 'Failed' || phase === 'Succeeded'
  if (terminated !== null) {
    const end: PodEnd = {
      type: 'ended',
      exitCode: terminated.exitCode,
      at: timeOf(terminated.finishedAt),
      message: textOf(terminated.reason, terminated.message),
      isUnstarted: false,
      hasResult: false,
    }
    if (command === undefined || terminated.exitCode !== 0) return end
    const printed = containerOf(said, 'containerStatuses', RESULT_CONTAINER)?.state?.terminated ?? null
    if (printed !== null || isOver) return { ...end, hasResult: printed?.exitCode === 0 || phase === 'Succeeded' }
    return { type: 'running', since: timeOf(terminated.startedAt) ?? 0 }
  }
  const running = agent?.state?.running ?? null
  // Evicted or refused by its node: there may be no container to tell an exit code of.
  if (isOver)
    return {
      type: 'ended',
      exitCode: phase === 'Succeeded' ? 0 : null,
      at: null,
      message: textOf(said['reason'], said['message']) ?? failedStart(said),
      isUnstarted: phase === 'Failed' && agent?.state?.waiting !== undefined && agent.state.waiting !== null,
      hasResult: false,
    }
  if (running !== null) return { type: 'running', since: timeOf(running.startedAt ?? said['startTime']) ?? 0 }
  return { type: 'waiting', problem: problemOf(said, agent) }
}

function containerOf(status: Status, list: string, wanted: string): V1ContainerStatus | undefined {
  return statusesOf(status, list).find(({ name }) => name === wanted)
}

function statusesOf(status: Status, list: string): V1ContainerStatus[] {
  const all = status[list]
  return Array.isArray(all) ? (all.filter(isObject) as unknown as V1ContainerStatus[]) : []
}

/** Which container failed before the agent's. */
function failedStart(status: Status): string | null {
  for (const { name, state } of statusesOf(status, 'initContainerStatuses')) {
    const { exitCode, reason } = state?.terminated ?? { exitCode: 0 }
    if (exitCode !== 0) return textOf(`its container ${name} ended with exit code ${exitCode}`, reason)
  }
  return null
}

function problemOf(status: Status, agent: V1ContainerStatus | undefined): PodProblem | null {
  for (const container of [agent, ...statusesOf(status, 'initContainerStatuses')]) {
    const waiting = container?.state?.waiting
    if (waiting?.reason !== undefined && WRONG.has(waiting.reason))
      return { kind: 'wrong', message: textOf(waiting.reason, waiting.message)! }
  }
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as unknown[]) : []
  for (const condition of conditions)
    if (isObject(condition) && condition['type'] === 'PodScheduled' && condition['reason'] === 'Unschedulable')
      return { kind: 'room', message: textOf('Unschedulable', condition['message'])! }
  return null
}

function timeOf(stamp: unknown): number | null {
  const at = Date.parse(String(stamp))
  return Number.isNaN(at) ? null : at
}

function textOf(reason: unknown, message: unknown): string | null {
  const words = [reason, message].filter((one) => typeof one === 'string' && one !== '')
  return words.length === 0 ? null : words.join(': ')
}
