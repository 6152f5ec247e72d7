import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../controller/src/store/embedded/embedded-postgres.ts'
import { migrate } from '../controller/src/store/migrate.ts'
import { getAll, type Listed } from './kube/lists.ts'
import { startReplay } from './kube/replay.ts'
import type { KubeServerAnswer } from './kube/server.ts'
import { notifyFloor, watchLatency } from './kube/watches.ts'
import { startMeasured } from './support/child-process.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, type Row, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'
import { openBenchStore, quiet } from './triggers/parts.ts'

const USAGE = `kubectl and watches on 10,000 agents, without a cluster: a whole server on embedded Postgres, and kubectl of this machine.

Usage: npm run bench:kube -- [options]

  --quick            100 changes and 3 lists a repetition instead of 500 and 7
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured (default 3); the figures are of all of them together
  -h, --help         this text

Examples:
  npm run bench:kube -- --quick --repetitions 1
  npm run bench:kube -- --json kube.json && jq '.rows[] | select(.name == "watch")' kube.json

Rows: get_floor (kubectl get agents where the same bytes are answered from memory), get (the same from the server, and the
processor time the server spends on it), watch_floor (a row written and notified, until who listens has read it), watch (from
before another process writes a change until a watch on all agents has its line).
`
const AGENTS = 10_000
const DOCUMENTS_A_FILE = 100

const options = benchOptions(USAGE)
const { changes, lists } = options.quick ? { changes: 100, lists: 3 } : { changes: 500, lists: 7 }
const folder = mkdtempSync(join(tmpdir(), 'stateward-bench-kube-'))
for (const part of ['postgres', 'data']) mkdirSync(join(folder, part))
const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), log: quiet })
try {
  await migrate(postgres.urls.ownerUrl, { log: quiet })
  const order = { databaseUrl: postgres.urls.ownerUrl, dataDir: join(folder, 'data'), repo: stateRepo() }
  const server = startMeasured(new URL('./kube/server.ts', import.meta.url))
  try {
    const { url } = await server.ask<KubeServerAnswer>(order)
    await untilAccepted(url)
    const rows = await measure(url, server.pid)
    const machine = machineOf('embedded')
    const head = ['', 'times', 'p50', 'p99', 'max', 'server cpu']
    process.stdout.write(`\n${tableText(head, rows.map(lineOf))}\n\n${machineLine(machine)}\n`)
    if (options.json !== null) await writeRows(options.json, machine, rows)
  } finally {
    process.kill(server.pid, 'SIGTERM')
    await server.ended()
  }
} finally {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(url: string, pid: number): Promise<Row[]> {
  const store = await openBenchStore(postgres.urls, 'bench')
  const replay = await startReplay(url)
  try {
    const [floor, real, notified, watched]: [Listed[], Listed[], number[], number[]] = [[], [], [], []]
    for (let repetition = 1; repetition <= options.repetitions; repetition++) {
      process.stdout.write(`repetition ${repetition} of ${options.repetitions}\n`)
      // The first of each fills the cache of kubectl, and what the floor answers.
      for (let n = 0; n <= lists; n++) {
        const [bare, whole] = [
          await getAll(replay.url, join(folder, 'cache-floor'), null),
          await getAll(url, join(folder, 'cache'), pid),
        ]
        if (n === 0) continue
        floor.push(bare)
        real.push(whole)
      }
      notified.push(...(await notifyFloor(postgres.urls, changes)))
      watched.push(...(await watchLatency(url, store, changes)))
    }
    const cpu = real.flatMap(({ serverCpu }) => (serverCpu === null ? [] : [serverCpu]))
    return [
      rowOf('get_floor', seconds(floor)),
      { ...rowOf('get', seconds(real)), server_cpu_seconds: percentile(cpu, 50) },
      rowOf('watch_floor', notified),
      rowOf('watch', watched),
    ]
  } finally {
    await replay.stop()
    await store.end()
  }
}

function seconds(listed: readonly Listed[]): number[] {
  const short = listed.find(({ rows }) => rows !== AGENTS)
  if (short !== undefined) throw new Error(`kubectl printed ${short.rows} of ${AGENTS} agents`)
  return listed.map((one) => one.seconds)
}

function rowOf(name: string, values: readonly number[]): Row {
  return {
    name,
    times: values.length,
    p50_seconds: percentile(values, 50),
    p99_seconds: percentile(values, 99),
    max_seconds: Math.max(...values),
  }
}

function lineOf(row: Row): string[] {
  const figures = ['p50_seconds', 'p99_seconds', 'max_seconds', 'server_cpu_seconds'].map((figure) =>
    typeof row[figure] === 'number' ? milliseconds(row[figure]) : '',
  )
  return [row.name, String(row['times']), ...figures]
}

function stateRepo(): string {
  const path = join(folder, 'repo')
  mkdirSync(join(path, 'agents'), { recursive: true })
  for (let at = 0; at < AGENTS; at += DOCUMENTS_A_FILE) {
    const documents = Array.from({ length: DOCUMENTS_A_FILE }, (_, n) => manifestOf(at + n))
    writeFileSync(join(path, 'agents', `${at}.yaml`), documents.join('---\n'))
  }
  const git = (...args: string[]) => execFileSync('git', ['-C', path, ...args], { stdio: 'ignore' })
  git('init', '-b', 'main')
  git('add', '.')
  git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-m', 'State')
  return path
}

function manifestOf(n: number): string {
  return `apiVersion: stateward.dev/v1alpha1
kind: Agent
metadata:
  name: agent-${String(n).padStart(5, '0')}
  labels: { team: team-${n % 10} }
spec:
  description: Looks after one of many hosts, and says so when it is asked.
  runtime: { process: { command: ['true'] } }
  replicas: 0
`
}

/** Until every agent is accepted and nothing is being reconciled: their versions have stopped rising. */
async function untilAccepted(url: string): Promise<void> {
  const path = `${url}/kube/apis/stateward.dev/v1alpha1/agents`
  let [last, still] = ['', 0]
  while (still < 4) {
    await delay(1_000)
    const { items, metadata } = (await (await fetch(path)).json()) as {
      items: unknown[]
      metadata: { resourceVersion: string }
    }
    still = items.length === AGENTS && metadata.resourceVersion === last ? still + 1 : 0
    last = metadata.resourceVersion
  }
}
