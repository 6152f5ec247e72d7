import { megabytes, milliseconds, type Row, tableText } from '../support/report.ts'
import { percentile, spreadOf } from '../support/statistics.ts'
import type { GrowthRow } from './growth.ts'
import type { Measured, Plan } from './measure.ts'
import { STEPS } from './serve.ts'
import type { NamedSubject } from './subjects.ts'

export type Result = {
  readonly subject: NamedSubject
  readonly database: string
} & ({ readonly measured: Measured } | { readonly skipped: string })

/** What is aimed at. */
const AIM = {
  stepsPerSecond: 10_000,
  ofFloor: 0.5,
  ofPeers: 7,
  idleSeconds: 0.004,
  lastToFirst: 0.8,
  slowStepsPerSecond: 3000,
}
const POSTGRES_PEERS = ['dbos', 'graphile-worker', 'pg-boss']

/** A table for people, rows for scripts. */
export function figuresOf(
  results: readonly Result[],
  plan: Plan,
  growth: readonly GrowthRow[],
): { readonly text: string; readonly rows: readonly Row[] } {
  const rows = results.map((result) => ('skipped' in result ? skippedRow(result) : rowOf(result, results, plan)))
  const head = [
    '',
    'kept in',
    'steps/s',
    'spread',
    'of floor',
    'to best peer',
    '3rd/1st',
    'idle run p50',
    'p99',
    'CPU a step',
    'database',
    'a step is',
  ]
  const lines = rows.map((row, i) =>
    'skipped' in row
      ? [row.name, row.database, 'skipped', '', '', '', '', '', '', '', '', row.skipped]
      : [
          row.name,
          row.database,
          thousands(row.steps_per_second),
          `${thousands(row.steps_per_second_min)}-${thousands(row.steps_per_second_max)}`,
          percent(row.ratio_to_floor),
          row.ratio_to_best_postgres_peer === null ? '' : `${row.ratio_to_best_postgres_peer.toFixed(1)}x`,
          percent(row.last_to_first),
          milliseconds(row.idle_run_p50_seconds),
          milliseconds(row.idle_run_p99_seconds),
          micros(row.cpu_seconds_per_step),
          micros(row.database_cpu_seconds_per_step),
          results[i]!.subject.what,
        ],
  )
  const grown = growth.map(growthRow)
  const growthHead = ['how it grows', 'runs', 'steps/s', 'CPU a step', 'database', 'engine, peak memory', 'that is']
  const growthLines = grown.map((row) => [
    row.name,
    row.runs.toLocaleString('en'),
    thousands(row.steps_per_second),
    micros(row.cpu_seconds_per_step),
    micros(row.database_cpu_seconds_per_step),
    megabytes(row.peak_bytes),
    row.what,
  ])
  const aims = rows.flatMap((row) => (row.name.startsWith('stateward') && !('skipped' in row) ? [aimsText(row)] : []))
  const slow = grown.find(({ name }) => name === 'slow_commit')
  if (slow !== undefined)
    aims.push(
      `slow commits: ${met(slow.steps_per_second >= AIM.slowStepsPerSecond, `${thousands(AIM.slowStepsPerSecond)} steps/s`)}`,
    )
  const text = [tableText(head, lines), tableText(growthHead, growthLines), `Aims\n${aims.join('\n')}`].join('\n\n')
  return { text, rows: [...rows, ...grown] }
}

function skippedRow({ subject, database, skipped }: Extract<Result, { skipped: string }>) {
  return { name: subject.name, database, steps_per_second: null, skipped }
}

function aimsText(row: ReturnType<typeof rowOf>): string {
  const peers = row.ratio_to_best_postgres_peer
  return [
    `${row.name} on ${row.database}: ${met(row.steps_per_second >= AIM.stepsPerSecond, `${thousands(AIM.stepsPerSecond)} steps/s`)}`,
    met((row.ratio_to_floor ?? 0) >= AIM.ofFloor, `${AIM.ofFloor * 100} % of the floor`),
    ...(peers === null ? [] : [met(peers >= AIM.ofPeers, `${AIM.ofPeers}x the best Postgres peer`)]),
    met(row.idle_run_p50_seconds <= AIM.idleSeconds, `idle p50 ${AIM.idleSeconds * 1000} ms`),
    ...(row.last_to_first === null
      ? []
      : [met(row.last_to_first >= AIM.lastToFirst, `3rd repetition ${AIM.lastToFirst * 100} % of the 1st`)]),
  ].join(', ')
}

function met(isMet: boolean, what: string): string {
  return `${what} ${isMet ? 'met' : 'MISSED'}`
}

function growthRow({ name, what, runs, inFlight, steps, measured }: GrowthRow) {
  const { seconds, cpuSeconds, databaseCpuSeconds } = measured.loads[0]!
  const all = runs * steps
  return {
    name: name === 'concurrent' ? `concurrent_${inFlight}` : name,
    what,
    runs,
    in_flight: inFlight,
    steps_per_second: all / seconds,
    cpu_seconds_per_step: cpuSeconds / all,
    database_cpu_seconds_per_step: databaseCpuSeconds === null ? null : databaseCpuSeconds / all,
    peak_bytes: measured.peakBytes,
  }
}

type MeasuredResult = Extract<Result, { measured: Measured }>

function rowOf({ subject, database, measured }: MeasuredResult, all: readonly Result[], plan: Plan) {
  const steps = plan.runs * STEPS
  const ratesOf = (one: Measured): number[] => one.loads.map(({ seconds }) => steps / seconds)
  const rates = ratesOf(measured)
  const rate = spreadOf(rates)
  const isOurs = subject.name.startsWith('stateward')
  const bestOf = (names: readonly string[]): number | null => {
    const others = all.flatMap((other) =>
      'measured' in other && other.database === database && names.includes(other.subject.name) ? [other.measured] : [],
    )
    return others.length === 0 ? null : Math.max(...others.map((other) => spreadOf(ratesOf(other)).median))
  }
  const floorRate = bestOf(['floor'])
  const peerRate = bestOf(POSTGRES_PEERS)
  const perStep = (seconds: readonly (number | null)[]) =>
    seconds.some((one) => one === null) ? null : spreadOf(seconds as number[]).median / steps
  return {
    name: subject.name,
    database,
    steps_per_second: rate.median,
    steps_per_second_min: rate.min,
    steps_per_second_max: rate.max,
    ratio_to_floor: floorRate === null || subject.name === 'floor' ? null : rate.median / floorRate,
    ratio_to_best_postgres_peer: peerRate === null || !isOurs ? null : rate.median / peerRate,
    last_to_first: rates.length < 2 ? null : rates.at(-1)! / rates[0]!,
    idle_run_p50_seconds: spreadOf(measured.idles.map(({ seconds }) => percentile(seconds, 50))).median,
    idle_run_p99_seconds: spreadOf(measured.idles.map(({ seconds }) => percentile(seconds, 99))).median,
    cpu_seconds_per_step: perStep(measured.loads.map(({ cpuSeconds }) => cpuSeconds)),
    database_cpu_seconds_per_step: perStep(measured.loads.map(({ databaseCpuSeconds }) => databaseCpuSeconds)),
    peak_bytes: measured.peakBytes,
  }
}

function percent(ratio: number | null): string {
  return ratio === null ? '' : `${Math.round(ratio * 100)} %`
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function micros(seconds: number | null): string {
  return seconds === null ? '?' : `${Math.round(seconds * 1e6)} us`
}
