import Type, { type Static } from 'typebox'
import type { CompiledPlan, CompiledStep } from '../../blueprints/compiled-plan.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { ChildRun } from '../../store/queries/child-runs.ts'
import type { RunReadRow, StepReadRow } from '../../store/queries/runs-read.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import { SAMPLE } from './samples.ts'
import { JsonMap, Nullable, Time, Uuid } from './schemas.ts'

const RunStatusWord = Type.Enum(['created', 'running', 'completed', 'failed', 'cancelled'])

export const Run = Type.Object(
  {
    run_id: Uuid,
    namespace: Type.String(),
    name: Type.String(),
    blueprint_ref: Nullable(
      Type.String({ description: 'name of the blueprint; null when the run brought its own plan' }),
    ),
    revision: Type.String({ description: 'the commit the run is pinned to' }),
    plan_digest: Type.String(),
    status: RunStatusWord,
    priority: Type.Integer(),
    trigger: Type.String(),
    event_id: Nullable(Type.Unsafe<string>({ ...Uuid, description: 'the event that started it' })),
    created_at: Time,
    started_at: Nullable(Time),
    completed_at: Nullable(Time),
    deadline: Nullable(Time),
    actor: Type.String(),
    correlation_id: Type.String(),
    inputs: JsonMap,
    outputs: Nullable(JsonMap),
    error: Nullable(JsonMap),
    condition: Nullable(JsonMap),
    parent: Nullable(
      Type.Object({
        run_id: Uuid,
        kind: Type.String({ description: 'retry: this run goes on from that one; rollback: it undoes that one' }),
      }),
    ),
    children: Type.Array(
      Type.Object({
        run_id: Uuid,
        name: Type.String(),
        kind: Type.String({ description: 'retry or rollback' }),
        status: RunStatusWord,
        undo: Type.Optional(
          Type.Array(Type.String(), { description: 'paths of the steps a rollback undoes, in that order' }),
        ),
        not_undone: Type.Optional(
          Type.Array(JsonMap, { description: '`{step, action, reason}` of what cannot be undone' }),
        ),
      }),
      { description: 'runs that go on from it, or undo it, in the order they were made' },
    ),
  },
  { title: 'Run' },
)

export const Step = Type.Object(
  {
    step_id: Uuid,
    run_id: Uuid,
    path: Type.String({ description: 'id of the step in its blueprint; inside a loop each[3].fix' }),
    name: Type.String(),
    kind: Type.String(),
    status: Type.Enum(['created', 'running', 'completed', 'failed', 'skipped']),
    attempt: Type.Integer(),
    waits_for: Type.Array(Type.String()),
    started_at: Nullable(Time),
    completed_at: Nullable(Time),
    next_attempt_at: Nullable(Time),
    logs_artifact_id: Nullable(Uuid),
    inputs: Nullable(JsonMap),
    outputs: Nullable(JsonMap),
    output: Type.Unknown({
      description: 'what expressions read; `outputs` is the same where it is an object, else {value}',
    }),
    error: Nullable(JsonMap),
    condition: Nullable(JsonMap),
  },
  { title: 'Step' },
)

const iso = (time: Date | null): string | null => time?.toISOString() ?? null

export function runDto(row: RunReadRow): Static<typeof Run> {
  return {
    run_id: row.run_id,
    namespace: row.namespace,
    name: row.name,
    blueprint_ref: row.blueprint === '' ? null : row.blueprint,
    revision: row.revision,
    plan_digest: row.plan_digest,
    status: row.status,
    priority: row.priority,
    trigger: row.trigger,
    event_id: row.trigger_event,
    created_at: row.created_at.toISOString(),
    started_at: iso(row.started_at),
    completed_at: iso(row.completed_at),
    deadline: iso(row.deadline),
    actor: row.actor,
    correlation_id: row.correlation_id,
    inputs: row.inputs,
    outputs: row.outputs,
    error: row.error,
    condition: row.condition,
    parent:
      row.parent_run === null || row.parent_kind === null ? null : { run_id: row.parent_run, kind: row.parent_kind },
    children: row.children.map(childDto),
  }
}

function childDto({ run_id, name, parent_kind, status, inputs }: ChildRun): Static<typeof Run>['children'][number] {
  const child = { run_id, name, kind: parent_kind, status }
  if (parent_kind === 'retry') return child
  return { ...child, undo: inputs['undo'] as string[], not_undone: inputs['not_undone'] as JsonObject[] }
}

/**
 * The steps of a run in the order of its plan. A step that has not started has no row: it is rendered from the plan, as
 * `created` while the run goes on and as `skipped` once it has ended. Earlier attempts, where `rows` has them, stand before
 * the last one.
 */
export function stepDtos(
  run: RunReadRow,
  plan: CompiledPlan | null,
  rows: readonly StepReadRow[],
): Static<typeof Step>[] {
  const byPath = new Map(rows.map((row) => [row.path, row]))
  const last = new Set(byPath.values())
  const earlier = Map.groupBy(
    rows.filter((row) => !last.has(row)),
    ({ path }) => path,
  )
  const ended = run.status !== 'created' && run.status !== 'running'
  const planned = stepDtosIn(run.run_id, plan?.steps ?? [], '', byPath).map((dto) => dto(ended))
  return [...planned, ...[...byPath.values()].map(started)].flatMap((step) => [
    ...(earlier.get(step.path) ?? []).map((row) => ({ ...started(row), name: step.name, waits_for: step.waits_for })),
    step,
  ])
}

type EndedDto = (ended: boolean) => Static<typeof Step>

/** Steps of one plan with those nested in them; takes their rows out of `byPath`. Of what is nested only what has a row. */
function stepDtosIn(
  runId: string,
  steps: readonly CompiledStep[],
  prefix: string,
  byPath: Map<string, StepReadRow>,
): EndedDto[] {
  return steps.flatMap((step) => {
    const path = prefix + step.id
    const row = byPath.get(path)
    byPath.delete(path)
    const inner = innerDtos(runId, step, path, byPath)
    if (row === undefined && inner.length === 0 && prefix !== '') return []
    // A loop or a call has its row when it ends; before that its steps tell that it runs.
    const runs = row === undefined && inner.length > 0
    const own: EndedDto = (ended) => {
      const dto = stepDto(runId, step, path, row, ended)
      return runs ? { ...dto, status: 'running', started_at: earliestStart(inner.map((step) => step(ended))) } : dto
    }
    return [own, ...inner]
  })
}

function earliestStart(steps: readonly Static<typeof Step>[]): string | null {
  return steps.flatMap(({ started_at: at }) => at ?? []).sort()[0] ?? null
}

function innerDtos(runId: string, step: CompiledStep, path: string, byPath: Map<string, StepReadRow>): EndedDto[] {
  if (step.kind === 'blueprint') return stepDtosIn(runId, step.plan.steps, `${path}.`, byPath)
  if (step.kind !== 'foreach') return []
  return iterationsOf(path, byPath).flatMap((index) => stepDtosIn(runId, step.steps, `${path}[${index}].`, byPath))
}

function iterationsOf(path: string, byPath: ReadonlyMap<string, StepReadRow>): number[] {
  const indexes = new Set<number>()
  for (const other of byPath.keys()) {
    const index = other.startsWith(`${path}[`) ? /^\d+/.exec(other.slice(path.length + 1))?.[0] : undefined
    if (index !== undefined) indexes.add(Number(index))
  }
  return [...indexes].sort((a, b) => a - b)
}

function stepDto(
  runId: string,
  step: CompiledStep,
  path: string,
  row: StepReadRow | undefined,
  ended: boolean,
): Static<typeof Step> {
  const own = { name: step.name, kind: step.kind, waits_for: [...step.waitsFor] }
  return row === undefined ? { ...notStarted(runId, path, ended), ...own } : { ...started(row), ...own }
}

function notStarted(runId: string, path: string, ended: boolean): Static<typeof Step> {
  return {
    step_id: stepIdOf(runId, path, 1),
    run_id: runId,
    path,
    name: path,
    kind: '',
    status: ended ? 'skipped' : 'created',
    attempt: 1,
    waits_for: [],
    started_at: null,
    completed_at: null,
    next_attempt_at: null,
    logs_artifact_id: null,
    inputs: null,
    outputs: null,
    output: null,
    error: null,
    condition: null,
  }
}

function started(row: StepReadRow): Static<typeof Step> {
  return {
    step_id: row.step_id,
    run_id: row.run_id,
    path: row.path,
    name: row.path,
    kind: row.kind,
    status: row.status,
    attempt: row.attempt,
    waits_for: [],
    started_at: iso(row.started_at),
    completed_at: iso(row.completed_at),
    next_attempt_at: iso(row.next_attempt_at),
    logs_artifact_id: null,
    inputs: asMap(row.inputs),
    outputs: asMap(row.outputs),
    output: row.outputs,
    error: row.error,
    condition: row.condition,
  }
}

/** What went in and came out of a step has names in the API; a value without one is `value`. */
function asMap(value: Json | null): JsonObject | null {
  return value === null || isObject(value) ? value : { value }
}

export const sampleRun: Static<typeof Run> = {
  run_id: SAMPLE.run,
  namespace: 'default',
  name: 'checkmk-auto-remediate-k3q9zt',
  blueprint_ref: 'checkmk-auto-remediate',
  revision: SAMPLE.revision,
  plan_digest: SAMPLE.digest,
  status: 'running',
  priority: 0,
  trigger: 'manual',
  event_id: null,
  created_at: SAMPLE.time,
  started_at: SAMPLE.later,
  completed_at: null,
  deadline: null,
  actor: 'user:ada',
  correlation_id: SAMPLE.correlation,
  inputs: { host: 'web-1', service: 'nginx', state: 'CRIT' },
  outputs: null,
  error: null,
  condition: { reason: 'WaitingForApproval' },
  parent: null,
  children: [],
}

export const sampleStep: Static<typeof Step> = {
  step_id: SAMPLE.step,
  run_id: SAMPLE.run,
  path: 'analyze',
  name: 'analyze',
  kind: 'agent_task',
  status: 'completed',
  attempt: 1,
  waits_for: [],
  started_at: SAMPLE.time,
  completed_at: SAMPLE.later,
  next_attempt_at: null,
  logs_artifact_id: null,
  inputs: { host: 'web-1' },
  outputs: { cause: 'nginx was killed' },
  output: { cause: 'nginx was killed' },
  error: null,
  condition: null,
}
