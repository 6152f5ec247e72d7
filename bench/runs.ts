import { fileURLToPath } from 'node:url'
import { type Database, startDatabases } from './runs/databases.ts'
import { figuresOf, type Result } from './runs/figures.ts'
import { measureGrowth } from './runs/growth.ts'
import { installPeers } from './runs/install-peers.ts'
import { measure, type Plan } from './runs/measure.ts'
import { startRedis } from './runs/redis.ts'
import { type NamedSubject, SUBJECTS } from './runs/subjects.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { writeRows } from './support/report.ts'

const REDIS_FOLDER = fileURLToPath(new URL('./node_modules/.cache/redis', import.meta.url))

const USAGE = `Durable runs: 1,000 runs of 5 trivial steps, 20 at a time, on a Postgres with fsync and synchronous_commit on.

Usage: npm run bench:runs [-- options]

  --quick            200 runs instead of 1,000
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured, in the same process and database (default 3)
  -h, --help         this text

Examples:
  npm run bench:runs
  npm run bench:runs -- --quick
  npm run bench:runs -- --json runs.json && jq '.rows[] | {name, database, steps_per_second}' runs.json

Rows: stateward and stateward-transform (the engine with nothing switched off), floor (the least that any engine has to do, by the
same group commit), dbos, graphile-worker, pg-boss, bullmq, restate (peers, installed into bench/node_modules at the first use; what
cannot run here is a row that says why). Then how it grows: runs at once, a foreach, finished runs in the tables, slow commits.

Everything is measured on the embedded Postgres, and on that of DATABASE_URL (it has to be empty and may create databases) or else
the newest one that this machine has installed. Load generator, engine and database share the machine.
`

const options = benchOptions(USAGE)
const plan: Plan = {
  runs: options.quick ? 200 : 1000,
  inFlight: 20,
  repetitions: options.repetitions,
  samples: options.quick ? 50 : 200,
  warmUp: 200,
}
const peersMissing = installPeers()
const redis = peersMissing === null ? await startRedis(REDIS_FOLDER) : peersMissing
const databases = await startDatabases()
try {
  const results: Result[] = []
  for (const [i, database] of databases.entries())
    for (const subject of SUBJECTS)
      if (subject.keeps === 'postgres' || i === 0) results.push(await measured(database, subject))
  const growth = await measureGrowth(databases.at(-1)!, options.quick)
  const machine = machineOf(databases.map(({ name, version }) => `${version} (${name})`).join(', '))
  const figures = figuresOf(results, plan, growth)
  process.stdout.write(`\n${figures.text}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, figures.rows)
} finally {
  await Promise.all([...databases, ...(typeof redis === 'string' ? [] : [redis])].map((server) => server.stop()))
}

async function measured(database: Database, subject: NamedSubject): Promise<Result> {
  const where = subject.keeps === 'postgres' ? database.name : subject.keeps
  const skipped =
    subject.isPeer && peersMissing !== null
      ? peersMissing
      : subject.keeps === 'redis' && typeof redis === 'string'
        ? redis
        : null
  process.stdout.write(`${subject.name} on ${where}${skipped === null ? '' : `: skipped, ${skipped}`}\n`)
  if (skipped !== null) return { subject, database: where, skipped }
  const needs = typeof redis === 'string' ? {} : { redisPort: redis.port }
  try {
    return { subject, database: where, measured: await measure(database, { ...subject, ...needs }, plan) }
  } catch (error) {
    // A peer that does not run on this machine must not hide what does.
    if (!subject.isPeer) throw error
    return { subject, database: where, skipped: error instanceof Error ? error.message : String(error) }
  }
}
