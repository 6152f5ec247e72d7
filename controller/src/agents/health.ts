/** How an instance stands, from its reports alone. */
export type InstanceHealth = 'starting' | 'healthy' | 'late' | 'silent' | 'draining'

/** How an agent stands, as one word. */
export const AGENT_HEALTH = [
  'healthy',
  'degraded',
  'late',
  'silent',
  'starting',
  'draining',
  'paused',
  'stopped',
  'failed',
] as const
export type AgentHealth = (typeof AGENT_HEALTH)[number]

/** Reports that are missing before an instance is late. */
const MISSED = 2

/**
 * What the silence of a daemon means: late after two missed reports, silent after its whole timeout. Milliseconds; nobody
 * is blamed for a time in which nobody listened (`observedSince`).
 */
export function healthOf(
  instance: { readonly registered: boolean; readonly lastSeenAt: number; readonly draining: boolean },
  beat: { readonly intervalMs: number; readonly timeoutMs: number },
  now: number,
  observedSince: number,
): InstanceHealth {
  if (instance.draining) return 'draining'
  const silence = now - Math.max(instance.lastSeenAt, observedSince)
  if (silence >= beat.timeoutMs) return 'silent'
  if (!instance.registered) return 'starting'
  return silence >= Math.min(MISSED * beat.intervalMs, beat.timeoutMs) ? 'late' : 'healthy'
}

export interface AgentFacts {
  /** `external` ones are daemons that nobody here starts. */
  readonly mode: 'daemon' | 'perTask' | 'external' | 'model'
  readonly replicas: number
  readonly suspended: boolean
  readonly deleting: boolean
  /** Its Ready condition. */
  readonly ready: 'True' | 'False' | 'Unknown'
  /** The reason of that condition. */
  readonly reason: string
  /** Of daemons that live. */
  readonly instances: readonly InstanceHealth[]
}

/** Sums an agent up: the worst that concerns all of it, `degraded` when only some of it is as wanted. */
export function agentHealth({
  mode,
  replicas,
  suspended,
  deleting,
  ready,
  reason,
  instances,
}: AgentFacts): AgentHealth {
  if (deleting) return 'draining'
  if (suspended) return 'paused'
  if (replicas === 0 && instances.length === 0) return 'stopped'
  // A command has no reports: it is fine when it could be started.
  if (mode === 'perTask' || mode === 'model')
    return ready === 'True' ? 'healthy' : ready === 'False' ? 'failed' : 'starting'
  const healthy = instances.filter((one) => one === 'healthy').length
  if (healthy > 0) return healthy >= replicas ? 'healthy' : 'degraded'
  for (const word of ['late', 'starting', 'silent', 'draining'] as const) if (instances.includes(word)) return word
  if (mode === 'external') return 'stopped'
  return reason === 'Starting' || reason === 'Progressing' || ready === 'Unknown' ? 'starting' : 'failed'
}
