import { type Database, startDatabases } from './runs/databases.ts'
import { figuresOf, type Result } from './runs/figures.ts'
import { measure, type Plan } from './runs/measure.ts'
import { SUBJECTS } from './runs/subjects.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { writeRows } from './support/report.ts'

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
const databases = await startDatabases(null)
try {
  const results: Result[] = []
  for (const database of databases) for (const subject of SUBJECTS) results.push(await measured(database, subject))
  const machine = machineOf(databases.map(({ name, version }) => `${version} (${name})`).join(', '))
  const figures = figuresOf(results, plan)
  process.stdout.write(`\n${figures.text}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, figures.rows)
} finally {
  await Promise.all(databases.map((database) => database.stop()))
}

async function measured(database: Database, subject: (typeof SUBJECTS)[number]): Promise<Result> {
  process.stdout.write(`${subject.name} on ${database.name}\n`)
  return { subject, database: database.name, measured: await measure(database, subject, plan) }
}
