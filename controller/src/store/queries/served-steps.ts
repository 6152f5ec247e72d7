import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'
import type { StepReadRow } from './runs-read.ts'

/** A step with the run it is part of; without its values. */
export type ServedStepRow = Omit<StepReadRow, 'inputs' | 'outputs'> & {
  readonly namespace: string
  readonly run: string
  readonly run_created_at: Date
}

/** Which steps: of one run, those with these ids, or of all runs that have not ended; the newest attempt of each. */
export type StepFilter =
  | { readonly run: { readonly namespace: string | null; readonly name: string } }
  | { readonly ids: readonly string[] }
  | { readonly namespace: string | null; readonly limit: number }

/** By namespace, run and path. */
export async function servedSteps(sql: Executor, filter: StepFilter): Promise<ServedStepRow[]> {
  return sql<ServedStepRow[]>`
    SELECT DISTINCT ON (r.namespace, r.name, s.path)
      s.step_id, s.run_id, s.path, s.attempt, s.kind, s.status, s.error, s.condition, s.started_at, s.completed_at,
      s.next_attempt_at, r.namespace, r.name AS run, r.created_at AS run_created_at
    FROM steps s JOIN v_runs r ON r.run_id = s.run_id
    WHERE ${conditionOf(sql, filter)}
    ORDER BY r.namespace, r.name, s.path, s.attempt DESC
    ${'limit' in filter ? sql`LIMIT ${filter.limit}` : sql``}`
}

function conditionOf(sql: Executor, filter: StepFilter) {
  if ('ids' in filter) return sql`s.step_id = ANY(${[...filter.ids]}::uuid[])`
  const { namespace } = 'run' in filter ? filter.run : filter
  const placed = namespace === null ? sql`` : sql`AND r.namespace = ${namespace}`
  return 'run' in filter
    ? sql`r.name = ${filter.run.name} ${placed}`
    : sql`r.status IN ('created', 'running') ${placed}`
}

/** What a step waits for, or why it failed; '' where it is neither. */
export function messageOfStep({ error, condition }: Pick<ServedStepRow, 'error' | 'condition'>): string {
  const said = (part: JsonObject | null) => (typeof part?.['message'] === 'string' ? part['message'] : '')
  return said(error) || said(condition)
}
