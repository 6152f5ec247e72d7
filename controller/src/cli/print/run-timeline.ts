import { msBetween, tookText } from '../../lib/took.ts'
import type { RunDto, StepDto } from '../client/dto.ts'
import type { DescriptionContext } from './object-description.ts'
import { colorOfPhase } from './object-table.ts'
import { endedSteps, stateOf, stepNote, stepTook } from './step-state.ts'
import { loopProgress, type StepNode, stepTree } from './step-tree.ts'
import { renderTable } from './table.ts'

/** A step that is told on its own, with its earlier attempts. */
export interface ShownStep {
  readonly step: StepDto
  readonly attempts: readonly StepDto[]
  /** What stands in place of a note: how far a loop has come. */
  readonly progress: string
}

/** Steps of loops that are told on their own. */
const MOST_OF_LOOPS = 20

/**
 * The steps worth telling: all outside of loops, and of those inside the ones that failed or have not ended. What ended well
 * in a loop is counted beside it.
 */
export function shownSteps(steps: readonly StepDto[]): readonly ShownStep[] {
  const byPath = Map.groupBy(steps, ({ path }) => path)
  const last = [...byPath.values()].map((attempts) => attempts.at(-1)!)
  let inLoops = 0
  const walk = (nodes: readonly StepNode[], inLoop: boolean): ShownStep[] =>
    nodes.flatMap((node) => {
      const { step, children } = node
      if (inLoop) {
        const state = stateOf(step)
        if (state === 'completed' || state === 'skipped' || inLoops >= MOST_OF_LOOPS) return []
        inLoops += 1
      }
      const attempts = byPath.get(step.path)!.slice(0, -1)
      const own = { step, attempts, progress: loopProgress(node) }
      return [own, ...walk(children, inLoop || step.kind === 'foreach')]
    })
  return walk(stepTree(last), false)
}

/** When each step began, counted from the run's beginning, how long it took, and what there is to say about it. */
export function renderTimeline(shown: readonly ShownStep[], run: RunDto, context: DescriptionContext): string {
  if (shown.length === 0) return ''
  const ended = endedSteps(shown.map(({ step }) => step))
  const columns = [
    { head: 'Step' },
    { head: 'Kind' },
    { head: 'Status' },
    { head: 'Start' },
    { head: 'Took' },
    { head: 'Note', shrinks: true },
  ]
  const start = run.started_at ?? run.created_at
  const rows = shown.flatMap(({ step, attempts, progress }) =>
    [...attempts, step].map((attempt) => [
      attempt.path,
      attempt.kind,
      attempt.status,
      attempt.started_at === null ? '-' : `+${tookText(msBetween(start, attempt.started_at))}`,
      tookOf(attempt, context.now),
      (attempt === step && attempt.error === null ? progress : '') || stepNote(attempt, ended, context.now) || '-',
    ]),
  )
  return renderTable(columns, rows, {
    width: context.width,
    style: (text, column, isHead) => (!isHead && column === 2 ? colorOfPhase(text, context.colors) : text),
  })
}

function tookOf(step: StepDto, now: Date): string {
  const took = stepTook(step, now)
  return took === '' ? '-' : step.completed_at === null ? `${took}…` : took
}
