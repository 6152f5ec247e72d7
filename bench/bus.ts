import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../controller/src/store/database.ts'
import { startEmbeddedPostgres } from '../controller/src/store/embedded/embedded-postgres.ts'
import { migrate } from '../controller/src/store/migrate.ts'
import { bearer, load, measurePickup, measureStreams, POSTS, type Server, startServer, withCpu } from './bus/measure.ts'
import type { Subject } from './bus/server.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { megabytes, milliseconds, tableText, writeRows } from './support/report.ts'
import { type Spread, spreadOf } from './support/statistics.ts'

const USAGE = `The bus under load, on embedded Postgres with fsync: durable events and messages over HTTP, streams, tasks.

Usage: npm run bench:bus -- [options]

  --quick            3 seconds a figure instead of 10, streams for 10 seconds instead of 60
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often posts are measured (default 3); the figures are medians
  -h, --help         this text

Environment:
  STREAM_SECONDS     how long events reach the streams; 600 shows that memory stays flat

Rows: floor_insert (a bare Fastify route with one insert a request), floor_coalesced (the same, one insert for all that came
meanwhile), post_event and post_message (POST /api/v1/events and /api/v1/messages), each at 50 connections that wait for
their answers, with the processor time of the server for each request; streams (1,000 clients of /events/ui while 100 events a second are sent: from before the request to the
client); pickup (10 connections take tasks one by one).
`
const CONNECTIONS = 50
const STREAM_CLIENTS = 1_000
const EVENTS_PER_SECOND = 100
const PICKERS = 10

const quiet = { info() {}, warn() {}, error() {} }
const options = benchOptions(USAGE)
const seconds = options.quick ? 3 : 10
const streamSeconds = Number(process.env['STREAM_SECONDS'] ?? (options.quick ? 10 : 60))
const dataDir = mkdtempSync(join(tmpdir(), 'stateward-bench-bus-'))
const database = await startEmbeddedPostgres({ dataDir, log: quiet })
try {
  const url = database.urls.ownerUrl
  await migrate(url, { log: quiet })
  const repo = stateRepo(join(dataDir, 'state'))
  const start = (subject: Subject) => startServer({ subject, databaseUrl: url, dataDir, repo })
  process.stdout.write(
    'limits: none (100 requests a second of a principal and 1,000 in all are off), 100 streams of a key\n',
  )

  const posts = new Map<string, { rates: number[]; p50: number[]; p99: number[]; cpu: number[] }>()
  for (let i = 1; i <= options.repetitions; i++) {
    process.stdout.write(`repetition ${i} of ${options.repetitions}\n`)
    for (const [name, { subject, path, body }] of Object.entries(POSTS)) {
      const result = await withServer(await start(subject), (server) =>
        withCpu(server, () =>
          load({
            url: server.url,
            path,
            callers: [{ headers: bearer(server.token), body }],
            status: 201,
            connections: CONNECTIONS,
            warmupSeconds: 2,
            seconds,
          }),
        ),
      )
      const known = posts.get(name) ?? { rates: [], p50: [], p99: [], cpu: [] }
      known.rates.push(result.requests_per_second)
      known.p50.push(result.p50_seconds)
      known.p99.push(result.p99_seconds)
      known.cpu.push((result.cpu_seconds ?? Number.NaN) / result.requests)
      posts.set(name, known)
    }
  }
  const [streams, pickup] = await withServer(await start('stateward'), async (server) => [
    await measureStreams(server, {
      clients: STREAM_CLIENTS,
      eventsPerSecond: EVENTS_PER_SECOND,
      seconds: streamSeconds,
    }),
    await measurePickup(server, url, { seconds, connections: PICKERS, tasks: 100_000 }),
  ])

  const machine = machineOf(await versionOf(url))
  const floor = spreadOf(posts.get('floor_insert')!.rates).median
  const coalesced = spreadOf(posts.get('floor_coalesced')!.rates).median
  const rows = [...posts].map(([name, { rates, p50, p99, cpu }]) => {
    const rate = spreadOf(rates)
    return {
      name,
      requests_per_second: rate.median,
      requests_per_second_min: rate.min,
      requests_per_second_max: rate.max,
      p50_seconds: spreadOf(p50).median,
      p99_seconds: spreadOf(p99).median,
      cpu_seconds_per_request: spreadOf(cpu).median,
      of_floor_insert: rate.median / floor,
      of_floor_coalesced: rate.median / coalesced,
    }
  })
  const lines = rows.map((row) => [
    row.name,
    rateText({ median: row.requests_per_second, min: row.requests_per_second_min, max: row.requests_per_second_max }),
    milliseconds(row.p50_seconds),
    milliseconds(row.p99_seconds),
    milliseconds(row.cpu_seconds_per_request),
    row.of_floor_insert.toFixed(2),
    row.of_floor_coalesced.toFixed(2),
  ])
  const head = ['', 'requests/s (spread)', 'p50', 'p99', 'server CPU', '/ floor_insert', '/ floor_coalesced']
  process.stdout.write(`\n${tableText(head, lines)}\n\n`)
  const flow = [
    ['streams', `${STREAM_CLIENTS} clients, ${EVENTS_PER_SECOND} events/s, ${streamSeconds} s`],
    ['delivered', `${streams.deliveries} of ${streams.expected}`],
    ['p50, p99, max', [streams.p50_seconds, streams.p99_seconds, streams.max_seconds].map(milliseconds).join(', ')],
    ['server CPU', `${(((streams.cpu_seconds ?? Number.NaN) / streamSeconds) * 100).toFixed(0)} % of a core`],
    ['memory before, after', `${megabytes(streams.memory_before_bytes)}, ${megabytes(streams.memory_after_bytes)}`],
    [
      'pickup',
      `${Math.round(pickup.requests_per_second)} tasks/s, p50 ${milliseconds(pickup.p50_seconds)}, p99 ${milliseconds(pickup.p99_seconds)}`,
    ],
  ]
  process.stdout.write(`${tableText(['', ''], flow)}\n\n${machineLine(machine)}\n`)
  if (options.json !== null)
    await writeRows(options.json, machine, [...rows, { name: 'streams', ...streams }, { name: 'pickup', ...pickup }])
} finally {
  await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function withServer<T>(server: Server, work: (server: Server) => Promise<T>): Promise<T> {
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

function rateText({ median, min, max }: Spread): string {
  return `${Math.round(median)} (${Math.round(min)}–${Math.round(max)})`
}

/** One agent that takes messages, and agents that take tasks: processes that stand still. */
function stateRepo(folder: string): string {
  mkdirSync(folder)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
      cwd: folder,
      stdio: 'ignore',
    })
  const agent = (name: string, spec: object) =>
    writeFileSync(
      join(folder, `${name}.yaml`),
      JSON.stringify({ apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name }, spec }),
    )
  agent('sink', { runtime: { process: { command: ['cat'], mode: 'perTask' } } })
  agent('picker', {
    replicas: 5,
    heartbeat: { interval: '1h', timeout: '2h' },
    runtime: { process: { command: ['sleep', '100000'] } },
  })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-q', '-m', 'Agents of the bench')
  return folder
}

async function versionOf(url: string): Promise<string> {
  const sql = connect(url, { max: 1, applicationName: 'bench', namedStatements: true })
  const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`
  await sql.end()
  return row!.version
}
