import { setTimeout as delay } from 'node:timers/promises'
import { answer } from '../support/child-process.ts'
import { cpuSecondsOfTree, cpuSecondsSince } from '../support/cpu-time.ts'

/** Steps of every measured run; each returns `{ok, k, msg}`. */
export const STEPS = 5

/** What a measured engine stores its runs in, and may use on this machine. */
export interface Servers {
  /** Of a database of its own, empty, as its owner. Postgres with fsync and synchronous_commit on. */
  readonly databaseUrl: string
  /** Empty, with every write fsynced; null = this engine needs none. */
  readonly redisPort: number | null
  /** A folder of its own. */
  readonly folder: string
}

/** One durable engine or queue, as the benchmark drives it. */
export interface Engine {
  /** Starts one run and resolves when its end is durable. */
  readonly run: () => Promise<void>
  /** Throws when what is stored is not what `runs` runs have to leave behind. */
  readonly verify: (runs: number) => Promise<void>
  readonly stop: () => Promise<void>
  /** Another process whose work belongs to the engine; its time on processors is counted too. */
  readonly pids?: readonly number[]
}

export type Request =
  | { readonly do: 'start'; readonly servers: Servers; readonly options: Readonly<Record<string, number>> }
  | { readonly do: 'load'; readonly runs: number; readonly inFlight: number }
  | { readonly do: 'idle'; readonly samples: number }
  | { readonly do: 'verify' }
  | { readonly do: 'stop' }

export interface Load {
  readonly seconds: number
  /** Of this process, all threads, the load generator included, and of the engine's other processes. */
  readonly cpuSeconds: number
}

export interface Idle {
  /** From the start of a run on an idle engine to its durable end, one entry a run. */
  readonly seconds: readonly number[]
}

/** Between two runs of an idle engine. */
const PAUSE_MS = 2

/** The measured process of an engine: answers what the benchmark asks. */
export function serve(start: (servers: Servers, options: Readonly<Record<string, number>>) => Promise<Engine>): void {
  let engine: Engine | null = null
  let runs = 0
  answer(async (message) => {
    const request = message as Request
    if (request.do === 'start') {
      engine = await start(request.servers, request.options)
      return {}
    }
    if (engine === null) throw new Error('the engine was not started')
    const { run, verify, stop, pids = [] } = engine
    switch (request.do) {
      case 'load':
        runs += request.runs
        return await load(run, request.runs, request.inFlight, pids)
      case 'idle':
        runs += request.samples
        return await idle(run, request.samples)
      case 'verify':
        await verify(runs)
        return {}
      case 'stop':
        await stop()
        setImmediate(() => process.disconnect())
        return {}
    }
  })
}

async function load(run: Engine['run'], runs: number, inFlight: number, pids: readonly number[]): Promise<Load> {
  const others = (): number => pids.reduce((sum, pid) => sum + (cpuSecondsOfTree(pid) ?? 0), 0)
  const othersBefore = others()
  const cpuBefore = process.cpuUsage()
  const startedMs = performance.now()
  let left = runs
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await run()
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, runs) }, lane))
  return {
    seconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: cpuSecondsSince(cpuBefore) + others() - othersBefore,
  }
}

async function idle(run: Engine['run'], samples: number): Promise<Idle> {
  const seconds: number[] = []
  for (let i = 0; i < samples; i++) {
    const startedMs = performance.now()
    await run()
    seconds.push((performance.now() - startedMs) / 1000)
    await delay(PAUSE_MS)
  }
  return { seconds }
}
