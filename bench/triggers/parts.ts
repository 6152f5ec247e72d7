import { hostname } from 'node:os'
import { compileBlueprint } from '../../controller/src/blueprints/compile.ts'
import { systemClock } from '../../controller/src/lib/clock.ts'
import { createRunEngine } from '../../controller/src/runs/engine/engine.ts'
import type { AcceptedBlueprint } from '../../controller/src/runs/ports.ts'
import { createRunFolders } from '../../controller/src/runs/run-folders.ts'
import { createsFreeRuns } from '../../controller/src/runs/start/create.ts'
import { createTriggers } from '../../controller/src/runs/triggers/triggers.ts'
import type { DatabaseUrls } from '../../controller/src/store/database.ts'
import { openEventFeed } from '../../controller/src/store/events-feed.ts'
import { Journal } from '../../controller/src/store/journal.ts'
import type { Log } from '../../controller/src/store/ports.ts'
import { openStore, type Store } from '../../controller/src/store/store.ts'
import { openWakes } from '../../controller/src/store/wakes.ts'

/** The parts of a controller between an event and the first step, put together as `build` does it. */

export const quiet: Log = { info: () => {}, warn: () => {}, error: (fields, message) => console.error(message, fields) }
const environmentOf = () => ({ id: 'default', stage: 'dev', autonomy: 'supervised', class: 'product' })

export type Role = 'triggers' | 'engine'

export interface Parts {
  /** Tells the parts of this process what it has just committed. */
  committed(seq: number): void
  stop(): Promise<void>
}

export function openBenchStore(urls: DatabaseUrls, role: string): Promise<Store> {
  return openStore(urls, {
    clock: systemClock,
    roles: [role],
    host: hostname(),
    // Several processes share the database: none may take the others for dead.
    dataDirLocked: false,
    onLeaseLost: () => process.exit(70),
    log: quiet,
  })
}

/** `stepStarted` gets the number of the event when the tool of its run's first step is called. */
export async function startParts(
  store: Store,
  dataDir: string,
  roles: readonly Role[],
  stepStarted: (n: number) => void,
): Promise<Parts> {
  const feed = await openEventFeed(store)
  const wakes = await openWakes(store)
  const folders = createRunFolders(dataDir, quiet)
  const journal = new Journal(store)
  const engine = createRunEngine({
    store,
    journal,
    tools: {
      find: (name) => ({ name, idempotent: true, inputSchema: {}, timeoutMs: 60_000 }),
      run: async (call) => {
        stepStarted(Number(call.with['n']))
        return null
      },
    },
    folders,
    values: { keep: async () => {}, read: async () => null },
    environmentOf,
    tasks: { canServe: () => false, bulkObstacle: async () => null, enqueued: () => {}, cancelled: () => {} },
  })
  const blueprint = benchBlueprint()
  const runsEngine = roles.includes('engine')
  const triggers = createTriggers({
    store,
    blueprints: { all: () => [blueprint], find: () => blueprint },
    environmentOf,
    create: runsEngine ? (run, plan, event) => engine.create(run, plan, event) : createsFreeRuns(store, journal),
    created: (runIds) => {
      for (const runId of runIds) {
        if (runsEngine) engine.nudge(runId)
        wakes.send({ kind: 'run', run: runId })
      }
    },
  })
  if (runsEngine) {
    wakes.subscribe((wake) => engine.nudge(wake.kind === 'run' ? (wake.run ?? undefined) : undefined))
    engine.start()
  }
  if (roles.includes('triggers')) {
    feed.subscribe(() => triggers.nudge())
    triggers.start()
  }
  return {
    committed: (seq) => feed.nudge(seq),
    async stop() {
      if (roles.includes('triggers')) await triggers.stop()
      if (runsEngine) await engine.stop()
      await folders.settled()
      await wakes.close()
      await feed.close()
    },
  }
}

function benchBlueprint(): AcceptedBlueprint {
  const spec = {
    triggers: [{ event: 'bench.wanted' }],
    inputs: [{ name: 'n', schema: { type: 'integer' }, required: true, from: 'event.data.n' }],
    plan: [{ id: 'one', kind: 'action_task', action: 'bench.mark', with: { n: '{{ inputs.n }}' } }],
  }
  const source = { namespace: 'default', name: 'bench', spec, place: () => null }
  const compiled = compileBlueprint(source, { toolSchema: () => ({}) })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  const { plan, digest } = compiled
  return {
    uid: '01900000-0000-7000-8000-00000000be00',
    namespace: 'default',
    name: 'bench',
    plan,
    digest,
    revision: '0'.repeat(40),
    suspended: false,
  }
}
