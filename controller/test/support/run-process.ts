import { appendFileSync, readFileSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import { CRASH_POINTS, type CrashPoint } from '../../src/runs/crash-points.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { createTriggers } from '../../src/runs/triggers.ts'
import type { DatabaseUrls } from '../../src/store/database.ts'
import { openStore } from '../../src/store/store.ts'
import { quietLog } from './quiet-log.ts'
import { blueprintsOf, environmentOf, functionTools, startRunStack } from './run-stack.ts'

export interface RunProcessConfig {
  readonly urls: DatabaseUrls
  readonly dataDir: string
  /** Every effect adds a line `<tool> <operation id>` here, beyond the reach of the product. */
  readonly effectsFile: string
  readonly blueprints: readonly AcceptedBlueprint[]
  /** Kill this process (SIGKILL) when it passes this point for the n-th time. */
  readonly crash: { readonly point: CrashPoint; readonly passes: number } | null
}

/** A process that moves runs until it is killed, by a test or by itself. Its argument is a file with its config. */
async function main(config: RunProcessConfig): Promise<void> {
  let left = config.crash?.passes ?? 0
  const crashPoint = (name: CrashPoint) => {
    if (!(name in CRASH_POINTS)) throw new Error(`unknown crash point ${name}`)
    if (name === config.crash?.point && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
  const store = await openStore(config.urls, {
    clock: systemClock,
    roles: ['test'],
    host: 'test-host',
    dataDirLocked: false,
    onLeaseLost: () => process.exit(70),
    log: quietLog,
  })
  const effect = (call: { readonly tool: string; readonly operationId: string }) => {
    appendFileSync(config.effectsFile, `${call.tool} ${call.operationId}\n`)
    return { done: call.operationId }
  }
  const tools = functionTools({ 'effect.once': { run: effect }, 'effect.again': { run: effect, idempotent: true } })
  const stack = startRunStack(store, tools, { dataDir: config.dataDir, crashPoint })
  const triggers = createTriggers({
    store,
    blueprints: blueprintsOf(config.blueprints),
    environmentOf,
    created: () => stack.engine.nudge(),
    crashPoint,
    pollMs: 50,
  })
  triggers.start()
}

await main(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RunProcessConfig)
