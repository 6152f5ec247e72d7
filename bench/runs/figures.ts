import { milliseconds, type Row, tableText } from '../support/report.ts'
import { percentile, spreadOf } from '../support/statistics.ts'
import type { Measured, Plan } from './measure.ts'
import { STEPS } from './serve.ts'
import type { NamedSubject } from './subjects.ts'

export interface Result {
  readonly subject: NamedSubject
  readonly database: string
  readonly measured: Measured
}

/** A table for people, rows for scripts. */
export function figuresOf(
  results: readonly Result[],
  plan: Plan,
): { readonly text: string; readonly rows: readonly Row[] } {
  const rows = results.map((result) => rowOf(result, results, plan))
  const head = [
    '',
    'Postgres',
    'steps/s',
    'spread',
    'of floor',
    '3rd/1st',
    'idle run p50',
    'p99',
    'CPU a step',
    'database',
    'a step is',
  ]
  const lines = rows.map((row, i) => [
    row.name,
    row.database,
    thousands(row.steps_per_second),
    `${thousands(row.steps_per_second_min)}-${thousands(row.steps_per_second_max)}`,
    row.ratio_to_floor === null ? '' : `${Math.round(row.ratio_to_floor * 100)} %`,
    row.last_to_first === null ? '' : `${Math.round(row.last_to_first * 100)} %`,
    milliseconds(row.idle_run_p50_seconds),
    milliseconds(row.idle_run_p99_seconds),
    micros(row.cpu_seconds_per_step),
    micros(row.database_cpu_seconds_per_step),
    results[i]!.subject.what,
  ])
  return { text: tableText(head, lines), rows }
}

function rowOf({ subject, database, measured }: Result, all: readonly Result[], plan: Plan) {
  const steps = plan.runs * STEPS
  const rates = measured.loads.map(({ seconds }) => steps / seconds)
  const rate = spreadOf(rates)
  const floor = all.find((other) => other.subject.name === 'floor' && other.database === database)
  const floorRate =
    floor === undefined ? null : spreadOf(floor.measured.loads.map(({ seconds }) => steps / seconds)).median
  const perStep = (seconds: readonly (number | null)[]) =>
    seconds.some((one) => one === null) ? null : spreadOf(seconds as number[]).median / steps
  return {
    name: subject.name,
    database,
    steps_per_second: rate.median,
    steps_per_second_min: rate.min,
    steps_per_second_max: rate.max,
    ratio_to_floor: floorRate === null || subject.name === 'floor' ? null : rate.median / floorRate,
    last_to_first: rates.length < 2 ? null : rates.at(-1)! / rates[0]!,
    idle_run_p50_seconds: spreadOf(measured.idles.map(({ seconds }) => percentile(seconds, 50))).median,
    idle_run_p99_seconds: spreadOf(measured.idles.map(({ seconds }) => percentile(seconds, 99))).median,
    cpu_seconds_per_step: perStep(measured.loads.map(({ cpuSeconds }) => cpuSeconds)),
    database_cpu_seconds_per_step: perStep(measured.loads.map(({ databaseCpuSeconds }) => databaseCpuSeconds)),
    peak_bytes: measured.peakBytes,
  }
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function micros(seconds: number | null): string {
  return seconds === null ? '?' : `${Math.round(seconds * 1e6)} us`
}
