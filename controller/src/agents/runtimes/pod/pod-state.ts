import type { V1ContainerStatus } from '@kubernetes/client-node'
import { isObject } from '../../../lib/json.ts'
import { CONTAINER, INSTANCE_LABEL } from './pod-manifest.ts'

/** A pod as the cluster tells of it; times as they come over the wire. */
export interface SeenPod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly status?: unknown
}

export type PodState =
  /** It has no running container yet; `problem` says why it may take long, or forever. */
  | { readonly type: 'waiting'; readonly problem: PodProblem | null }
  /** Since milliseconds since the epoch. */
  | { readonly type: 'running'; readonly since: number }
  /** Nothing of it runs any more. `exitCode` null = it was ended without one: evicted, or its node is gone. */
  | { readonly type: 'ended'; readonly exitCode: number | null; readonly message: string | null }

export interface PodProblem {
  /** room: no node takes it; else somebody has to correct something. */
  readonly kind: 'room' | 'wrong'
  readonly message: string
}

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

/** What a pod's status means. Total: whatever it is, it is one of the three. */
export function podState({ status }: SeenPod): PodState {
  const said = isObject(status) ? status : {}
  const container = containerOf(said)
  const terminated = container?.state?.terminated
  if (terminated !== undefined && terminated !== null)
    return { type: 'ended', exitCode: terminated.exitCode, message: textOf(terminated.reason, terminated.message) }
  const phase = said['phase']
  // Evicted or refused by its node: there may be no container to tell an exit code of.
  if (phase === 'Failed' || phase === 'Succeeded')
    return {
      type: 'ended',
      exitCode: phase === 'Succeeded' ? 0 : null,
      message: textOf(said['reason'], said['message']),
    }
  const running = container?.state?.running
  if (running !== undefined && running !== null)
    return { type: 'running', since: Date.parse(String(running.startedAt ?? said['startTime'])) || 0 }
  return { type: 'waiting', problem: problemOf(said, container) }
}

function containerOf(status: Readonly<Record<string, unknown>>): V1ContainerStatus | undefined {
  const all = status['containerStatuses']
  return Array.isArray(all) ? (all as V1ContainerStatus[]).find(({ name }) => name === CONTAINER) : undefined
}

function problemOf(
  status: Readonly<Record<string, unknown>>,
  container: V1ContainerStatus | undefined,
): PodProblem | null {
  const waiting = container?.state?.waiting
  if (waiting?.reason !== undefined && WRONG.has(waiting.reason))
    return { kind: 'wrong', message: textOf(waiting.reason, waiting.message)! }
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as unknown[]) : []
  for (const condition of conditions)
    if (isObject(condition) && condition['type'] === 'PodScheduled' && condition['reason'] === 'Unschedulable')
      return { kind: 'room', message: textOf('Unschedulable', condition['message'])! }
  return null
}

function textOf(reason: unknown, message: unknown): string | null {
  const words = [reason, message].filter((one) => typeof one === 'string' && one !== '')
  return words.length === 0 ? null : words.join(': ')
}
