import { digestOf } from '../lib/digest.ts'
import type { CompiledPlan, CompiledStep } from './compiled-plan.ts'

/** Identity of a plan: everything but the places in files, so that moving a file changes nothing. */
export function planDigest(plan: CompiledPlan): string {
  return digestOf({ ...plan, steps: plan.steps.map(withoutPlace) })
}

function withoutPlace(step: CompiledStep): object {
  if (step.kind === 'foreach') return { ...step, place: null, steps: step.steps.map(withoutPlace) }
  // The digest of a called plan says all of it.
  if (step.kind === 'blueprint') return { ...step, place: null, plan: step.plan.digest }
  return { ...step, place: null }
}
