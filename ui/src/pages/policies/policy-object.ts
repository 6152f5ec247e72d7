/** A policy as the Kubernetes API shows it: what the pages read of it. */
export interface PolicyObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly creationTimestamp?: string }
  readonly spec: {
    readonly type?: string
    readonly evaluationMode?: string
    readonly enforcement?: string
    readonly rules?: readonly PolicyRule[]
  }
  readonly status?: {
    readonly phase?: string
    readonly version?: number
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
  }
}

export interface PolicyRule {
  readonly id: string
  readonly priority?: number
  readonly match?: Readonly<Record<string, unknown>>
  readonly effect: string
  readonly requirements?: Readonly<Record<string, unknown>>
  readonly autoMerge?: boolean
}

export const POLICIES_ADDRESS = '/kube/apis/stateward.dev/v1alpha1/policies'

export function policyAddress(namespace: string, name: string): string {
  return `/kube/apis/stateward.dev/v1alpha1/namespaces/${encodeURIComponent(namespace)}/policies/${encodeURIComponent(name)}`
}

/** `action: infra.apply, subjects: role:Operator`: what a rule is about, in the order in which it is written. */
export function matchText(match: Readonly<Record<string, unknown>> | undefined): string {
  const parts = Object.entries(match ?? {}).map(
    ([key, value]) =>
      `${key}: ${Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )
  return parts.length === 0 ? 'everything' : parts.join('; ')
}

/** The same of what it asks for. */
export function requirementsText(requirements: Readonly<Record<string, unknown>> | undefined): string | null {
  if (requirements === undefined) return null
  const { approvals, testsRequired, timeWindow } = requirements as {
    readonly approvals?: { readonly min?: number; readonly fromAnyOf?: readonly string[] }
    readonly testsRequired?: boolean
    readonly timeWindow?: { readonly schedule?: string; readonly timeZone?: string }
  }
  const parts = [
    approvals === undefined ? null : `${approvals.min ?? 1} of ${approvals.fromAnyOf?.join(', ') ?? 'whoever may'}`,
    testsRequired === true ? 'tests that passed' : null,
    timeWindow === undefined ? null : `within ${timeWindow.schedule ?? ''} ${timeWindow.timeZone ?? 'UTC'}`,
  ].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join('; ')
}
