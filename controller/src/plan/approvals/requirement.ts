/** What asks for somebody's agreement to a change. */
export type AskedBy =
  | {
      readonly kind: 'policy'
      readonly namespace: string
      readonly name: string
      readonly version: number
      readonly rule: string | null
    }
  /** A line of the CODEOWNERS file of the last applied revision; line 0: the file itself, which nobody in it owns. */
  | { readonly kind: 'path'; readonly file: string; readonly line: number; readonly pattern: string }

/** How many have to agree, of whom. */
export interface ApprovalRequirement {
  readonly min: number
  /** `role:`, `team:`, `user:`, `principal:`, `agent:` or `parent`; empty = of everybody who may approve. */
  readonly fromAnyOf: readonly string[]
  readonly askedBy: AskedBy
}

/** What policies and owners of paths say of one change of one object. */
export interface ChangeVerdict {
  readonly effect: 'allow' | 'deny' | 'require_approval'
  /** The policy and rule that decided, in words; null = none is about it. */
  readonly by?: string | null
  /** A rule lets a proposal of it land by itself, and nobody is asked. */
  readonly autoMerge?: boolean
  /** Why it is denied; why it is asked for where that is said. */
  readonly reason: string
  /** All of them have to be met. */
  readonly requirements: readonly ApprovalRequirement[]
  /** What policies that only record would have decided. */
  readonly advisory: readonly string[]
}

export const ALLOWED: ChangeVerdict = { effect: 'allow', reason: '', requirements: [], advisory: [] }

/** `policy production/prod-needs-owner`, `CODEOWNERS:3`. */
export function askedByText(by: AskedBy): string {
  if (by.kind === 'path') return by.line === 0 ? by.file : `${by.file}:${by.line}`
  const name = by.namespace === '' || by.namespace === 'default' ? by.name : `${by.namespace}/${by.name}`
  return `policy ${name}${by.rule === null ? '' : `, rule ${by.rule}`}`
}

/** `1 approval of role:owner-admin or team:platform`. */
export function requirementText({ min, fromAnyOf }: Pick<ApprovalRequirement, 'min' | 'fromAnyOf'>): string {
  const of = fromAnyOf.length === 0 ? '' : ` of ${fromAnyOf.join(' or ')}`
  return `${min} ${min === 1 ? 'approval' : 'approvals'}${of}`
}
