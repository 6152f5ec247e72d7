/** A plan as `stateward plan -o json` prints it and the API keeps it with a proposal. */
export interface PlanDocument {
  readonly fromRevision: string | null
  readonly toRevision: string
  readonly counts: Readonly<Record<PlanAction, number>>
  readonly changes: readonly PlanChange[]
  readonly risk?: string
  readonly effects?: readonly PlanEffect[]
  readonly reach?: { readonly changed: number; readonly objects: number; readonly agents: readonly string[] }
  readonly outlook?: {
    readonly runs: readonly PlanOutlook[]
    readonly spend: readonly PlanOutlook[]
    readonly unknown: string | null
  }
  readonly issues: readonly PlanIssue[]
  readonly digest: string
}

export const PLAN_ACTIONS = ['create', 'update', 'delete', 'blocked', 'skip', 'unchanged'] as const
export type PlanAction = (typeof PLAN_ACTIONS)[number]

interface PlanObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export interface PlanChange extends PlanObject {
  readonly action: PlanAction
  readonly reason?: string
  readonly message?: string
  readonly fields: readonly {
    readonly op: string
    readonly pointer: string
    readonly from?: unknown
    readonly to?: unknown
  }[]
  readonly file?: string
  readonly held?: string
  readonly approval?: {
    readonly asks: readonly { readonly min: number; readonly fromAnyOf: readonly string[]; readonly by: string }[]
    readonly approvers: readonly string[]
    readonly rejectedBy: string | null
  }
  readonly verdict?: { readonly effect: string; readonly by: string }
  readonly advisory?: readonly string[]
}

export interface PlanEffect extends PlanObject {
  readonly effect: string
  readonly risk: string
  readonly message: string
}

interface PlanOutlook extends PlanObject {
  readonly message: string
}

export interface PlanIssue {
  readonly code: string
  readonly severity: string
  readonly message: string
  readonly hint: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export function objectText({ kind, namespace, name }: PlanObject): string {
  return `${kind} ${namespace === '' || namespace === 'default' ? '' : `${namespace}/`}${name}`
}

/** A value of a field on one line. */
export function valueText(value: unknown): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
