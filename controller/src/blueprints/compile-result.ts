import type { SpecProblem } from '../kinds/definition.ts'
import type { CompiledPlan } from './compiled-plan.ts'

/** What became of a blueprint. */
export type CompileResult =
  /** `digest` is worked out when it is asked for: who only wants to know whether a blueprint is sound does not pay for it. */
  | { readonly ok: true; readonly plan: CompiledPlan; readonly digest: string }
  | { readonly ok: false; readonly problems: readonly SpecProblem[] }
