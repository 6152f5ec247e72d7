import postgres from 'postgres'
import type { Database } from './databases.ts'
import { type Measured, measure, type Subject } from './measure.ts'
import { CALLS, EFFECTS, FLOOR, TRANSFORMS } from './subjects.ts'

/** One line of how figures change with size. */
export interface GrowthRow {
  readonly name: string
  readonly what: string
  readonly runs: number
  readonly inFlight: number
  /** Steps of one run. */
  readonly steps: number
  readonly measured: Measured
}

/** Concurrent runs, steps of one run, rows that are there already, and the price of a commit. */
export async function measureGrowth(database: Database, quick: boolean): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = []
  const add = async (
    name: string,
    what: string,
    subject: Subject,
    size: { runs: number; inFlight: number; steps?: number },
  ): Promise<void> => {
    process.stdout.write(`${name}: ${what}\n`)
    const { runs, inFlight, steps = 5 } = size
    const plan = { runs, inFlight, repetitions: 1, samples: 0, warmUp: Math.min(200, runs) }
    rows.push({ name, what, runs, inFlight, steps, measured: await measure(database, subject, plan) })
  }
  for (const inFlight of quick ? [10, 100, 1000] : [10, 100, 1000, 10_000])
    await add('concurrent', `${inFlight.toLocaleString('en')} runs at once`, CALLS, {
      runs: Math.max(inFlight, quick ? 500 : 2000),
      inFlight,
    })
  await add('foreach', 'a foreach of 1,000 transforms, one run after the other', foreach(), {
    runs: quick ? 3 : 10,
    inFlight: 1,
    steps: 1000,
  })
  const finished = quick ? 100_000 : 1_000_000
  await add('history', `${finished.toLocaleString('en')} finished runs in the tables`, withHistory(finished), {
    runs: quick ? 200 : 1000,
    inFlight: 20,
  })
  const slow = { runs: quick ? 100 : 400, inFlight: 20 }
  await add('slow_commit_floor', `floor, every commit 2 ms slower (${SLOW})`, slowed(FLOOR), slow)
  await add('slow_commit', `every commit 2 ms slower (${SLOW})`, slowed(CALLS), slow)
  await add('slow_commit_effect', `calls with effects, every commit 2 ms slower (${SLOW})`, slowed(EFFECTS), slow)
  await add('slow_commit_transform', `transforms, every commit 2 ms slower (${SLOW})`, slowed(TRANSFORMS), slow)
  return rows
}

function foreach(): Subject {
  return { ...TRANSFORMS, options: { pure: 1, foreach: 1000 } }
}

/** Finished runs with their steps and effects, as the engine leaves them; events and batches are not made up. */
function withHistory(runs: number): Subject {
  return {
    ...CALLS,
    prepare: {
      after: (url) =>
        owned(url, async (sql) => {
          await sql.unsafe(`
            INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, priority, trigger, inputs,
                              outputs, actor, correlation_id, created_at, started_at, completed_at)
            SELECT gen_random_uuid(), 'default', 'old-' || i, gen_random_uuid(), 'old', repeat('a', 40),
                   (SELECT digest FROM compiled_plans LIMIT 1), 'completed', 0, 'manual', '{}', '{}', 'user:old', 'old',
                   now() - interval '1 day', now() - interval '1 day', now() - interval '1 day'
            FROM generate_series(1, ${runs}) i`)
          await sql.unsafe(`
            INSERT INTO steps (run_id, path, attempt, step_id, kind, status, outputs, started_at, completed_at)
            SELECT run_id, 's0', 1, gen_random_uuid(), 'action_task', 'completed', '{"ok": true}', started_at, completed_at
            FROM runs WHERE actor = 'user:old'`)
          await sql.unsafe('ANALYZE runs')
          await sql.unsafe('ANALYZE steps')
        }),
    },
  }
}

const SLOW = 'commit_delay = 2000, commit_siblings = 0'

/** The server waits that long before it flushes a commit, as if the disk did. */
function slowed(subject: Subject): Subject {
  return {
    ...subject,
    prepare: {
      before: (url) =>
        owned(url, async (sql) => {
          const name = new URL(url).pathname.slice(1)
          await sql.unsafe(`ALTER DATABASE ${name} SET commit_delay = 2000`)
          await sql.unsafe(`ALTER DATABASE ${name} SET commit_siblings = 0`)
        }),
    },
  }
}

async function owned(url: string, work: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}
