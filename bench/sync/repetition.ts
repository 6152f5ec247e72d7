import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../../controller/src/store/embedded/embedded-postgres.ts'
import { migrate } from '../../controller/src/store/migrate.ts'
import type { Log } from '../../controller/src/store/ports.ts'
import { type MeasuredProcess, startMeasured } from '../support/child-process.ts'
import { descendants, peakMemory, proportionalMemory } from '../support/process-memory.ts'
import type { Passed, Request, Started } from './controller.ts'
import type { FloorResult } from './floor.ts'
import { type Observer, observe } from './observer.ts'
import { startRefMover } from './ref-mover.ts'
import { type GeneratedRepo, git } from './state-repo.ts'

export interface Repetition {
  readonly floor: FloorResult
  readonly full: Started
  /** From the first pass to the last durable status and its commit on the status branch. */
  readonly fullSettledSeconds: number
  /** One entry a commit. */
  readonly editSeconds: readonly number[]
  readonly noop: Noop
  readonly restart: Started
  readonly memory: Memory
  readonly postgres: string
}

export interface Noop {
  /** A look at an unmoved head, and a plan of everything. */
  readonly seconds: number
  readonly fullSeconds: number
  readonly rowsWritten: number
  readonly writeTransactions: number
  readonly commitsWritten: number
}

/** Bytes; null where the system does not tell. */
export interface Memory {
  readonly floorPeak: number | null
  readonly fullSyncPeak: number | null
  readonly controllerPeak: number | null
  readonly restartPeak: number | null
  readonly gitPeak: number | null
  readonly postgres: number | null
}

const quiet: Log = {
  info: () => {},
  warn: () => {},
  error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
}

/** Time between two commits, beside the time each takes: what follows on one is done before the next comes. */
const PAUSE_MS = { least: 15, more: 15 }

/** Everything once: the floor, then a controller on a new database and a new copy of the repo. */
export async function repeat(repo: GeneratedRepo): Promise<Repetition> {
  const execArgv = nodeOptions()
  const floor = await measureFloor(repo.gitDir)
  const data = mkdtempSync(join(tmpdir(), 'stateward-bench-'))
  // The server's user has to pass through when we are root.
  chmodSync(data, 0o711)
  try {
    const gitDir = join(data, 'repo.git')
    cpSync(repo.gitDir, gitDir, { recursive: true })
    mkdirSync(join(data, 'data'), { mode: 0o711 })
    const postgres = await startEmbeddedPostgres({ dataDir: join(data, 'data'), log: quiet })
    try {
      await migrate(postgres.urls.ownerUrl, { log: quiet })
      const observer = await observe(postgres.urls)
      try {
        const start: Request = { do: 'start', urls: postgres.urls, repo: gitDir, data: join(data, 'data') }
        return {
          floor,
          ...(await measureController(start, { ...repo, gitDir }, observer, postgres.pid, floor, execArgv)),
        }
      } finally {
        await observer.close()
      }
    } finally {
      await postgres.stop()
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

async function measureFloor(gitDir: string): Promise<FloorResult> {
  const child = startMeasured(new URL('./floor.ts', import.meta.url))
  const result = await child.ask<FloorResult>({ gitDir })
  await child.ended()
  return result
}

async function measureController(
  start: Request,
  repo: GeneratedRepo,
  observer: Observer,
  postmaster: number,
  floor: FloorResult,
  execArgv: readonly string[],
): Promise<Omit<Repetition, 'floor'>> {
  const first = startMeasured(new URL('./controller.ts', import.meta.url), execArgv)
  const beganMs = performance.now()
  const full = await first.ask<Started>(start)
  if (full.outcome !== 'applied' || full.issues > 0)
    throw new Error(`the generated repo was not applied: ${JSON.stringify(full)}`)
  await ask(first, { do: 'settle' })
  const fullSettledSeconds = (performance.now() - beganMs) / 1000
  const fullSyncPeak = peakMemory(first.pid)
  const editSeconds = await moveThrough(repo, observer)
  await ask(first, { do: 'settle' })
  const noop = await measureNoop(first, repo.gitDir, observer)
  const gitPeak = total(descendants(first.pid).map(peakMemory))
  const controllerPeak = peakMemory(first.pid)
  const postgres = total([postmaster, ...descendants(postmaster)].map(proportionalMemory))
  await ask(first, { do: 'stop' })
  await first.ended()

  const second = startMeasured(new URL('./controller.ts', import.meta.url), execArgv)
  const restart = await second.ask<Started>(start)
  await ask(second, { do: 'settle' })
  const restartPeak = peakMemory(second.pid)
  await ask(second, { do: 'stop' })
  await second.ended()
  const memory = { floorPeak: floor.peakBytes, fullSyncPeak, controllerPeak, restartPeak, gitPeak, postgres }
  return { full, fullSettledSeconds, editSeconds, noop, restart, memory, postgres: await observer.serverVersion() }
}

/** From before git moves the branch to the moment another connection sees the revision as applied, for each edit. */
async function moveThrough(repo: GeneratedRepo, observer: Observer): Promise<number[]> {
  const mover = startRefMover(repo.gitDir)
  const seconds: number[] = []
  for (const commit of repo.edits) {
    const applied = observer.applied(commit)
    const movedMs = await mover.move(commit)
    seconds.push(((await applied) - movedMs) / 1000)
    await delay(PAUSE_MS.least + Math.random() * PAUSE_MS.more)
  }
  mover.close()
  return seconds
}

async function measureNoop(controller: MeasuredProcess, gitDir: string, observer: Observer): Promise<Noop> {
  for (;;) {
    const commitsBefore = countCommits(gitDir)
    const before = await observer.activity()
    const light = await ask<Passed>(controller, { do: 'pass', full: false })
    const all = await ask<Passed>(controller, { do: 'pass', full: true })
    await ask(controller, { do: 'settle' })
    const after = await observer.activity()
    // The lease of the process was renewed meanwhile, which is a write of its own.
    if (before.leases !== after.leases) continue
    return {
      seconds: light.seconds,
      fullSeconds: all.seconds,
      rowsWritten: await observer.rowsWrittenSince(before),
      writeTransactions: after.nextTransaction - before.nextTransaction,
      commitsWritten: countCommits(gitDir) - commitsBefore,
    }
  }
}

function ask<T>(child: MeasuredProcess, request: Request): Promise<T> {
  return child.ask<T>(request)
}

/** Commits on all branches and of the notes, whoever made them. */
function countCommits(gitDir: string): number {
  return Number(git(gitDir, 'rev-list', '--count', '--all'))
}

function total(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}

/** With what bin/stateward starts a controller. */
function nodeOptions(): string[] {
  const script = readFileSync(new URL('../../bin/stateward', import.meta.url), 'utf8')
  const options = /^heap='(.*)'$/m.exec(script)?.[1]
  if (options === undefined) throw new Error('bin/stateward has no line heap=…')
  return options.split(' ')
}
