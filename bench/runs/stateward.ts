import { compileBlueprint } from '../../controller/src/blueprints/compile.ts'
import { openPurse } from '../../controller/src/budgets/purse.ts'
import { limitsOf } from '../../controller/src/build/budgets.ts'
import { openPolicies } from '../../controller/src/build/policies.ts'
import { systemClock } from '../../controller/src/lib/clock.ts'
import { uuidv7 } from '../../controller/src/lib/ids.ts'
import type { JsonObject } from '../../controller/src/lib/json.ts'
import { World } from '../../controller/src/reconcile/world.ts'
import { createRunEngine } from '../../controller/src/runs/engine/engine.ts'
import type { AcceptedBlueprint, Blueprints, EnvironmentOf } from '../../controller/src/runs/ports.ts'
import { createRunFolders } from '../../controller/src/runs/run-folders.ts'
import { startRun } from '../../controller/src/runs/start/start-run.ts'
import { connect } from '../../controller/src/store/database.ts'
import { openEventFeed } from '../../controller/src/store/events-feed.ts'
import { Journal } from '../../controller/src/store/journal.ts'
import { migrate } from '../../controller/src/store/migrate.ts'
import { openStore } from '../../controller/src/store/store.ts'
import { KnownSecrets } from '../../controller/src/telemetry/known-secrets.ts'
import { createLogger } from '../../controller/src/telemetry/logger.ts'
import { createToolRegistry } from '../../controller/src/tools/registry.ts'
import { NONE } from '../../controller/src/tools/sandbox/sandbox.ts'
import type { BuiltinTool } from '../../controller/src/tools/tool.ts'
import { type Engine, type Servers, STEPS, serve } from './serve.ts'

/**
 * The run engine as `stateward up` puts it together, with nothing switched off: every row of a step (step, effect, events, chain of
 * batches) is written, the log is announced and followed. Option `pure`: the steps are transforms instead of calls of a tool;
 * option `effects`: the tool is one with effects.
 */

const NOOP: BuiltinTool = {
  name: 'bench.noop',
  aliases: [],
  description: 'Returns what it was given.',
  inputSchema: { type: 'object', properties: { k: { type: 'number' } } },
  outputSchema: {},
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1 },
  timeout: '60s',
  run: async ({ parameters }) => ({ ok: true, k: parameters['k']!, msg: 'done' }),
}
/** The same, as if a call changed something outside. */
const EFFECT: BuiltinTool = { ...NOOP, name: 'bench.effect', sideEffects: 'reversible' }

const environmentOf: EnvironmentOf = (namespace) => ({
  id: namespace,
  stage: 'dev',
  autonomy: 'supervised',
  class: 'product',
})
const caller = { actor: 'user:bench', correlationId: 'bench' }

serve(
  async (servers, { pure = 0, effects = 0, foreach = 0 }) =>
    await start(servers, { tool: pure === 1 ? null : effects === 1 ? EFFECT : NOOP, foreach }),
)

/** `tool` null: transforms. `foreach` > 0: one foreach of so many transforms instead of the five steps. */
interface Shape {
  readonly tool: BuiltinTool | null
  readonly foreach: number
}

async function start({ databaseUrl, folder }: Servers, shape: Shape): Promise<Engine> {
  const log = createLogger({ level: 'warn', format: 'json' })
  await migrate(databaseUrl, { log })
  const urls = { url: databaseUrl, directUrl: databaseUrl, ownerUrl: databaseUrl, namedStatements: true }
  const store = await openStore(urls, {
    clock: systemClock,
    roles: ['worker'],
    host: 'bench',
    dataDirLocked: true,
    onLeaseLost: () => process.exit(70),
    log,
  })
  const feed = await openEventFeed(store)
  const journal = new Journal(store)
  const folders = createRunFolders(folder, log)
  // Nothing is declared: policies and budgets are asked, and are about nothing.
  const world = new World()
  const waiting = new Map<string, () => void>()
  const ended = new Set<string>()
  const engine = createRunEngine({
    store,
    journal,
    folders,
    // Its steps make nothing that is large.
    values: { keep: async () => {}, read: async () => null },
    environmentOf,
    policies: openPolicies(store, world, environmentOf, log).ofRuns,
    purse: { limits: limitsOf(world), ...openPurse(store) },
    tools: createToolRegistry({
      builtins: [NOOP, EFFECT],
      declared: () => [],
      clock: systemClock,
      environment: {},
      secrets: { read: async () => null, peek: async () => null },
      known: new KnownSecrets(),
      network: () => ({ allowOutbound: true, allow: null }),
      sandbox: async () => NONE('nothing is run'),
      undos: {
        folder: async () => '',
        keep: async () => {},
        learn: async () => {},
        find: async () => null,
        undone: async () => {},
      },
      artifacts: async () => ({ artifact_id: '', bytes: 0, sha256: '' }),
      redactor: () => (text) => text,
    }),
    tasks: { canServe: () => false, bulkObstacle: async () => null, enqueued: () => {}, cancelled: () => {} },
    ended(runId) {
      const tell = waiting.get(runId)
      if (tell === undefined) ended.add(runId)
      else tell()
    },
  })
  const blueprint = blueprintOf(shape)
  const blueprints: Blueprints = { all: () => [blueprint], find: () => blueprint }
  const runs = {
    store,
    blueprints,
    environmentOf,
    create: engine.create.bind(engine),
    nudge: (runId: string) => engine.nudge(runId),
  }
  const inputs = shape.foreach === 0 ? {} : { items: Array.from({ length: shape.foreach }, (_, i) => i) }
  engine.start()
  return {
    async run() {
      const request = { namespace: 'default', blueprint: blueprint.name, name: null, inputs, priority: 0 }
      const { runId } = await startRun(runs, request, caller)
      if (!ended.delete(runId)) await new Promise<void>((resolve) => waiting.set(runId, resolve))
      waiting.delete(runId)
    },
    verify: (count) => verify(databaseUrl, count, shape),
    async stop() {
      await engine.stop()
      await feed.close()
      await store.end()
    },
  }
}

function blueprintOf({ tool, foreach }: Shape): AcceptedBlueprint {
  const five: JsonObject[] = Array.from({ length: STEPS }, (_, k) =>
    tool === null
      ? { id: `s${k}`, kind: 'transform', expression: `{'ok': true, 'k': ${k}, 'msg': 'done'}` }
      : { id: `s${k}`, kind: 'action_task', action: tool.name, with: { k } },
  )
  const each = { id: 'each', kind: 'transform', expression: `{'ok': true, 'k': index, 'msg': 'done'}` }
  const plan = foreach === 0 ? five : [{ id: 'all', kind: 'foreach', items: 'inputs.items', plan: [each] }]
  const source = {
    namespace: 'default',
    name: 'bench',
    spec: foreach === 0 ? { plan } : { inputs: [{ name: 'items' }], plan },
    place: (pointer: string) => `blueprints/bench.yaml${pointer}`,
  }
  const compiled = compileBlueprint(source, { toolSchema: () => NOOP.inputSchema })
  if (!compiled.ok) throw new Error(`the measured blueprint is wrong: ${JSON.stringify(compiled.problems)}`)
  const { plan: compiledPlan, digest } = compiled
  return {
    uid: uuidv7(),
    namespace: 'default',
    name: 'bench',
    plan: compiledPlan,
    digest,
    revision: 'a'.repeat(40),
    suspended: false,
  }
}

/** Every row is there: runs and steps completed, their events numbered without gaps, and of calls with effects their effects. */
async function verify(url: string, runs: number, { tool, foreach }: Shape): Promise<void> {
  const sql = connect(url, { max: 1, applicationName: 'bench verify', namedStatements: true })
  try {
    const [found] = await sql<Record<string, number>[]>`
      SELECT (SELECT count(*) FROM runs WHERE status = 'completed' AND actor = ${caller.actor}) AS runs,
             (SELECT count(*) FROM steps JOIN runs USING (run_id) WHERE steps.status = 'completed' AND actor = ${caller.actor}) AS steps,
             (SELECT count(*) FROM effects WHERE state = 'succeeded') AS effects,
             (SELECT count(*) FROM events WHERE run_id IS NOT NULL) AS events,
             (SELECT seq FROM log_head) - (SELECT count(*) FROM events) AS gaps`
    if (foreach > 0) {
      if (found!['runs'] !== runs || found!['steps']! < runs * foreach)
        throw new Error(`stored ${JSON.stringify(found)} of ${runs} runs of ${foreach} iterations`)
      return
    }
    const effects = tool === EFFECT ? runs * STEPS : 0
    const wanted = { runs, steps: runs * STEPS, effects, events: runs * (3 + STEPS) + effects, gaps: 0 }
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      throw new Error(`stored ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
  } finally {
    await sql.end()
  }
}
