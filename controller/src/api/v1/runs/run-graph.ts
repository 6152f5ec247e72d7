import Type, { type Static } from 'typebox'
import type { CompiledPlan, CompiledStep } from '../../../blueprints/compiled-plan.ts'
import type { RunReadRow, StepReadRow } from '../../../store/queries/runs-read.ts'
import { Step, stepDtos } from '../run-dto.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

const StatusWord = Step.properties.status

export const GraphNode = Type.Object(
  {
    path: Type.String({ description: 'as steps have it; each[].fix for the body of a loop that has not begun' }),
    step_id: Nullable(Type.Unsafe<string>({ ...Uuid, description: 'null where there is nothing to read yet' })),
    container: Nullable(Type.String({ description: 'path of the loop or call it is inside of' })),
    iteration: Nullable(Type.Integer({ description: 'of that loop, from 0' })),
    name: Type.String(),
    kind: Type.String(),
    does: Nullable(
      Type.String({ description: 'the agent, tool, blueprint, event or expression; of a gate who decides' }),
    ),
    condition_expression: Nullable(Type.String({ description: '`if`' })),
    place: Nullable(Type.String({ description: 'file:line:column in the state repo' })),
    waits_for: Type.Array(Type.String(), { description: 'paths of the steps it starts after, all beside it' }),
    undo: Nullable(Type.String({ description: 'the tool that undoes it' })),
    status: StatusWord,
    attempt: Type.Integer(),
    max_attempts: Type.Integer(),
    started_at: Nullable(Time),
    completed_at: Nullable(Time),
    next_attempt_at: Nullable(Time),
    error: Nullable(JsonMap),
    condition: Nullable(JsonMap),
    iterations: Nullable(
      Type.Object(
        { total: Type.Integer(), shown: Type.Integer(), running: Type.Integer(), failed: Type.Integer() },
        { description: 'of a loop: how many have begun, and how many of them are nodes here' },
      ),
    ),
  },
  { title: 'RunGraphNode' },
)
export type GraphNodeDto = Static<typeof GraphNode>
type StepDto = Static<typeof Step>

/**
 * The plan of a run as nodes, with where each stands: containers before what is in them. Of a loop at most `iterations` are
 * shown: those that failed or run first, in their order. Pure.
 */
export function runGraph(
  run: RunReadRow,
  plan: CompiledPlan | null,
  rows: readonly StepReadRow[],
  iterations: number,
): GraphNodeDto[] {
  const steps = new Map(stepDtos(run, plan, rows).map((step) => [step.path, step]))
  const ended = run.status !== 'created' && run.status !== 'running'
  return nodesIn(plan?.steps ?? [], { prefix: '', container: null, iteration: null, steps, ended, iterations })
}

interface Place {
  readonly prefix: string
  readonly container: string | null
  readonly iteration: number | null
  readonly steps: ReadonlyMap<string, StepDto>
  readonly ended: boolean
  readonly iterations: number
}

function nodesIn(steps: readonly CompiledStep[], place: Place): GraphNodeDto[] {
  return steps.flatMap((step) => {
    const path = place.prefix + step.id
    const inner = { ...place, container: path }
    if (step.kind === 'blueprint')
      return [
        nodeOf(step, path, place, null),
        ...nodesIn(step.plan.steps, { ...inner, prefix: `${path}.`, iteration: null }),
      ]
    if (step.kind !== 'foreach') return [nodeOf(step, path, place, null)]
    const begun = iterationsOf(path, place.steps)
    const shown = chosen(begun, place.iterations)
    const counts = {
      total: begun.size,
      shown: shown.length,
      running: [...begun.values()].filter((status) => status === 'running').length,
      failed: [...begun.values()].filter((status) => status === 'failed').length,
    }
    const body =
      begun.size === 0
        ? nodesIn(step.steps, { ...inner, prefix: `${path}[].`, iteration: null })
        : shown.flatMap((index) => nodesIn(step.steps, { ...inner, prefix: `${path}[${index}].`, iteration: index }))
    return [nodeOf(step, path, place, counts), ...body]
  })
}

type Iterations = ReadonlyMap<number, 'failed' | 'running' | 'completed'>

/** How each iteration of a loop that has begun stands, by what is in it. */
function iterationsOf(path: string, steps: ReadonlyMap<string, StepDto>): Iterations {
  const found = new Map<number, 'failed' | 'running' | 'completed'>()
  for (const step of steps.values()) {
    if (!step.path.startsWith(`${path}[`)) continue
    const index = Number(/^\d+/.exec(step.path.slice(path.length + 1))?.[0])
    const before = found.get(index)
    const status = step.status === 'failed' ? 'failed' : step.status === 'running' ? 'running' : 'completed'
    if (before === undefined || RANK[status] < RANK[before]) found.set(index, status)
  }
  return found
}

const RANK = { failed: 0, running: 1, completed: 2 } as const

function chosen(begun: Iterations, most: number): number[] {
  return [...begun]
    .sort(([a, first], [b, second]) => RANK[first] - RANK[second] || a - b)
    .slice(0, most)
    .map(([index]) => index)
    .sort((a, b) => a - b)
}

function nodeOf(step: CompiledStep, path: string, place: Place, iterations: GraphNodeDto['iterations']): GraphNodeDto {
  const dto = place.steps.get(path)
  return {
    path,
    step_id: dto?.step_id ?? null,
    container: place.container,
    iteration: place.iteration,
    name: step.name,
    kind: step.kind,
    does: doesOf(step),
    condition_expression: step.if,
    place: step.place,
    waits_for: step.waitsFor.map((id) => place.prefix + id),
    undo: step.kind === 'action_task' ? (step.undo?.action ?? null) : null,
    status: dto?.status ?? (place.ended ? 'skipped' : 'created'),
    attempt: dto?.attempt ?? 1,
    max_attempts: 'retry' in step ? (step.retry?.maxAttempts ?? 1) : 1,
    started_at: dto?.started_at ?? null,
    completed_at: dto?.completed_at ?? null,
    next_attempt_at: dto?.next_attempt_at ?? null,
    error: dto?.error ?? null,
    condition: dto?.condition ?? null,
    iterations,
  }
}

function doesOf(step: CompiledStep): string | null {
  switch (step.kind) {
    case 'agent_task':
      return step.agent
    case 'action_task':
      return step.action
    case 'gate':
      return step.approvers.length === 0 ? step.mode : step.approvers.join(', ')
    case 'transform':
      return step.expression
    case 'wait':
      return step.event ?? (step.durationMs === null ? null : `${step.durationMs / 1000} s`)
    case 'foreach':
      return step.items
    case 'blueprint':
      return step.ref
  }
}
