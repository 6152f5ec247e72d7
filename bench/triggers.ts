import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../controller/src/store/database.ts'
import { startEmbeddedPostgres } from '../controller/src/store/embedded/embedded-postgres.ts'
import { migrate } from '../controller/src/store/migrate.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'
import { type Floor, measureFloor } from './triggers/floor.ts'
import { measureAcross, measureInProcess, type Sample } from './triggers/measure.ts'
import { quiet } from './triggers/parts.ts'

const USAGE = `From an event to the first step of the run it starts, one event at a time, everything idle, on embedded Postgres.

Usage: npm run bench:triggers -- [options]

  --quick            50 events each instead of 200
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured (default 3); the figures are of all events together
  -h, --help         this text

Examples:
  npm run bench:triggers
  npm run bench:triggers -- --json triggers.json && jq '.rows[] | select(.name == "in_process")' triggers.json

Rows: floor_commit (one row inserted and committed, nothing else), floor_notified (the same, until another process has heard
of it), in_process and across_processes (from before the event is written until the tool of the first step is called; across:
one process writes the event, another one matches it, a third one runs the step), and of both the part after the event was
durable, which is when POST /api/v1/events answers.
`
const PAUSE_MS = 15

const options = benchOptions(USAGE)
const dataDir = mkdtempSync(join(tmpdir(), 'stateward-bench-triggers-'))
const server = await startEmbeddedPostgres({ dataDir, log: quiet })
try {
  const { urls } = server
  await migrate(urls.ownerUrl, { log: quiet })
  const workload = { urls, dataDir, events: options.quick ? 50 : 200, pauseMs: PAUSE_MS }
  const floors: Floor[] = []
  const within: Sample[] = []
  const across: Sample[] = []
  for (let i = 1; i <= options.repetitions; i++) {
    process.stdout.write(`repetition ${i} of ${options.repetitions}\n`)
    floors.push(await measureFloor(urls, workload.events, PAUSE_MS))
    within.push(...(await measureInProcess(workload)))
    across.push(...(await measureAcross(workload)))
  }
  const commit = floors.flatMap((floor) => floor.commit)
  const floor = percentile(commit, 50)
  const rows = [
    { name: 'floor_commit', values: commit },
    { name: 'floor_notified', values: floors.flatMap(({ notified }) => notified) },
    { name: 'in_process', values: within.map(({ step }) => step) },
    { name: 'in_process_after_durable', values: within.map(({ step, durable }) => step - durable) },
    { name: 'across_processes', values: across.map(({ step }) => step) },
    { name: 'across_processes_after_durable', values: across.map(({ step, durable }) => step - durable) },
  ].map(({ name, values }) => ({
    name,
    events: values.length,
    p50_seconds: percentile(values, 50),
    p99_seconds: percentile(values, 99),
    max_seconds: Math.max(...values),
    p50_floors: percentile(values, 50) / floor,
  }))
  const lines = rows.map(({ name, events, p50_seconds, p99_seconds, max_seconds, p50_floors }) => [
    name,
    String(events),
    ...[p50_seconds, p99_seconds, max_seconds].map(milliseconds),
    p50_floors.toFixed(1),
  ])
  const machine = machineOf(await versionOf(urls.ownerUrl))
  const head = ['', 'events', 'p50', 'p99', 'max', 'p50 / floor_commit']
  process.stdout.write(`\n${tableText(head, lines)}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, rows)
} finally {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function versionOf(url: string): Promise<string> {
  const sql = connect(url, { max: 1, applicationName: 'bench', namedStatements: true })
  const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`
  await sql.end()
  return row!.version
}
