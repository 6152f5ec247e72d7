import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'
import { askModel } from '../controller/src/models/ask-model.ts'
import { startEmbeddedPostgres } from '../controller/src/store/embedded/embedded-postgres.ts'
import { migrate } from '../controller/src/store/migrate.ts'
import { declareBudget } from '../controller/test/support/budget-stack.ts'
import { ask, modelStack } from '../controller/test/support/model-stack.ts'
import { cpuSecondsOfTree, cpuSecondsSince } from './support/cpu-time.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'
import { measureFloor } from './triggers/floor.ts'
import { openBenchStore, quiet } from './triggers/parts.ts'

const USAGE = `What the gateway to models adds to a call, against a local server that answers at once, on embedded Postgres with fsync.

Usage: npm run bench:models -- [options]

  --quick            100 calls each instead of 400
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured (default 3); the figures are of all calls together
  -h, --help         this text

Rows: library (the provider's library alone, asked as the gateway asks it), sdk (streamText of the ai SDK), gateway_free (a call that
costs nothing: one statement after it), gateway_paid (with a price, a budget and a limit a minute: one before and one after). One call at
a time, and 200 streams at once. added: the median minus that of the library. cpu: what this process computes for a call, and the database.
floor_commit: one row inserted and committed; what is added is this at least, once for a free call and twice for a paid one.
`
const STREAMS = 200
const PROGRAM = fileURLToPath(new URL('../controller/test/support/model-server-process.ts', import.meta.url))
const signal = new AbortController().signal
const options = benchOptions(USAGE)
const calls = options.quick ? 100 : 400

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const dataDir = mkdtempSync(join(tmpdir(), 'stateward-bench-models-'))
const port = await freePort()
const child = spawn(process.execPath, [PROGRAM, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
await once(child.stdout, 'data')
const database = await startEmbeddedPostgres({ dataDir, log: quiet })
try {
  await migrate(database.urls.ownerUrl, { log: quiet })
  const store = await openBenchStore(database.urls, 'bench')
  await declareBudget(store, { max: '1000000', thresholds: [] })
  const baseURL = `http://127.0.0.1:${port}/v1`
  const wire = { type: 'openai-compatible' as const, baseURL, concurrency: 1000, models: [{ name: 'm' }] }
  const stack = modelStack(store)
  stack.provider('free', { ...wire, class: 'local' })
  stack.provider('paid', {
    ...wire,
    rateLimit: { requestsPerMinute: 1_000_000 },
    pricing: { inputPerMTok: 1, outputPerMTok: 1 },
  })
  const sdk = createOpenAICompatible({ name: 'bench', baseURL, includeUsage: true })('m')
  const connection = { spec: { ...wire, models: [] }, model: 'm', modelSpec: undefined, key: null }
  const { asker: _, ...prompt } = ask('Say ok.')
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    library: () => askModel({ connection, prompt, timeoutMs: 60_000, signal, onText: () => {} }),
    async sdk() {
      for await (const part of streamText({ model: sdk, prompt: 'Say ok.', maxRetries: 0 }).stream) void part
    },
    gateway_free: () => stack.gateway.invoke(ask('Say ok.', { provider: 'free', model: 'm' }), { signal }),
    gateway_paid: () => stack.gateway.invoke(ask('Say ok.', { provider: 'paid', model: 'm' }), { signal }),
  }
  const floor: number[] = []
  const alone = new Map<string, number[]>()
  const together = new Map<string, number[]>()
  const cpu = new Map<string, number[]>()
  const cpuOfDatabase = new Map<string, number[]>()
  const databaseCpu = () => cpuSecondsOfTree(database.pid) ?? 0
  const timed = async (once: () => Promise<unknown>): Promise<number> => {
    const since = performance.now()
    await once()
    return (performance.now() - since) / 1000
  }
  const add = (map: Map<string, number[]>, name: string, values: number[]) =>
    map.set(name, [...(map.get(name) ?? []), ...values])
  for (let i = 1; i <= options.repetitions; i++) {
    process.stdout.write(`repetition ${i} of ${options.repetitions}\n`)
    floor.push(...(await measureFloor(database.urls, calls, 0)).commit)
    for (const [name, way] of Object.entries(ways)) {
      for (let warm = 0; warm < 50; warm++) await way()
      const values: number[] = []
      const [ofDatabase, own] = [databaseCpu(), process.cpuUsage()]
      for (let n = 0; n < calls; n++) values.push(await timed(way))
      add(cpu, name, [cpuSecondsSince(own) / calls])
      add(cpuOfDatabase, name, [(databaseCpu() - ofDatabase) / calls])
      add(alone, name, values)
      // All of them, until the last has ended.
      add(together, name, [await timed(() => Promise.all(Array.from({ length: STREAMS }, way)))])
    }
  }
  await stack.gateway.settled()
  const base = percentile(alone.get('library')!, 50)
  const rows = Object.keys(ways).map((name) => ({
    name,
    calls: alone.get(name)!.length,
    p50_seconds: percentile(alone.get(name)!, 50),
    p99_seconds: percentile(alone.get(name)!, 99),
    added_p50_seconds: percentile(alone.get(name)!, 50) - base,
    cpu_seconds: percentile(cpu.get(name)!, 50),
    database_cpu_seconds: percentile(cpuOfDatabase.get(name)!, 50),
    streams_200_seconds: percentile(together.get(name)!, 50),
  }))
  const lines = rows.map((row) => [
    row.name,
    String(row.calls),
    ...[row.p50_seconds, row.p99_seconds, row.added_p50_seconds].map(milliseconds),
    ...[row.cpu_seconds, row.database_cpu_seconds, row.streams_200_seconds].map(milliseconds),
  ])
  lines.push([
    'floor_commit',
    String(floor.length),
    ...[percentile(floor, 50), percentile(floor, 99)].map(milliseconds),
    ...['', '', '', ''],
  ])
  const machine = machineOf('embedded')
  const head = ['', 'calls', 'p50', 'p99', 'added p50', 'cpu', 'cpu of database', `${STREAMS} streams`]
  process.stdout.write(`\n${tableText(head, lines)}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, rows)
  await store.end()
} finally {
  child.kill()
  await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
