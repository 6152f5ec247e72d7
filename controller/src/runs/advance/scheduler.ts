import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import type { StepStatus } from '../../store/journal.ts'

/** Steps that belong together; `prefix` + id is the path under which progress knows them. */
export interface Steps<Step> {
  readonly steps: readonly Step[]
  readonly prefix?: string
}

type Ordered = Pick<CompiledStep, 'id' | 'waitsFor'>

/** Which steps have started, and where they stand, by path; a step that is not there has not started. */
export type Progress = ReadonlyMap<string, { readonly status: StepStatus }>

export interface NextSteps<Step> {
  /** May start now, in the order of the plan. None once a step has failed. */
  readonly ready: readonly Step[]
  /** Started and not ended. */
  readonly running: readonly Step[]
  /** The first one of the plan that failed. */
  readonly failed: Step | null
  /** Nothing runs and nothing can start any more. */
  readonly ended: boolean
}

/**
 * What a run does next, decided from its plan and its steps alone: whoever takes it over decides the same.
 * A step starts when everything it waits for is completed or skipped. After a failure nothing starts any more.
 */
export function nextSteps<Step extends Ordered>(plan: Steps<Step>, progress: Progress): NextSteps<Step> {
  const { prefix = '' } = plan
  const statusOf = (id: string): StepStatus => progress.get(prefix + id)?.status ?? 'created'
  const running = plan.steps.filter((step) => statusOf(step.id) === 'running')
  const failed = plan.steps.find((step) => statusOf(step.id) === 'failed') ?? null
  const ready =
    failed === null
      ? plan.steps.filter(
          (step) => statusOf(step.id) === 'created' && step.waitsFor.every((id) => isPassed(statusOf(id))),
        )
      : []
  return { ready, running, failed, ended: running.length === 0 && ready.length === 0 }
}

function isPassed(status: StepStatus): boolean {
  return status === 'completed' || status === 'skipped'
}

/** Steps that have not started, in the order of the plan. */
export function notStarted<Step extends Ordered>(plan: Steps<Step>, progress: Progress): readonly Step[] {
  const { prefix = '' } = plan
  return plan.steps.filter((step) => (progress.get(prefix + step.id)?.status ?? 'created') === 'created')
}
