import { existsSync, readFileSync } from 'node:fs'
import type { Json } from '../../../src/lib/json.ts'
import { identityOf } from '../../../src/lib/process-identity.ts'
import type { Plant } from './plant.ts'

/** What Stateward remembers of a storm, read from its tables, and what the observer saw. */

export interface Run {
  readonly run_id: string
  readonly name: string
  readonly tag: string
  readonly blueprint: string
  readonly status: string
  readonly owner: string | null
  readonly reason: string | null
  readonly result: Json
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface Effect {
  readonly operation_id: string
  readonly run_id: string
  readonly path: string
  readonly tool: string
  readonly idempotent: boolean
  readonly state: string
}

export interface Gate {
  readonly step_id: string
  readonly run_id: string
  readonly path: string
  readonly mode: string
  readonly state: string
}

/** An event of a run, and the writer of the batch it came with. */
export interface Story {
  readonly seq: number
  readonly name: string
  readonly run_id: string
  readonly data: {
    readonly step?: string
    readonly kind?: string
    readonly attempt?: number
    readonly operation_id?: string
    readonly error?: { readonly code: string }
  }
  readonly writer: string
}

/** A line of the observer. `operation` null: what acted has none to tell; then run and step say which. */
export interface Line {
  readonly kind: 'once' | 'again' | 'task' | 'flaky'
  readonly operation: string | null
  readonly run?: string
  readonly step?: string
}

export interface Records {
  readonly runs: readonly Run[]
  readonly effects: readonly Effect[]
  readonly gates: readonly Gate[]
  readonly stories: readonly Story[]
  readonly lines: readonly Line[]
  /** Tasks that have not ended. */
  readonly openTasks: readonly { readonly task_id: string; readonly run_id: string; readonly status: string }[]
  /** Instances that count as living though their process does not. */
  readonly ghosts: readonly string[]
  readonly batches: number
  readonly writers: number
}

export async function recordsOf(plant: Plant): Promise<Records> {
  const runs = await plant.read(
    (sql) => sql<Run[]>`
    SELECT run_id, name, inputs ->> 'tag' AS tag, blueprint, status, owner, condition ->> 'reason' AS reason,
           outputs -> 'result' AS result, error
    FROM runs WHERE inputs ->> 'tag' LIKE 'storm-%' ORDER BY created_at, run_id`,
  )
  const effects = await plant.read(
    (sql) => sql<Effect[]>`
    SELECT operation_id, run_id, path, tool, idempotent, state FROM effects ORDER BY operation_id`,
  )
  const gates = await plant.read((sql) => sql<Gate[]>`SELECT step_id, run_id, path, mode, state FROM gates`)
  const stories = await plant.read(
    (sql) => sql<Story[]>`
    SELECT e.seq, e.event_name AS name, e.run_id, e.data, b.writer FROM events e
    CROSS JOIN LATERAL (SELECT writer FROM log_batches WHERE last_seq >= e.seq ORDER BY last_seq LIMIT 1) b
    WHERE e.run_id IS NOT NULL ORDER BY e.seq`,
  )
  const openTasks = await plant.read(
    (sql) => sql<Records['openTasks'][number][]>`
    SELECT task_id, run_id, status FROM tasks WHERE status IN ('queued', 'leased')`,
  )
  const living = await plant.read(
    (sql) => sql<{ id: string; agent: string; pid: number | null }[]>`
    SELECT id, agent, pid FROM instances WHERE ended_at IS NULL`,
  )
  const [log] = await plant.read(
    (sql) => sql<{ batches: number; writers: number }[]>`
    SELECT count(*)::int AS batches, count(DISTINCT writer)::int AS writers FROM log_batches`,
  )
  return {
    runs,
    effects,
    gates,
    stories,
    openTasks,
    lines: linesOf(plant.effectsFile),
    ghosts: living
      .filter(({ pid }) => pid === null || identityOf(pid) === null)
      .map(({ id, agent, pid }) => `${agent} ${id}, pid ${pid}`),
    ...log!,
  }
}

function linesOf(file: string): Line[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}
