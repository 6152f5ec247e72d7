import type { JsonObject } from '../../lib/json.ts'
import type { ToolInfo } from '../ports.ts'

/** One call of a plan that is only looked at. */
export interface PlannedCall {
  readonly step: string
  /** As it was written: a name or an alias. */
  readonly skill: string
  /** Null: what it will be given is not known yet. */
  readonly parameters: JsonObject | null
  readonly tool: Pick<
    ToolInfo,
    'risk' | 'sideEffects' | 'idempotent' | 'idempotentFor' | 'estimatedCents' | 'estimatedLatencyMs'
  >
}

export interface Risk {
  readonly code: 'high_risk' | 'irreversible' | 'over_budget' | 'unpriced'
  readonly severity: 'medium' | 'high'
  /** Null: of the plan as a whole. */
  readonly step: string | null
  readonly message: string
}

export interface Simulation {
  readonly feasible: boolean
  readonly estimated_cost_cents: number
  readonly estimated_duration_ms: number
  readonly step_estimates: readonly {
    readonly skill_id: string
    readonly estimated_cost_cents: number
    readonly estimated_latency_ms: number
  }[]
  readonly budget_remaining_cents: number | null
  readonly budget_sufficient: boolean
  readonly risks: readonly Risk[]
}

/**
 * What a plan would cost and how long it would take, one call after the other, by what its tools declare. Pure: nothing is
 * called. Risks are facts of the tools, not guesses: a tool of high risk, a call that leaves something behind for good and
 * that is not harmless to repeat, and a budget that is too small.
 */
export function simulateCalls(calls: readonly PlannedCall[], budgetCents: number | null): Simulation {
  const estimates = calls.map(({ skill, tool }) => ({
    skill_id: skill,
    estimated_cost_cents: tool.estimatedCents ?? 0,
    estimated_latency_ms: tool.estimatedLatencyMs ?? 0,
  }))
  const cost = sum(estimates.map((each) => each.estimated_cost_cents))
  const sufficient = budgetCents === null || cost <= budgetCents
  const risks = calls.flatMap(risksOf)
  if (!sufficient)
    risks.push({
      code: 'over_budget',
      severity: 'high',
      step: null,
      message: `the plan costs ${cost} cents by what its tools declare; it may cost ${budgetCents}`,
    })
  return {
    feasible: sufficient,
    estimated_cost_cents: cost,
    estimated_duration_ms: sum(estimates.map((each) => each.estimated_latency_ms)),
    step_estimates: estimates,
    budget_remaining_cents: budgetCents === null ? null : budgetCents - cost,
    budget_sufficient: sufficient,
    risks,
  }
}

function risksOf({ step, skill, parameters, tool }: PlannedCall): Risk[] {
  const risks: Risk[] = []
  if (tool.risk === 'high')
    risks.push({
      code: 'high_risk',
      severity: 'high',
      step,
      message: `${skill} can do much harm when it is called wrongly`,
    })
  const harmless = parameters === null ? undefined : tool.idempotentFor?.(parameters)
  if (tool.sideEffects === 'irreversible' && !(harmless ?? tool.idempotent))
    risks.push({
      code: 'irreversible',
      severity: 'medium',
      step,
      message: `what ${skill} does cannot be taken back, and repeating it does it again`,
    })
  return risks
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
