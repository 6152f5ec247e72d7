import type { AgentTarget } from '../../src/agents/agent-target.ts'
import type { AgentSpec } from '../../src/kinds/agent/agent.schema.ts'

export interface TargetOptions {
  readonly uid?: string
  readonly name?: string
  readonly replicas?: number
  readonly mode?: 'daemon' | 'perTask'
  readonly suspended?: boolean
  readonly terminated?: boolean
  readonly deleting?: boolean
  readonly restartPolicy?: AgentSpec['restartPolicy']
  readonly deletionPolicy?: AgentSpec['deletionPolicy']
  /** Seconds. */
  readonly grace?: number
  readonly digest?: string
  readonly command?: string[]
  readonly env?: NonNullable<AgentSpec['runtime']['process']['env']>
  readonly stdin?: 'json' | 'prompt'
  readonly heartbeat?: AgentSpec['heartbeat']
  readonly slots?: number
  readonly keepWorkspace?: boolean
  readonly hostSelector?: NonNullable<AgentSpec['hostSelector']>
  readonly filesTree?: string
  readonly shared?: string
  readonly constraints?: NonNullable<AgentSpec['constraints']>
}

/** An agent that wants one daemon, as its defaults make it; everything may be said otherwise. */
export function aTarget(options: TargetOptions = {}): AgentTarget {
  const {
    command = ['sleep', '60'],
    mode = 'daemon',
    stdin = 'json',
    env,
    hostSelector,
    filesTree = null,
    shared,
  } = options
  return {
    uid: options.uid ?? '01900000-0000-7000-8000-000000000001',
    namespace: 'default',
    name: options.name ?? 'sre',
    launchDigest: options.digest ?? 'd1',
    suspended: options.suspended ?? false,
    terminated: options.terminated ?? false,
    deleting: options.deleting ?? false,
    filesTree,
    ...(shared === undefined ? {} : { projectSharedFolder: shared }),
    spec: {
      resources: { slots: options.slots ?? 1 },
      heartbeat: options.heartbeat ?? { interval: '30s', timeout: '90s' },
      restartPolicy: options.restartPolicy ?? 'Always',
      terminationGracePeriodSeconds: options.grace ?? 30,
      keepWorkspace: options.keepWorkspace ?? false,
      replicas: options.replicas ?? 1,
      suspend: false,
      deletionPolicy: options.deletionPolicy ?? 'Delete',
      runtime: { process: { command, mode, stdin, ...(env === undefined ? {} : { env }) } },
      ...(hostSelector === undefined ? {} : { hostSelector }),
      ...(options.constraints === undefined ? {} : { constraints: options.constraints }),
    },
  }
}
