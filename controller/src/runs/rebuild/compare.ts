import { isDeepStrictEqual } from 'node:util'
import { digestOf } from '../../lib/digest.ts'
import type { Json } from '../../lib/json.ts'
import type { StepRow } from '../../store/journal.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import type { Rebuilt, RebuiltRun, RebuiltStep, Told } from './fold.ts'

/** One value that is stored otherwise than events say. `row` is `run`, or `step <path>#<attempt>`. */
export interface Difference {
  readonly row: string
  /** Null = the whole row: it is not stored, or no event tells of it. */
  readonly column: string | null
  readonly stored: Json
  readonly rebuilt: Json
}

export interface StoredRun {
  /** Null = it is not there. */
  readonly run: RunRow | null
  readonly steps: readonly StepRow[]
}

/** Where the stored rows are not what the events say; empty when they are the same. Pure. */
export function compareRun(rebuilt: Rebuilt, stored: StoredRun): Difference[] {
  const found: Difference[] = []
  // While a run waits its time stands still, and no event tells how much is left.
  const open = rebuilt.run.status === 'created' || rebuilt.run.status === 'running'
  const { deadline, ...rest } = rebuilt.run
  const run = open ? rest : { ...rest, deadline }
  if (stored.run === null) found.push({ row: 'run', column: null, stored: null, rebuilt: rebuilt.run.status })
  else found.push(...compareRow('run', run, stored.run))
  const rows = new Map(stored.steps.map((step) => [nameOf(step), step]))
  for (const step of rebuilt.steps) {
    const row = rows.get(nameOf(step))
    rows.delete(nameOf(step))
    if (row === undefined) found.push({ row: nameOf(step), column: null, stored: null, rebuilt: step.status })
    else found.push(...compareRow(nameOf(step), step, row))
  }
  for (const [row, { status }] of rows) found.push({ row, column: null, stored: status, rebuilt: null })
  return found
}

function nameOf(step: { readonly path: string; readonly attempt: number }): string {
  return `step ${step.path}#${step.attempt}`
}

function compareRow<Row extends StepRow | RunRow>(
  name: string,
  rebuilt: Partial<RebuiltRun> | RebuiltStep,
  stored: Row,
): Difference[] {
  return Object.entries(rebuilt).flatMap(([column, told]) => {
    const value = jsonOf((stored as unknown as Record<string, unknown>)[column])
    const other = TOLD.has(column) ? (told as Told) : { value: jsonOf(told) }
    if ('digest' in other) {
      return value !== null && digestOf(value) === other.digest
        ? []
        : [{ row: name, column, stored: value, rebuilt: `sha256:${other.digest}` }]
    }
    return isDeepStrictEqual(value, other.value) ? [] : [{ row: name, column, stored: value, rebuilt: other.value }]
  })
}

/** Columns whose value may be too large for an event. */
const TOLD = new Set(['inputs', 'outputs'])

function jsonOf(value: unknown): Json {
  return value instanceof Date ? value.toISOString() : ((value ?? null) as Json)
}
