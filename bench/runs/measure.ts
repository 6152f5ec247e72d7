import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMeasured } from '../support/child-process.ts'
import { cpuSecondsOfTree } from '../support/cpu-time.ts'
import { peakMemory } from '../support/process-memory.ts'
import type { Database } from './databases.ts'
import type { Idle, Load, Request } from './serve.ts'

/** What is measured, and how much of it. */
export interface Plan {
  /** Runs a repetition, and how many of them at once. */
  readonly runs: number
  readonly inFlight: number
  readonly repetitions: number
  /** Runs on the idle engine, a repetition; 0 = latency is not measured. */
  readonly samples: number
  readonly warmUp: number
}

export interface Subject {
  readonly script: URL
  readonly options?: Readonly<Record<string, number>>
  readonly redisPort?: number
  readonly execArgv?: readonly string[]
  /** Changes the database before the engine starts (`before`) or after its warm-up (`after`). */
  readonly prepare?: {
    readonly before?: (url: string) => Promise<void>
    readonly after?: (url: string) => Promise<void>
  }
}

export interface Measured {
  readonly loads: readonly (Load & { readonly databaseCpuSeconds: number | null })[]
  readonly idles: readonly Idle[]
  readonly peakBytes: number | null
}

/** One engine on a database of its own: warm-up, then the repetitions one after the other in the same process. */
export async function measure(database: Database, subject: Subject, plan: Plan): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'stateward-bench-data-'))
  const databaseUrl = await database.create()
  const child = startMeasured(subject.script, subject.execArgv)
  const ask = <T>(request: Request): Promise<T> => child.ask<T>(request)
  try {
    await subject.prepare?.before?.(databaseUrl)
    const servers = { databaseUrl, redisPort: subject.redisPort ?? null, folder }
    await ask({ do: 'start', servers, options: subject.options ?? {} })
    if (plan.warmUp > 0) await ask({ do: 'load', runs: plan.warmUp, inFlight: plan.inFlight })
    await subject.prepare?.after?.(databaseUrl)
    const loads: Measured['loads'][number][] = []
    const idles: Idle[] = []
    for (let i = 0; i < plan.repetitions; i++) {
      const before = database.pid === null ? null : cpuSecondsOfTree(database.pid)
      const load = await ask<Load>({ do: 'load', runs: plan.runs, inFlight: plan.inFlight })
      const after = database.pid === null ? null : cpuSecondsOfTree(database.pid)
      loads.push({ ...load, databaseCpuSeconds: before === null || after === null ? null : after - before })
      if (plan.samples > 0) idles.push(await ask({ do: 'idle', samples: plan.samples }))
    }
    const peakBytes = peakMemory(child.pid)
    await ask({ do: 'verify' })
    await ask({ do: 'stop' })
    return { loads, idles, peakBytes }
  } finally {
    await child.ended()
    await database.drop(databaseUrl)
    rmSync(folder, { recursive: true, force: true })
  }
}
