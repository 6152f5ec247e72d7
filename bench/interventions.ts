import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStateward } from '../controller/src/build/stateward.ts'
import { loadConfig } from '../controller/src/config/load-config.ts'
import { createLogger } from '../controller/src/telemetry/logger.ts'
import { type Intervened, intervening, stateFiles } from './interventions/measure.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, type Row, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'

const USAGE = `How soon an intervention takes effect: a server with its own Postgres and state repo, and an agent that waits for tasks over HTTP.

Usage: npm run bench:interventions [-- options]

  --quick            50 rounds instead of 300
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured; figures are over all of them (default 3)
  -h, --help         this text

Rows: answered (a pause is in force in every process when its answer is there), told (until the waiting agent has it),
withheld (tasks that were handed out after the answer: must be 0), resumed (until the agent has the task that waited).
`

const options = benchOptions(USAGE)
const rounds = options.quick ? 50 : 300
const folder = mkdtempSync(join(tmpdir(), 'stateward-bench-interventions-'))
const all: Intervened[] = []
try {
  for (let repetition = 1; repetition <= options.repetitions; repetition++) {
    process.stdout.write(`repetition ${repetition} of ${options.repetitions}\n`)
    const data = join(folder, String(repetition))
    mkdirSync(data)
    const repo = stateRepo(join(data, 'repo'), stateFiles(data))
    const { config } = loadConfig({ env: {}, cwd: data, flags: { data, repo, port: '0', logLevel: 'error' } })
    const stateward = await startStateward({
      config,
      environment: { PATH: process.env['PATH'] },
      log: createLogger({ level: 'error', format: 'json', write: (line) => process.stderr.write(line) }),
      directory: null,
      onLeaseLost: () => process.exit(70),
    })
    try {
      all.push(await intervening(stateward.url, data, rounds))
    } finally {
      await stateward.stop()
    }
  }
  const rows = rowsOf(all)
  const machine = machineOf('embedded')
  const lines = rows.map((row) => [
    row.name,
    ...['p50_seconds', 'p99_seconds', 'max_seconds'].map((figure) => milliseconds(Number(row[figure]))),
  ])
  process.stdout.write(`\n${tableText(['', 'p50', 'p99', 'max'], lines)}\n`)
  const withheld = all.reduce((sum, { handedOut }) => sum + handedOut, 0)
  process.stdout.write(`\ntasks handed out after the answer: ${withheld} in ${all.length * rounds} rounds\n`)
  process.stdout.write(`${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, [...rows, { name: 'withheld', tasks: withheld }])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function stateRepo(path: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(path)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  const git = (...args: string[]) => execFileSync('git', ['-C', path, ...args], { stdio: 'ignore' })
  git('init', '-b', 'main')
  git('add', '.')
  git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-m', 'State')
  return path
}

function rowsOf(measured: readonly Intervened[]): Row[] {
  return (['answered', 'told', 'resumed'] as const).map((name) => {
    const seconds = measured.flatMap((one) => one[name])
    return {
      name,
      rounds: seconds.length,
      p50_seconds: percentile(seconds, 50),
      p99_seconds: percentile(seconds, 99),
      max_seconds: Math.max(...seconds),
    }
  })
}
