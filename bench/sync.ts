import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineLine, machineOf } from './support/machine.ts'
import { benchOptions } from './support/options.ts'
import { writeRows } from './support/report.ts'
import { figuresOf, figuresText } from './sync/figures.ts'
import { type Repetition, repeat } from './sync/repetition.ts'
import { generateStateRepo } from './sync/state-repo.ts'

const USAGE = `From a commit to the accepted state in Postgres: a generated state repo is synced as a whole, then commit by commit.

Usage: npm run bench:sync [-- options]

  --quick            1,000 documents instead of 10,000, 50 commits instead of 300
  --json FILE        write the figures as {machine, rows: [{name, …}]}
  --repetitions N    how often everything is measured; figures are medians (default 3)
  -h, --help         this text

Examples:
  npm run bench:sync
  npm run bench:sync -- --quick
  npm run bench:sync -- --json sync.json && jq '.rows[] | select(.name == "one_file_commit")' sync.json

Rows: floor_full_sync (list, read, parse, check and digest the same documents, nothing else), full_sync, one_file_commit (from
before the ref is moved to the applied row in Postgres), noop, restart, memory.
`

const options = benchOptions(USAGE)
const size = options.quick ? { documents: 1_000, edits: 50 } : { documents: 10_000, edits: 300 }
const folder = mkdtempSync(join(tmpdir(), 'stateward-bench-repo-'))
try {
  process.stdout.write(`making a state repo of ${size.documents} documents and ${size.edits} one-file commits\n`)
  const repo = await generateStateRepo(join(folder, 'repo.git'), size.documents, size.edits)
  const repetitions: Repetition[] = []
  for (let i = 1; i <= options.repetitions; i++) {
    process.stdout.write(`repetition ${i} of ${options.repetitions}\n`)
    repetitions.push(await repeat(repo))
  }
  const machine = machineOf(repetitions[0]!.postgres)
  const figures = figuresOf(repetitions)
  process.stdout.write(`\n${figuresText(figures)}\n\n${machineLine(machine)}\n`)
  if (options.json !== null) await writeRows(options.json, machine, figures.rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
