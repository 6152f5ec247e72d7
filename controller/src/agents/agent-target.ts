import type { AgentSpec, PodRuntime } from '../kinds/agent/agent.schema.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { type SecretName, secretName } from '../kinds/secret-ref.ts'
import { parseDuration } from '../lib/duration.ts'

/** An agent as it is wanted now: what the supervisor makes true. */
export interface AgentTarget {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Instances that carry another one are replaced. */
  readonly launchDigest: string
  /** Template, overrides and defaults merged. */
  readonly spec: AgentSpec
  /** Nothing is started, changed or corrected, and no task is handed out. */
  readonly suspended: boolean
  /** Somebody ended it at once: its processes get TERM without waiting for their tasks, and nothing is started. */
  readonly terminated: boolean
  /** Removed from Git: it ends as its deletionPolicy says. */
  readonly deleting: boolean
  /** Tree id of the `workdir` of its runtime. */
  readonly filesTree: string | null
  /** Replicas that run on this host; absent = all. */
  readonly ordinals?: readonly number[]
  /** Name of the shared folder its project declares. */
  readonly projectSharedFolder?: string
  /** Nobody here starts it: it registers itself. What `spec.runtime` says of a process means nothing then. */
  readonly external?: true
  /** It runs as pods of a cluster; of `spec.runtime` then only mode, stdin and environment mean something. */
  readonly pod?: PodRuntime
  /** The custom resource that declares it: its pods, where they are in the same namespace, go with it. */
  readonly resource?: {
    readonly apiVersion: string
    readonly kind: string
    readonly name: string
    readonly uid: string
  }
}

export function agentKey(agent: { readonly namespace: string; readonly name: string }): ObjectKey {
  return keyOf({ kind: 'Agent', namespace: agent.namespace, name: agent.name })
}

/** The replicas of an agent that are this host's. */
export function ordinalsOf({ spec, ordinals }: AgentTarget): readonly number[] {
  return (ordinals ?? Array.from({ length: spec.replicas }, (_, ordinal) => ordinal)).filter(
    (one) => one < spec.replicas,
  )
}

/** Of `spec.runtime` as it was declared. */
export function runtimeOf({ external, pod, spec }: AgentTarget): object {
  return external === true ? { external: {} } : pod === undefined ? spec.runtime : { pod }
}

export function heartbeatOf(spec: AgentSpec): { readonly intervalMs: number; readonly timeoutMs: number } {
  return { intervalMs: parseDuration(spec.heartbeat.interval), timeoutMs: parseDuration(spec.heartbeat.timeout) }
}

export function graceMsOf(spec: AgentSpec): number {
  return spec.terminationGracePeriodSeconds * 1000
}

/** Secrets its environment names. */
export function secretRefsOf(spec: AgentSpec): SecretName[] {
  return (spec.runtime.process.env ?? []).flatMap(({ secretRef }) =>
    secretRef === undefined ? [] : [secretName(secretRef)],
  )
}
