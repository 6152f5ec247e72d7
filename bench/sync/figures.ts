import { megabytes, milliseconds, type Row, tableText } from '../support/report.ts'
import { percentile, type Spread, spreadOf } from '../support/statistics.ts'
import type { Memory, Repetition } from './repetition.ts'

export interface Figures {
  readonly repetitions: number
  readonly rows: readonly Row[]
  readonly lines: readonly (readonly string[])[]
}

/** What is aimed at: a full sync within three times its floor, a commit within 20 ms, 250 MB. */
const AIM = { ratio: 3, editSeconds: 0.02, bytes: 250_000_000 }

/** Medians of the repetitions, with what they spread over. */
export function figuresOf(repetitions: readonly Repetition[]): Figures {
  const over = (figure: (repetition: Repetition) => number) => spreadOf(repetitions.map(figure))
  const documents = repetitions[0]!.floor.documents
  const edits = repetitions[0]!.editSeconds.length
  const floor = over(({ floor }) => floor.seconds)
  const full = over(({ full }) => full.seconds)
  const ratio = over(({ floor, full }) => full.seconds / floor.seconds)
  const settled = over(({ fullSettledSeconds }) => fullSettledSeconds)
  const p50 = over(({ editSeconds }) => percentile(editSeconds, 50))
  const p99 = over(({ editSeconds }) => percentile(editSeconds, 99))
  const slowest = over(({ editSeconds }) => Math.max(...editSeconds))
  const noop = over(({ noop }) => noop.seconds)
  const noopFull = over(({ noop }) => noop.fullSeconds)
  const restart = over(({ restart }) => restart.seconds)
  const worst = (figure: (repetition: Repetition) => number) => Math.max(...repetitions.map(figure))
  const rowsWritten = worst(({ noop }) => noop.rowsWritten)
  const commitsWritten = worst(({ noop }) => noop.commitsWritten)
  const filesRead = worst(({ restart }) => restart.filesRead)
  const memory = memoryOf(repetitions)
  const rows: Row[] = [
    { name: 'floor_full_sync', documents, ...seconds('', floor), documents_per_second: documents / floor.median },
    {
      name: 'full_sync',
      documents,
      ...seconds('', full),
      documents_per_second: documents / full.median,
      ...plain('ratio_to_floor', ratio),
      ...seconds('settled_', settled),
    },
    {
      name: 'one_file_commit',
      commits: edits,
      ...seconds('p50_', p50),
      ...seconds('p99_', p99),
      ...seconds('slowest_', slowest),
    },
    {
      name: 'noop',
      rows_written: rowsWritten,
      write_transactions: worst(({ noop }) => noop.writeTransactions),
      commits_written: commitsWritten,
      ...seconds('', noop),
      ...seconds('replan_', noopFull),
    },
    { name: 'restart', ...seconds('', restart), files_read: filesRead },
    { name: 'memory', ...memory },
  ]
  const lines = [
    ['bare floor', time(floor), spread(floor), `${rate(documents, floor)} documents/s`, ''],
    [
      'full sync to accepted',
      time(full),
      spread(full),
      `${rate(documents, full)} documents/s, ${ratio.median.toFixed(2)}x the floor`,
      aim(ratio.median <= AIM.ratio, `${AIM.ratio}x`),
    ],
    ['full sync to every status durable and committed', time(settled), spread(settled), '', ''],
    [`one-file commit, p50 of ${edits}`, time(p50), spread(p50), '', ''],
    [
      `one-file commit, p99 of ${edits}`,
      time(p99),
      spread(p99),
      `slowest ${milliseconds(slowest.max)}`,
      aim(p99.median <= AIM.editSeconds, '20 ms'),
    ],
    [
      'no-op pass',
      time(noop),
      spread(noop),
      `${rowsWritten} rows, ${commitsWritten} commits written`,
      aim(rowsWritten + commitsWritten === 0, '0'),
    ],
    ['no-op pass that plans everything', time(noopFull), spread(noopFull), '', ''],
    [
      'restart to the first pass done',
      time(restart),
      spread(restart),
      `${filesRead} files read`,
      aim(filesRead === 0, '0'),
    ],
    [
      'controller, peak memory',
      megabytes(memory.controller_peak_bytes),
      '',
      `${megabytes(memory.full_sync_peak_bytes)} after the full sync, ${megabytes(memory.restart_peak_bytes)} restarted`,
      aim((memory.controller_peak_bytes ?? 0) <= AIM.bytes, '250 MB'),
    ],
    [
      'beside it: floor, git, Postgres',
      '',
      '',
      `${megabytes(memory.floor_peak_bytes)}, ${megabytes(memory.git_peak_bytes)}, ${megabytes(memory.postgres_bytes)}`,
      '',
    ],
  ]
  return { repetitions: repetitions.length, rows, lines }
}

export function figuresText({ repetitions, lines }: Figures): string {
  return tableText(['', `median of ${repetitions}`, 'spread', 'that is', 'aim'], lines)
}

function memoryOf(repetitions: readonly Repetition[]) {
  const medianOf = (name: keyof Memory) => {
    const values = repetitions.map(({ memory }) => memory[name])
    return values.every((value) => value !== null) ? spreadOf(values as number[]).median : null
  }
  return {
    controller_peak_bytes: medianOf('controllerPeak'),
    full_sync_peak_bytes: medianOf('fullSyncPeak'),
    restart_peak_bytes: medianOf('restartPeak'),
    floor_peak_bytes: medianOf('floorPeak'),
    git_peak_bytes: medianOf('gitPeak'),
    postgres_bytes: medianOf('postgres'),
  }
}

function seconds(prefix: string, values: Spread): Readonly<Record<string, number>> {
  return plain(`${prefix}seconds`, values)
}

function plain(name: string, values: Spread): Readonly<Record<string, number>> {
  return { [name]: values.median, [`${name}_min`]: values.min, [`${name}_max`]: values.max }
}

function time(values: Spread): string {
  return milliseconds(values.median)
}

function spread(values: Spread): string {
  return `${milliseconds(values.min)} - ${milliseconds(values.max)}`
}

function rate(documents: number, values: Spread): string {
  return Math.round(documents / values.median).toLocaleString('en')
}

function aim(met: boolean, what: string): string {
  return `${what} ${met ? 'met' : 'MISSED'}`
}
