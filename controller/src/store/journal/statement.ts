import { GATE_STATES, gateTable } from '../../lifecycle/gate.ts'
import { runTable } from '../../lifecycle/run.ts'
import { STEP_STATES, stepTable } from '../../lifecycle/step.ts'
import { finalStates } from '../../lifecycle/table.ts'
import { LOG_CHANNEL } from '../log-channel.ts'
import { type Column, selectList, unnest } from './columns.ts'
import { DECISIONS, EFFECTS, EVENTS, GATES, NEW_RUNS, STEPS, TABLES, TASKS, type TableName, WAITS } from './tables.ts'

/**
 * A whole batch in one statement, so one round trip and one commit carry the transitions of all runs. A batch that has
 * nothing for some tables is sent with a statement that does not mention them: what a statement costs before its first row
 * is most of a small batch.
 *
 * - `held`: the writer's own row, locked: without it nothing below finds a row to work on, nothing is written.
 * - `ok`: every run of the batch is ours and in a state its transition starts from; if one is not, nothing is written.
 *   Compared so that no index on owners or states can be used: the one on run ids has to be.
 * - Locks are taken in one order, the same as everywhere: runs, gates, tasks, and the log's head last (it reads `done`,
 *   which reads every other part).
 * - What a wait begins with is the number of its own batch: everything logged later counts for it.
 * - A run that is created is inserted as it stands at the end of the batch; a name that is taken fails the statement.
 * - Rows of steps, gates and effects that are settled already are never changed.
 */

/** Tables that most batches have nothing for go together, so that there are few different statements. */
const SELDOM: readonly TableName[] = ['gates', 'tasks', 'taskCancels', 'consumed', 'waits', 'waitEnds', 'decisions']
const OFTEN: readonly TableName[] = ['moved', 'created', 'steps', 'effects', 'events']

const names = (columns: readonly { readonly name: string }[]): string => columns.map(({ name }) => name).join(', ')

const list = (states: readonly string[]): string => states.map((state) => `'${state}'`).join(', ')
const open = (all: readonly string[], final: readonly string[]): string[] =>
  all.filter((state) => !final.includes(state))

export interface Statement {
  /** The tables it has arrays for, in the order of its parameters. */
  readonly tables: readonly TableName[]
  readonly text: string
}

/** $1 writer, $2 n, $3 runs expected, $4 events, $5 digest of the events (hex), $6 channel; then the columns of the tables. */
const FIRST_ARRAY = 7
const made = new Map<string, Statement>()

/** The statement for a batch that has rows for these tables. */
export function statementFor(has: (table: TableName) => boolean): Statement {
  const seldom = SELDOM.some(has)
  const tables = [...OFTEN.filter(has), ...(seldom ? SELDOM : [])]
  const key = tables.join()
  let statement = made.get(key)
  if (statement === undefined) {
    statement = { tables, text: textOf(tables) }
    made.set(key, statement)
  }
  return statement
}

/** Every statement there is. */
export function allStatements(): readonly Statement[] {
  const shapes = 2 ** (OFTEN.length + 1)
  return Array.from({ length: shapes }, (_, bits) =>
    statementFor((table) => {
      const place = OFTEN.indexOf(table)
      return (bits & (1 << (place < 0 ? OFTEN.length : place))) !== 0
    }),
  )
}

function textOf(tables: readonly TableName[]): string {
  const has = (table: TableName): boolean => tables.includes(table)
  const rows = unnestOf(tables)
  const parts = [
    'held AS MATERIALIZED (SELECT id FROM writers WHERE id = $1::uuid FOR KEY SHARE)',
    ...(has('moved')
      ? [moved(rows('moved', 'm'))]
      : ['ok AS MATERIALIZED (SELECT id FROM held WHERE $3::integer = 0)']),
    ...(has('created') ? [created(rows('created', 'c'))] : []),
    ...(has('gates') ? [seldom(rows, has('moved'))] : []),
    ...(has('steps') ? [steps(rows('steps', 's'))] : []),
    ...(has('effects') ? [effects(rows('effects', 'e'))] : []),
  ]
  const done = [...parts.join(', ').matchAll(/(\w+_done) AS \(/g)].map(([, name]) => `(SELECT count(*) FROM ${name})`)
  if (has('events')) parts.push(log(done, rows('events', 'e')))
  if (has('waits')) parts.push(waits(rows('waits', 'w'), has('events')))
  const head = has('events')
    ? `(SELECT seq FROM head) AS last_seq, (SELECT encode(hash, 'hex') FROM head) AS hash,
       (SELECT pg_notify($6::text, seq::text) FROM head)`
    : 'NULL::bigint AS last_seq, NULL::text AS hash, $2::bigint, $4::bigint, $5::text, $6::text'
  return `WITH ${parts.join(', ')} SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM ok) AS ok, ${head}`
    .replaceAll(/\s+/g, ' ')
    .trim()
}

type Rows = (table: TableName, alias: string) => string

function unnestOf(tables: readonly TableName[]): Rows {
  const starts = new Map<TableName, number>()
  let next = FIRST_ARRAY
  for (const table of tables) {
    starts.set(table, next)
    next += TABLES[table].length
  }
  return (table, alias) => unnest(TABLES[table] as readonly Column<never>[], starts.get(table)!, alias)
}

const moved = (rows: string): string => `
moved AS MATERIALIZED (
  SELECT * FROM ${rows}
), locked AS MATERIALIZED (
  SELECT r.run_id FROM moved, held, runs r
  WHERE r.run_id = moved.run_id AND r.owner IS NOT DISTINCT FROM held.id
    AND r.status = ANY(string_to_array(moved.from_status, ','))
  FOR NO KEY UPDATE OF r
), ok AS MATERIALIZED (
  SELECT held.id FROM held WHERE (SELECT count(*) FROM locked) = $3::integer
), runs_done AS (
  UPDATE runs r SET
    status = m.status,
    owner = CASE WHEN m.release THEN NULL ELSE r.owner END,
    wake_at = CASE
      WHEN NOT m.release THEN r.wake_at
      WHEN m.status IN (${list(finalStates(runTable))}) THEN NULL
      WHEN r.signals = m.signals THEN m.wake_at
      ELSE m.now
    END,
    outputs = m.outputs::jsonb,
    error = m.error::jsonb,
    condition = m.condition::jsonb,
    started_at = m.started_at,
    completed_at = m.completed_at,
    deadline = m.deadline
  FROM moved m, ok WHERE r.run_id = m.run_id
  RETURNING 1
)`

const created = (rows: string): string => `
created_done AS (
  INSERT INTO runs (${names(NEW_RUNS)}, status, owner, wake_at, outputs, error, condition, started_at, completed_at, deadline)
  SELECT ${selectList(NEW_RUNS, 'c')}, c.status, CASE WHEN c.release THEN NULL ELSE ok.id END,
    CASE WHEN NOT c.release THEN c.created_at WHEN c.status IN (${list(finalStates(runTable))}) THEN NULL ELSE c.wake_at END,
    c.outputs::jsonb, c.error::jsonb, c.condition::jsonb, c.started_at, c.completed_at, c.deadline
  FROM ok, ${rows}
  RETURNING 1
)`

const seldom = (rows: Rows, afterRuns: boolean): string => `
gates_done AS (
  INSERT INTO gates (${names(GATES)})
  SELECT ${selectList(GATES, 'g').replace('g.approvers::jsonb', 'ARRAY(SELECT jsonb_array_elements_text(g.approvers::jsonb))')}
  FROM ok, ${afterRuns ? '(SELECT count(*) FROM runs_done) AS after, ' : ''}${rows('gates', 'g')}
  ON CONFLICT (step_id) DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at WHERE gates.state IN (${list(open(GATE_STATES, finalStates(gateTable)))})
  RETURNING 1
), cancels_done AS (
  UPDATE tasks t SET status = 'cancelled', completed_at = c.completed_at
  FROM ok, (SELECT count(*) FROM gates_done) AS after, ${rows('taskCancels', 'c')}
  WHERE t.run_id = c.run_id AND t.step_id = c.step_id AND t.status IN ('queued', 'leased')
  RETURNING 1
), tasks_done AS (
  INSERT INTO tasks (status, ${names(TASKS)})
  SELECT 'queued', ${selectList(TASKS, 't')} FROM ok, ${rows('tasks', 't')}
  RETURNING 1
), inbox_done AS (
  UPDATE run_inbox i SET consumed_at = coalesce(i.consumed_at, c.consumed_at)
  FROM ok, ${rows('consumed', 'c')} WHERE i.id = c.id
  RETURNING 1
), waits_done AS (
  DELETE FROM waits w USING ok, ${rows('waitEnds', 'e')} WHERE w.step_id = e.step_id
  RETURNING 1
), decisions_done AS (
  INSERT INTO policy_decisions (${names(DECISIONS)})
  SELECT ${selectList(DECISIONS, 'd')} FROM ok, ${rows('decisions', 'd')}
  RETURNING 1
)`

const steps = (rows: string): string => `
steps_done AS (
  INSERT INTO steps (${names(STEPS)})
  SELECT ${selectList(STEPS, 's')} FROM ok, ${rows}
  ON CONFLICT (run_id, path, attempt) DO UPDATE SET
    status = excluded.status, inputs = excluded.inputs, outputs = excluded.outputs, error = excluded.error,
    condition = excluded.condition, started_at = excluded.started_at, completed_at = excluded.completed_at,
    next_attempt_at = excluded.next_attempt_at
  WHERE steps.status IN (${list(open(STEP_STATES, finalStates(stepTable)))})
  RETURNING 1
)`

const effects = (rows: string): string => `
effects_done AS (
  INSERT INTO effects (${names(EFFECTS)})
  SELECT ${selectList(EFFECTS, 'e')} FROM ok, ${rows}
  ON CONFLICT (operation_id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at
  WHERE effects.state IN ('intent', 'quarantined')
  RETURNING 1
)`

const log = (done: readonly string[], rows: string): string => `
done AS MATERIALIZED (
  SELECT ${done.length === 0 ? '0' : done.join(' + ')} AS rows
), head AS (
  UPDATE log_head h SET seq = h.seq + $4::bigint, hash = sha256(h.hash || decode($5::text, 'hex'))
  FROM ok, done WHERE h.one AND done.rows >= 0
  RETURNING h.seq, h.hash
), batch AS (
  INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
  SELECT $1::uuid, $2::bigint, seq - $4::bigint + 1, seq, decode($5::text, 'hex'), hash FROM head
), appended AS (
  INSERT INTO events (seq, ${names(EVENTS)})
  SELECT head.seq - $4::bigint + e.place, ${selectList(EVENTS, 'e')} FROM head, ${rows}
)`

const waits = (rows: string, withEvents: boolean): string => `
waits_begun AS (
  INSERT INTO waits (${names(WAITS)}, from_seq)
  SELECT ${selectList(WAITS, 'w')}, head.seq FROM ${withEvents ? 'head' : '(SELECT h.seq FROM ok, log_head h WHERE h.one) AS head'}, ${rows}
)`

/** The channel on which the log announces its last number: the statement's sixth parameter. */
export const ANNOUNCE_ON = LOG_CHANNEL

export interface JournalResult {
  readonly held: boolean
  readonly ok: boolean
  readonly last_seq: number | null
  readonly hash: string | null
}
