import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileBlueprint } from '../controller/src/blueprints/compile.ts'
import { systemClock } from '../controller/src/lib/clock.ts'
import { uuidv7 } from '../controller/src/lib/ids.ts'
import { createRunEngine } from '../controller/src/runs/engine.ts'
import type { AcceptedBlueprint, ToolRunner } from '../controller/src/runs/ports.ts'
import { createRunFolders } from '../controller/src/runs/run-folders.ts'
import { createTriggers } from '../controller/src/runs/triggers.ts'
import { startEmbeddedPostgres } from '../controller/src/store/embedded/embedded-postgres.ts'
import { openEventFeed } from '../controller/src/store/events-feed.ts'
import { Journal } from '../controller/src/store/journal.ts'
import { appendEvents } from '../controller/src/store/log.ts'
import { migrate } from '../controller/src/store/migrate.ts'
import type { Log } from '../controller/src/store/ports.ts'
import { openStore, type Store } from '../controller/src/store/store.ts'
import { transact } from '../controller/src/store/transact.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'

const USAGE = `From an event to the first step of the run it starts, one at a time, in one idle process on embedded Postgres.

Usage: npm run bench:trigger -- [options]

  --quick            50 events instead of 200
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured (default 3); the figures are of all events together
  -h, --help         this text

Example:
  npm run bench:trigger -- --json trigger.json

Rows: emit (until the event is durable), durable_to_step (from there until the step's tool is called), emit_to_step.
`
const WARM_UP = 20

const quiet: Log = { info: () => {}, warn: () => {}, error: (fields, message) => console.error(message, fields) }
const environmentOf = () => ({ id: 'default', stage: 'dev', autonomy: 'supervised' })

interface Sample {
  readonly emit: number
  readonly step: number
}

function acceptedBlueprint(): AcceptedBlueprint {
  const spec = {
    triggers: [{ event: 'bench.wanted' }],
    plan: [{ id: 'one', kind: 'action_task', action: 'bench.mark' }],
  }
  const source = { namespace: 'default', name: 'bench', spec, place: () => null }
  const compiled = compileBlueprint(source, { toolSchema: () => ({}) })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  const { plan, digest } = compiled
  return {
    uid: uuidv7(),
    namespace: 'default',
    name: 'bench',
    plan,
    digest,
    revision: '0'.repeat(40),
    suspended: false,
  }
}

/** Seconds of each event, in a process put together as `build` does it. */
async function measure(store: Store, dataDir: string, events: number): Promise<Sample[]> {
  let started: () => void = () => {}
  const tools: ToolRunner = {
    find: (name) => ({ name, idempotent: true, inputSchema: {}, timeoutMs: 60_000 }),
    run: async () => {
      started()
      return null
    },
  }
  const feed = await openEventFeed(store)
  const folders = createRunFolders(dataDir, quiet)
  const engine = createRunEngine({
    store,
    journal: new Journal(store),
    tools,
    folders,
    environmentOf,
    tasks: { canServe: () => false, enqueued: () => {}, cancelled: () => {} },
  })
  const blueprint = acceptedBlueprint()
  const triggers = createTriggers({
    store,
    blueprints: { all: () => [blueprint], find: () => blueprint },
    environmentOf,
    created: (runIds) => {
      for (const runId of runIds) engine.nudge(runId)
    },
  })
  feed.subscribe(() => triggers.nudge())
  triggers.start()
  engine.start()
  const samples: Sample[] = []
  for (let i = 0; i < events + WARM_UP; i++) {
    const begun = new Promise<number>((resolve) => {
      started = () => resolve(performance.now())
    })
    const from = performance.now()
    const { lastSeq } = await transact(store, (tx) => appendEvents(tx, store, [eventOf(i)]))
    const durable = performance.now()
    feed.nudge(lastSeq)
    const step = await begun
    if (i >= WARM_UP) samples.push({ emit: (durable - from) / 1000, step: (step - durable) / 1000 })
    // Idle: what the run still writes does not count.
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  await triggers.stop()
  await engine.stop()
  await folders.settled()
  await feed.close()
  return samples
}

function eventOf(n: number) {
  return {
    event_id: uuidv7(),
    event_name: 'bench.wanted',
    occurred_at: new Date(),
    env_id: 'default',
    actor: 'bench',
    correlation_id: `bench-${n}`,
    data: { n },
  }
}

const options = benchOptions(USAGE)
const dataDir = mkdtempSync(join(tmpdir(), 'stateward-bench-trigger-'))
const server = await startEmbeddedPostgres({ dataDir, log: quiet })
try {
  await migrate(server.urls.ownerUrl, { log: quiet })
  const store = await openStore(server.urls, {
    clock: systemClock,
    roles: ['bench'],
    host: hostname(),
    dataDirLocked: true,
    onLeaseLost: () => process.exit(70),
    log: quiet,
  })
  const samples: Sample[] = []
  for (let i = 0; i < options.repetitions; i++)
    samples.push(...(await measure(store, dataDir, options.quick ? 50 : 200)))
  const [row] = await store.reader<{ version: string }[]>`SELECT current_setting('server_version') AS version`
  await store.end()
  const machine = machineOf(row!.version)
  const rows = [
    { name: 'emit', values: samples.map(({ emit }) => emit) },
    { name: 'durable_to_step', values: samples.map(({ step }) => step) },
    { name: 'emit_to_step', values: samples.map(({ emit, step }) => emit + step) },
  ].map(({ name, values }) => ({
    name,
    events: values.length,
    p50_seconds: percentile(values, 50),
    p99_seconds: percentile(values, 99),
    max_seconds: Math.max(...values),
  }))
  const lines = rows.map(({ name, events, p50_seconds, p99_seconds, max_seconds }) => [
    name,
    String(events),
    ...[p50_seconds, p99_seconds, max_seconds].map(milliseconds),
  ])
  process.stdout.write(`${tableText(['', 'events', 'p50', 'p99', 'max'], lines)}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, rows)
} finally {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
