import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import { allSteps } from '../../blueprints/inline-plan.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { centsOf } from '../../lib/usd.ts'
import type { ToolRunner } from '../ports.ts'

const NANO_A_CENT = 10_000_000n

/**
 * A run that is known to cost more than it may is not made. SW_OVER_BUDGET. A step of a loop counts once: how often it
 * runs, nobody knows before; what it costs then is checked as it runs.
 */
export function assertAffordable(tools: Pick<ToolRunner, 'find'>, plan: CompiledPlan, namespace: string): void {
  const problem = tooDear(tools, plan, namespace)
  if (problem === null) return
  const { message, estimated_cents, budget_cents } = problem
  throw fail('SW_OVER_BUDGET', message, { details: { estimated_cents, budget_cents } })
}

/** The same, as a problem of a run that an event or a schedule asks for; null = it may be made. */
export function tooDear(tools: Pick<ToolRunner, 'find'>, plan: CompiledPlan, namespace: string): TooDear | null {
  const { maxNanoUsd } = plan.limits
  if (maxNanoUsd === undefined) return null
  const estimate = estimateOf(tools, plan, namespace)
  const most = BigInt(maxNanoUsd)
  if (estimate <= most) return null
  const [estimated, budget] = [centsOf(estimate), centsOf(most)]
  return {
    code: 'budget_exceeded',
    message: `the plan costs ${estimated} cents by what its steps declare; the run may cost ${budget}`,
    estimated_cents: estimated,
    budget_cents: budget,
  }
}

interface TooDear {
  readonly code: 'budget_exceeded'
  readonly message: string
  readonly estimated_cents: ReturnType<typeof centsOf>
  readonly budget_cents: ReturnType<typeof centsOf>
}

/** What the tools of a plan declare, and what its agents may spend. Nano-USD. */
function estimateOf(tools: Pick<ToolRunner, 'find'>, plan: CompiledPlan, namespace: string): bigint {
  return allSteps(plan.steps).reduce((sum, step) => {
    if (step.kind === 'agent_task') return sum + BigInt(step.maxNanoUsd ?? '0')
    if (step.kind !== 'action_task') return sum
    return sum + BigInt(tools.find(step.action, namespace)?.estimatedCents ?? 0) * NANO_A_CENT
  }, 0n)
}

/** The plan, pinned to what a run of it may cost in all. */
export function capped(plan: CompiledPlan, cents: number): CompiledPlan {
  return { ...plan, limits: { ...plan.limits, maxNanoUsd: String(BigInt(cents) * NANO_A_CENT) } }
}
