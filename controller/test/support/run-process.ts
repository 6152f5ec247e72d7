import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../src/lib/clock.ts'
import { CRASH_POINTS, type CrashHook, type CrashPoint } from '../../src/runs/crash-points.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { createTriggers } from '../../src/runs/triggers/triggers.ts'
import type { DatabaseUrls } from '../../src/store/database.ts'
import { listGates } from '../../src/store/queries/gates.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { purseOf } from './budget-stack.ts'
import { quietLog } from './quiet-log.ts'
import { blueprintsOf, caller, environmentOf, functionTools, type RunStack, startRunStack } from './run-stack.ts'

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
  const tools = functionTools({
    'effect.once': { run: effect },
    'effect.again': { run: effect, idempotent: true },
    'effect.paid': { run: effect, idempotent: true, estimatedCents: 5 },
  })
  const stack = startRunStack(store, tools, { dataDir: config.dataDir, crashPoint, purse: purseOf(store) })
  const triggers = createTriggers({
    store,
    blueprints: blueprintsOf(config.blueprints),
    environmentOf,
    create: (run, plan, event) => stack.engine.create(run, plan, event),
    created: () => stack.engine.nudge(),
    crashPoint,
    pollMs: 50,
  })
  triggers.start()
  for (;;) {
    await decideWaitingGates(store, stack, crashPoint)
    await delay(20)
  }
}

/** Approves whatever a plan asks for; what became of an effect is left to the test. */
async function decideWaitingGates(store: Store, stack: RunStack, crashPoint: CrashHook): Promise<void> {
  for (const { gate_id: stepId, mode, decisions } of await listGates(store.reader, { state: 'waiting', limit: 10 })) {
    if (mode !== 'manual' || decisions.length > 0) continue
    await decideGate(
      {
        store,
        environmentOf,
        standingOf: () => ({ roles: [], teams: [] }),
        nudge: (runId) => stack.engine.nudge(runId),
        crashPoint,
      },
      { stepId, decision: 'approve', reason: null, input: undefined },
      caller,
    )
  }
}

await main(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RunProcessConfig)
