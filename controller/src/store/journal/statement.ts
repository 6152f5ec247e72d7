import { GATE_STATES, gateTable } from '../../lifecycle/gate.ts'
import { runTable } from '../../lifecycle/run.ts'
import { STEP_STATES, stepTable } from '../../lifecycle/step.ts'
import { finalStates } from '../../lifecycle/table.ts'
import { LOG_CHANNEL } from '../log.ts'
import { type Column, selectList, unnest } from './columns.ts'
import {
  CONSUMED,
  CREATED,
  EFFECTS,
  EVENTS,
  GATES,
  NEW_RUNS,
  RUNS,
  STEPS,
  TASK_CANCELS,
  TASKS,
  WAIT_ENDS,
  WAITS,
} from './tables.ts'

/**
 * A whole batch in one statement, so one round trip and one commit carry the transitions of all runs.
 *
 * - `held`: the writer's own row, locked: without it nothing below finds a row to work on, nothing is written.
 * - `ok`: every run of the batch is ours and in a state its transition starts from; if one is not, nothing is written.
 * - Locks are taken in one order, the same as everywhere: runs, gates, tasks, and the log's head last (it reads `done`,
 *   which reads every other part).
 * - What a wait begins with is the number of its own batch: everything logged later counts for it.
 * - A run that is created is inserted as it stands at the end of the batch; a name that is taken fails the statement.
 * - Rows of steps, gates and effects that are settled already are never changed.
 */
const FIRST_ARRAY = 7
const TABLES = [RUNS, CREATED, STEPS, GATES, EFFECTS, TASKS, TASK_CANCELS, CONSUMED, EVENTS, WAITS, WAIT_ENDS] as const
const [runsAt, createdAt, stepsAt, gatesAt, effectsAt, tasksAt, cancelsAt, consumedAt, eventsAt, waitsAt, waitEndsAt] =
  starts()

type Starts = [number, number, number, number, number, number, number, number, number, number, number]

function starts(): Starts {
  const at: number[] = []
  let next = FIRST_ARRAY
  for (const table of TABLES) {
    at.push(next)
    next += table.length
  }
  return at as Starts
}

const names = (columns: readonly { readonly name: string }[]): string => columns.map(({ name }) => name).join(', ')

const list = (states: readonly string[]): string => states.map((state) => `'${state}'`).join(', ')
const open = (all: readonly string[], final: readonly string[]): string[] =>
  all.filter((state) => !final.includes(state))

/** $1 writer, $2 n, $3 runs expected, $4 events, $5 digest of the events (hex), $6 channel. */
export const JOURNAL_STATEMENT = `
WITH held AS MATERIALIZED (
  SELECT id FROM writers WHERE id = $1::uuid FOR KEY SHARE
), moved AS MATERIALIZED (
  SELECT * FROM ${unnest(RUNS, runsAt, 'm')}
), locked AS MATERIALIZED (
  SELECT r.run_id FROM moved, held, runs r
  WHERE r.run_id = moved.run_id AND r.owner = held.id AND r.status = ANY(string_to_array(moved.from_status, ','))
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
), created_done AS (
  INSERT INTO runs (${names(NEW_RUNS)}, status, owner, wake_at, outputs, error, condition, started_at, completed_at, deadline)
  SELECT ${selectList(NEW_RUNS, 'c')}, c.status, CASE WHEN c.release THEN NULL ELSE ok.id END,
    CASE WHEN NOT c.release THEN c.created_at WHEN c.status IN (${list(finalStates(runTable))}) THEN NULL ELSE c.wake_at END,
    c.outputs::jsonb, c.error::jsonb, c.condition::jsonb, c.started_at, c.completed_at, c.deadline
  FROM ok, ${unnest(CREATED as readonly Column<never>[], createdAt, 'c')}
  RETURNING 1
), gates_done AS (
  INSERT INTO gates (${names(GATES)})
  SELECT ${selectList(GATES, 'g').replace('g.approvers::jsonb', 'ARRAY(SELECT jsonb_array_elements_text(g.approvers::jsonb))')}
  FROM ok, (SELECT count(*) FROM runs_done) AS after, ${unnest(GATES, gatesAt, 'g')}
  ON CONFLICT (step_id) DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at WHERE gates.state IN (${list(open(GATE_STATES, finalStates(gateTable)))})
  RETURNING 1
), cancels_done AS (
  UPDATE tasks t SET status = 'cancelled', completed_at = c.completed_at
  FROM ok, (SELECT count(*) FROM gates_done) AS after, ${unnest(TASK_CANCELS, cancelsAt, 'c')}
  WHERE t.run_id = c.run_id AND t.step_id = c.step_id AND t.status IN ('queued', 'leased')
  RETURNING 1
), tasks_done AS (
  INSERT INTO tasks (status, ${names(TASKS)})
  SELECT 'queued', ${selectList(TASKS, 't')} FROM ok, ${unnest(TASKS, tasksAt, 't')}
  RETURNING 1
), steps_done AS (
  INSERT INTO steps (${names(STEPS)})
  SELECT ${selectList(STEPS, 's')} FROM ok, ${unnest(STEPS, stepsAt, 's')}
  ON CONFLICT (run_id, path, attempt) DO UPDATE SET
    status = excluded.status, inputs = excluded.inputs, outputs = excluded.outputs, error = excluded.error,
    condition = excluded.condition, started_at = excluded.started_at, completed_at = excluded.completed_at,
    next_attempt_at = excluded.next_attempt_at
  WHERE steps.status IN (${list(open(STEP_STATES, finalStates(stepTable)))})
  RETURNING 1
), effects_done AS (
  INSERT INTO effects (${names(EFFECTS)})
  SELECT ${selectList(EFFECTS, 'e')} FROM ok, ${unnest(EFFECTS, effectsAt, 'e')}
  ON CONFLICT (operation_id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at
  WHERE effects.state IN ('intent', 'quarantined')
  RETURNING 1
), inbox_done AS (
  UPDATE run_inbox i SET consumed_at = c.consumed_at
  FROM ok, ${unnest(CONSUMED, consumedAt, 'c')} WHERE i.id = c.id AND i.consumed_at IS NULL
  RETURNING 1
), waits_ended AS (
  DELETE FROM waits w USING ok, ${unnest(WAIT_ENDS, waitEndsAt, 'e')} WHERE w.step_id = e.step_id
  RETURNING 1
), done AS MATERIALIZED (
  SELECT (SELECT count(*) FROM runs_done) + (SELECT count(*) FROM created_done) + (SELECT count(*) FROM gates_done) + (SELECT count(*) FROM cancels_done)
       + (SELECT count(*) FROM tasks_done) + (SELECT count(*) FROM steps_done) + (SELECT count(*) FROM effects_done)
       + (SELECT count(*) FROM inbox_done) + (SELECT count(*) FROM waits_ended) AS rows
), head AS (
  UPDATE log_head h SET seq = h.seq + $4::bigint, hash = sha256(h.hash || decode($5::text, 'hex'))
  FROM ok, done WHERE h.one AND $4::bigint > 0 AND done.rows >= 0
  RETURNING h.seq, h.hash
), batch AS (
  INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
  SELECT $1::uuid, $2::bigint, seq - $4::bigint + 1, seq, decode($5::text, 'hex'), hash FROM head
), appended AS (
  INSERT INTO events (seq, ${names(EVENTS)})
  SELECT head.seq - $4::bigint + e.place, ${selectList(EVENTS, 'e')} FROM head, ${unnest(EVENTS, eventsAt, 'e')}
), waits_begun AS (
  INSERT INTO waits (${names(WAITS)}, from_seq)
  SELECT ${selectList(WAITS, 'w')}, head.seq FROM head, ${unnest(WAITS, waitsAt, 'w')}
)
SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM ok) AS ok,
       (SELECT seq FROM head) AS last_seq, (SELECT encode(hash, 'hex') FROM head) AS hash,
       (SELECT pg_notify($6::text, seq::text) FROM head)`
  .replaceAll(/\s+/g, ' ')
  .trim()

/** The channel on which the log announces its last number: the statement's sixth parameter. */
export const ANNOUNCE_ON = LOG_CHANNEL

export interface JournalResult {
  readonly held: boolean
  readonly ok: boolean
  readonly last_seq: number | null
  readonly hash: string | null
}
