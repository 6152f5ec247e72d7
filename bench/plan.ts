import { type ExecFileSyncOptions, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { milliseconds, type Row, tableText, writeRows } from './support/report.ts'
import { type Spread, spreadOf } from './support/statistics.ts'
import { BRANCH, generateStateRepo } from './sync/state-repo.ts'

const USAGE = `stateward plan of a one-file change in a generated state repo, as a process of its own, beside git alone.

Usage: npm run bench:plan [-- options]

  --quick            1,000 documents instead of 10,000
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured; figures are medians (default 3)
  -h, --help         this text

Rows: floor (git diff-tree of the change, ls-tree and cat-file of every blob), start (a verb that does nothing), plan_one_file,
plan_everything (--all). Aim: plan_one_file under 2 s at 10,000 documents.
`

const options = benchOptions(USAGE)
const documents = options.quick ? 1_000 : 10_000
const folder = mkdtempSync(join(tmpdir(), 'stateward-bench-plan-'))
const bin = new URL('../bin/stateward', import.meta.url).pathname

/** Seconds on the clock; everything a command prints is thrown away. */
function timed(work: () => void): number {
  const startedMs = performance.now()
  work()
  return (performance.now() - startedMs) / 1000
}

const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1024 ** 3 }

function floor(gitDir: string, to: string): void {
  const git = (args: readonly string[], input = '') =>
    execFileSync('git', [`--git-dir=${gitDir}`, ...args], { ...quiet, stdio: ['pipe', 'pipe', 'inherit'], input })
  git(['diff-tree', '-r', BRANCH, to])
  const listing = String(git(['ls-tree', '-r', to]))
  const oids = listing.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(12, 52)]))
  git(['cat-file', '--batch', '--buffer'], `${oids.join('\n')}\n`)
}

try {
  process.stdout.write(`making a state repo of ${documents} documents\n`)
  const repo = await generateStateRepo(join(folder, 'repo.git'), documents, options.repetitions)
  const plan = (to: string, more: readonly string[] = []) =>
    execFileSync(bin, ['plan', '--repo', repo.gitDir, '--from', BRANCH, '--to', to, ...more], quiet)
  // Compiled code is kept from the first start on, as on any machine where it runs for the second time.
  plan(repo.edits[0]!)
  const measured = repo.edits.map((edit) => ({
    floor: timed(() => floor(repo.gitDir, edit)),
    start: timed(() => execFileSync(bin, ['completion', 'bash'], quiet)),
    one: timed(() => plan(edit)),
    all: timed(() => plan(edit, ['--all'])),
  }))
  const over = (figure: (one: (typeof measured)[number]) => number) => spreadOf(measured.map(figure))
  const ratio = (figure: (one: (typeof measured)[number]) => number) => over((one) => figure(one) / one.floor)
  const lines: [name: string, spread: Spread, ratio: Spread | null][] = [
    ['floor', over((one) => one.floor), null],
    ['start', over((one) => one.start), ratio((one) => one.start)],
    ['plan_one_file', over((one) => one.one), ratio((one) => one.one)],
    ['plan_everything', over((one) => one.all), ratio((one) => one.all)],
  ]
  const rows = lines.map(
    ([name, spread, times]): Row => ({
      ...{ name, documents, seconds: spread.median, seconds_min: spread.min, seconds_max: spread.max },
      ...(times === null ? {} : { ratio_to_floor: times.median }),
    }),
  )
  const machine = machineOf('none')
  const text = tableText(
    ['', 'median', 'min', 'max', 'x floor'],
    lines.map(([name, { median, min, max }, times]) => [
      name,
      ...[median, min, max].map(milliseconds),
      times === null ? '' : times.median.toFixed(1),
    ]),
  )
  process.stdout.write(`\n${text}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
