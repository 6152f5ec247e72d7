import type { Json } from '../../lib/json.ts'

/** Where policies are asked. Each has its own actions; docs/guide/policy.md lists them. */
export const POINTS = [
  'proposal',
  'run_admission',
  'step_start',
  'tool_call',
  'model_call',
  'spawn',
  'secret_use',
  'intervention',
] as const
export type Point = (typeof POINTS)[number]

export type PolicyRisk = 'low' | 'medium' | 'high'
export type Stage = 'dev' | 'test' | 'prod'

/** Who asks. */
export interface PolicySubject {
  /** `user:<name>`, `agent:<namespace>/<name>`, `trigger:…` … */
  readonly principal: string
  /** Names of roles, with those they include. */
  readonly roles: readonly string[]
  readonly teams: readonly string[]
  /** Of an agent: those above it, nearest first, as `agent:<namespace>/<name>`. */
  readonly lineage: readonly string[]
}

/** What it is about. */
export interface PolicyResource {
  /** Kind in lower case, or `tool`, `secret`, `run`. */
  readonly type: string
  /** Null = it has none; then the policies of every namespace are asked. */
  readonly namespace: string | null
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The environment it happens in. */
export interface PolicyEnvironment {
  readonly id: string
  readonly stage: Stage
  readonly class: 'control' | 'product'
}

/** One question to the policies. What an expression reads has these names. */
export interface PolicyRequest {
  readonly point: Point
  /** `change.update`, `run.start`, `agent.spawn` …; of a call of a tool, the tool's own name. */
  readonly action: string
  /** Other names of the same action: a rule that names one of them is about it too. */
  readonly aliases?: readonly string[]
  readonly subject: PolicySubject
  readonly resource: PolicyResource
  readonly env: PolicyEnvironment
  readonly risk: PolicyRisk
  /** What else is known, by point. `tests_passed: true` = the tests of what is asked for are green. */
  readonly data: Readonly<Record<string, Json>>
  readonly at: Date
}
