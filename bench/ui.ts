import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { launchBrowser } from '../controller/test/support/browser.ts'
import { joinDatabase, seedEvents, seedRuns } from '../controller/test/support/page-seeds.ts'
import { createHome } from '../controller/test/support/stateward-process.ts'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { megabytes, milliseconds, type Row, tableText, writeRows } from './support/report.ts'
import { percentile } from './support/statistics.ts'
import { firstLoad, interactions, memoryOverTime } from './ui/measure.ts'

const USAGE = `The page at /ui/ in Chromium, against a server whose fleet runs, with 10,000 runs and 100,000 events.

Usage: npm run bench:ui [-- options]

  --quick            one minute of memory instead of ten
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often each interaction is measured (default 3)
  -h, --help         this text

Rows: first_load (compressed JavaScript of the overview, in bytes), and from a key to the next paint on the list of runs: arrow (one row
down), page (PageDown), end (to the last row), filter (one letter typed); memory (the JavaScript heap after a collection, at the start
and at the end, while five events a second come).
`
const RUNS = 10_000
const EVENTS = 100_000

const options = benchOptions(USAGE)
const home = await createHome()
const browser = await launchBrowser()
try {
  execFileSync(process.execPath, [join(import.meta.dirname, '../ui/build.ts')])
  await home.serve(['up'])
  const base = `http://127.0.0.1:${home.port}`
  const token = readFileSync(join(home.dataDir, 'credentials/admin'), 'utf8').trim()
  const emit = async (): Promise<void> => {
    const response = await fetch(`${base}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ event_name: 'checkmk.alert', data: { host: 'web-1', service: 'nginx', state: 'CRIT' } }),
    })
    if (!response.ok) throw new Error(await response.text())
  }
  await emit()
  const store = await joinDatabase(home.dataDir)
  try {
    await seedEvents(store, EVENTS)
    for (;;) {
      const [run] = await store.reader<{ run_id: string }[]>`SELECT run_id FROM runs LIMIT 1`
      if (run === undefined) continue
      await seedRuns(store, run.run_id, RUNS)
      break
    }
  } finally {
    await store.end()
  }
  const bytes = await firstLoad(browser, base)
  const measured = await interactions(browser, base, options.repetitions)
  const minutes = options.quick ? 1 : 10
  const heap = await memoryOverTime(browser, base, minutes * 60, emit)
  const rows: Row[] = [
    { name: 'first_load', bytes },
    ...Object.entries(measured).map(([name, times]) => ({
      name,
      p50_seconds: percentile(times, 50),
      max_seconds: Math.max(...times),
    })),
    { name: 'memory', start_bytes: heap.start, end_bytes: heap.end, seconds: minutes * 60 },
  ]
  const lines = rows.map((row) => [
    row.name,
    ...('p50_seconds' in row
      ? [row['p50_seconds'], row['max_seconds']].map((seconds) =>
          // The browser does not tell of what takes less.
          Number(seconds) === 0 ? '< 16 ms' : milliseconds(Number(seconds)),
        )
      : 'bytes' in row
        ? [`${Math.round(Number(row['bytes']) / 1000)} kB`, '']
        : [megabytes(Number(row['start_bytes'])), megabytes(Number(row['end_bytes']))]),
  ])
  process.stdout.write(`\n${tableText(['', 'p50 / start', 'max / end'], lines)}\n`)
  const machine = machineOf('embedded')
  process.stdout.write(`${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, rows)
} finally {
  await browser.close()
  await home.end()
}
