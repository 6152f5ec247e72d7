import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import postgres from 'postgres'
import { type Engine, type Servers, STEPS, serve } from './serve.ts'

/**
 * The least that a durable engine on Postgres has to do, with the best known way of doing it, and nothing else: no plan, no
 * expressions, no leases, no locks, no chain of hashes. One transition completes a step, writes its event, inserts the next
 * step as running and moves the run; transitions of all runs gather while one statement is in flight and go together in
 * the next.
 */

const SCHEMA = `
  CREATE TABLE runs (id uuid PRIMARY KEY, status text NOT NULL, cursor integer NOT NULL, input jsonb NOT NULL, output jsonb,
                     created_at timestamptz NOT NULL, completed_at timestamptz);
  CREATE TABLE steps (run_id uuid NOT NULL, k integer NOT NULL, status text NOT NULL, output jsonb,
                      started_at timestamptz NOT NULL, completed_at timestamptz, PRIMARY KEY (run_id, k));
  CREATE TABLE events (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, name text NOT NULL, run_id uuid NOT NULL,
                       k integer, occurred_at timestamptz NOT NULL, data jsonb NOT NULL);
  CREATE INDEX events_run ON events (run_id, seq);`

/** Step `k` of a run has ended, or with k = -1 the run begins. */
const STATEMENT = `
WITH moved AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::timestamptz[], $5::uuid[]) AS m (run_id, k, output, at, event_id)
), run_begins AS (
  INSERT INTO runs (id, status, cursor, input, created_at) SELECT run_id, 'running', 0, '{}', at FROM moved WHERE k = -1
), run_moves AS (
  UPDATE runs r SET cursor = m.k + 1, status = CASE WHEN m.k = ${STEPS - 1} THEN 'completed' ELSE 'running' END,
    output = CASE WHEN m.k = ${STEPS - 1} THEN m.output::jsonb END, completed_at = CASE WHEN m.k = ${STEPS - 1} THEN m.at END
  FROM moved m WHERE r.id = m.run_id AND m.k >= 0
), step_ends AS (
  UPDATE steps s SET status = 'completed', output = m.output::jsonb, completed_at = m.at
  FROM moved m WHERE s.run_id = m.run_id AND s.k = m.k
), step_begins AS (
  INSERT INTO steps (run_id, k, status, started_at) SELECT run_id, k + 1, 'running', at FROM moved WHERE k < ${STEPS - 1}
)
INSERT INTO events (id, name, run_id, k, occurred_at, data)
SELECT event_id, CASE WHEN k = -1 THEN 'run.started' ELSE 'step.completed' END, run_id, k, at, coalesce(output, '{}')::jsonb FROM moved`

interface Transition {
  readonly runId: string
  readonly k: number
  readonly output: string | null
  readonly durable: () => void
  readonly failed: (error: unknown) => void
}

const BATCH = 500

serve(start)

async function start({ databaseUrl }: Servers): Promise<Engine> {
  const sql = postgres(databaseUrl, {
    max: 1,
    onnotice: () => {},
    // The plan is cached while the tables are empty: it must not depend on their size.
    connection: { jit: 'off', enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' } as never,
  })
  await sql.unsafe(SCHEMA)
  let queue: Transition[] = []
  let flushing = false
  const flush = async (): Promise<void> => {
    await turn()
    while (queue.length > 0) {
      const batch = queue.slice(0, BATCH)
      queue = queue.slice(BATCH)
      const at = new Date().toISOString()
      try {
        const columns = [
          batch.map(({ runId }) => runId),
          batch.map(({ k }) => k),
          batch.map(({ output }) => output),
          batch.map(() => at),
          batch.map(() => randomUUID()),
        ]
        await sql.unsafe(STATEMENT, columns as never[], { prepare: true })
        for (const { durable } of batch) durable()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
      await turn()
    }
    flushing = false
  }
  const append = (runId: string, k: number, output: unknown): Promise<void> =>
    new Promise((durable, failed) => {
      queue.push({ runId, k, output: output === null ? null : JSON.stringify(output), durable, failed })
      if (!flushing) {
        flushing = true
        void flush()
      }
    })
  return {
    async run() {
      const runId = randomUUID()
      await append(runId, -1, null)
      for (let k = 0; k < STEPS; k++) await append(runId, k, { ok: true, k, msg: 'done' })
    },
    async verify(runs) {
      const [found] = await sql`
        SELECT (SELECT count(*)::int FROM runs WHERE status = 'completed') AS runs,
               (SELECT count(*)::int FROM steps WHERE status = 'completed') AS steps, (SELECT count(*)::int FROM events) AS events`
      const wanted = { runs, steps: runs * STEPS, events: runs * (STEPS + 1) }
      if (JSON.stringify(found) !== JSON.stringify(wanted))
        throw new Error(`stored ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
    },
    stop: () => sql.end(),
  }
}
