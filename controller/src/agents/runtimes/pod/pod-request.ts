import type { PodRuntime } from '../../../kinds/agent/agent.schema.ts'
import type { AgentTarget } from '../../agent-target.ts'
import type { InstanceIdentity } from '../process/environment.ts'

/** The words that pods of agents are made and found by, and what one is made from. */

/** Every pod of an agent carries these, and nothing else in the namespace may. */
export const POD_LABELS = {
  'app.kubernetes.io/managed-by': 'stateward',
  'app.kubernetes.io/component': 'agent',
} as const
export const POD_SELECTOR = Object.entries(POD_LABELS)
  .map(([name, value]) => `${name}=${value}`)
  .join(',')
export const INSTANCE_LABEL = 'stateward.dev/instance'
export const AGENT_LABEL = 'stateward.dev/agent-uid'
/** Seconds that the pod of a task which has ended stays. */
export const TTL_ANNOTATION = 'stateward.dev/ttl-seconds-after-finished'
/** The container whose program is the agent. */
export const CONTAINER = 'agent'
/** The container that prints what the command of a task wrote to stdout. */
export const RESULT_CONTAINER = 'result'
/** Where its program may write; its HOME. */
export const POD_WORKSPACE = '/workspace'
/** The read-only copy of `workdir`. */
export const POD_FILES = '/stateward/files'
/** The entry of the Secret that a command reads as its stdin. */
export const TASK_KEY = 'task'

/** A name has room for what tells instances apart, and still is one word of a host name. */
const LONGEST_AGENT = 40

/** The name of an instance's pod, and of its Secret: the same for whoever asks, so that nobody has to remember it. */
export function podName(agent: string, instanceId: string): string {
  const readable = agent.slice(0, LONGEST_AGENT).replaceAll('.', '-').replace(/-+$/, '')
  return `${readable}-${instanceId.replaceAll('-', '').slice(-12)}`
}

export interface PodRequest {
  readonly target: AgentTarget
  readonly runtime: PodRuntime
  readonly namespace: string
  readonly instance: InstanceIdentity
  /** `env` of the agent with secrets resolved. */
  readonly declared: Readonly<Record<string, string>>
  /** The tree of its `workdir`, and an image with git that brings it. */
  readonly files: { readonly tree: string; readonly image: string } | null
  /** The one task it is for; null = a daemon. */
  readonly task: PodTask | null
}

export interface PodTask {
  readonly id: string
  /** What its command reads before the end of its input. */
  readonly input: string
  /** How long it may take from now on; null = as long as it likes. */
  readonly seconds: number | null
}
