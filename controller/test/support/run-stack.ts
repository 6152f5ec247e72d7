import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type CompileSurroundings, compileBlueprint } from '../../src/blueprints/compile.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { contentFiles } from '../../src/records/artifacts/content-files.ts'
import { largeValues, type Values } from '../../src/records/artifacts/values.ts'
import type { CrashHook } from '../../src/runs/crash-points.ts'
import { createRunEngine, type RunEngine, type RunEngineDeps } from '../../src/runs/engine/engine.ts'
import type {
  AcceptedBlueprint,
  Blueprints,
  EnvironmentOf,
  ToolCall,
  ToolInfo,
  ToolRunner,
} from '../../src/runs/ports.ts'
import { createRunFolders } from '../../src/runs/run-folders.ts'
import { createsFreeRuns } from '../../src/runs/start/create.ts'
import { startRun } from '../../src/runs/start/start-run.ts'
import type { QueueLimits } from '../../src/store/journal/queue.ts'
import { Journal } from '../../src/store/journal.ts'
import { readEvents } from '../../src/store/log.ts'
import { getRun, type RunRow } from '../../src/store/queries/runs.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { assertCatalogued } from './assert-events.ts'
import { quietLog } from './quiet-log.ts'

export const environmentOf: EnvironmentOf = (namespace) => ({
  id: namespace,
  stage: 'dev',
  autonomy: 'supervised',
  class: 'product',
})
export const caller = { actor: 'user:ada', correlationId: 'c-test' }

type ToolFunction = (
  call: ToolCall,
  options: { readonly signal: AbortSignal; readonly log: (line: string) => void },
) => Promise<Json> | Json

export interface TestTool {
  readonly run: ToolFunction
  readonly idempotent?: boolean
  readonly withoutEffects?: boolean
  readonly usesWorkspace?: boolean
  readonly timeoutMs?: number
  readonly leavesNothing?: boolean
  readonly estimatedCents?: number
}

/** Tools that are functions, and what was asked of them, in order. */
export function functionTools(tools: Record<string, TestTool>): ToolRunner & { readonly calls: ToolCall[] } {
  const calls: ToolCall[] = []
  return {
    calls,
    find(name): ToolInfo | null {
      const tool = tools[name]
      if (tool === undefined) return null
      const { idempotent = false, withoutEffects = false, leavesNothing = false } = tool
      const { usesWorkspace = true, timeoutMs = 60_000, estimatedCents } = tool
      const cost = estimatedCents === undefined ? {} : { estimatedCents }
      return { name, idempotent, withoutEffects, leavesNothing, usesWorkspace, inputSchema: {}, timeoutMs, ...cost }
    },
    async run(call, options) {
      calls.push(call)
      return tools[call.tool]!.run(call, options)
    },
  }
}

/** A blueprint as it is accepted from a spec as a person writes it. */
export function blueprintOf(
  name: string,
  spec: JsonObject,
  more: Partial<AcceptedBlueprint> = {},
  around: Partial<CompileSurroundings> = {},
): AcceptedBlueprint {
  const source = { namespace: 'default', name, spec, place: (pointer: string) => `blueprints/${name}.yaml${pointer}` }
  const compiled = compileBlueprint(source, { toolSchema: () => ({}), ...around })
  if (!compiled.ok) throw new Error(`the blueprint of the test is wrong: ${JSON.stringify(compiled.problems)}`)
  const { plan, digest } = compiled
  return {
    uid: uuidv7(),
    namespace: 'default',
    name,
    plan,
    digest,
    revision: 'a'.repeat(40),
    suspended: false,
    ...more,
  }
}

export function blueprintsOf(list: readonly AcceptedBlueprint[]): Blueprints {
  return {
    all: () => list,
    find: (namespace, name) => list.find((one) => one.namespace === namespace && one.name === name) ?? null,
  }
}

/** Makes runs as a process does that moves none. */
export const freeCreate = (store: Store) => createsFreeRuns(store, new Journal(store))

/** Large values below a folder, with the limits of the defaults unless others are given. */
export function valuesIn(store: Store, dataDir: string, limits = { maxBytes: 250e6, maxTotalBytes: 20e9 }): Values {
  return largeValues({ store, files: contentFiles(join(dataDir, 'artifacts')), limits })
}

export interface RunStack {
  readonly store: Store
  readonly journal: Journal
  readonly engine: RunEngine
  readonly dataDir: string
  readonly folders: ReturnType<typeof createRunFolders>
  readonly values: Values
  /** Starts a run of a blueprint by hand; its id. */
  start(blueprint: AcceptedBlueprint, inputs?: JsonObject, actor?: string): Promise<string>
  stop(): Promise<void>
}

/** What one process needs to move runs, on a store; the engine is started. */
export function startRunStack(
  store: Store,
  tools: ToolRunner,
  options: Partial<RunEngineDeps> & {
    readonly dataDir?: string
    readonly crashPoint?: CrashHook
    readonly limits?: QueueLimits
  } = {},
): RunStack {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'stateward-runs-'))
  const folders = createRunFolders(dataDir, quietLog)
  const { crashPoint, limits } = options
  const values = valuesIn(store, dataDir)
  const journal = new Journal(store, {
    ...(crashPoint === undefined ? {} : { crashPoint }),
    ...(limits === undefined ? {} : { limits }),
  })
  const engine = createRunEngine({
    store,
    journal,
    tools,
    tasks: { canServe: () => true, bulkObstacle: async () => null, enqueued: () => {}, cancelled: () => {} },
    folders,
    values,
    environmentOf,
    pollMs: 100,
    stopGraceMs: 300,
    ...options,
  })
  engine.start()
  return {
    store,
    journal,
    engine,
    dataDir,
    folders,
    values,
    async start(blueprint, inputs = {}, actor = caller.actor) {
      const deps = {
        store,
        blueprints: blueprintsOf([blueprint]),
        environmentOf,
        tools,
        create: engine.create.bind(engine),
        nudge: (id: string) => engine.nudge(id),
      }
      const request = { namespace: 'default', blueprint: blueprint.name, name: null, inputs, priority: 0 }
      return (await startRun(deps, request, { ...caller, actor })).runId
    },
    async stop() {
      await engine.stop()
      await folders.settled()
      await assertCatalogued(store.reader)
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Waits until something holds; says what it saw last when it does not. */
export async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean, what = 'it'): Promise<T> {
  const end = performance.now() + 15_000
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (performance.now() > end) throw new Error(`${what} did not come to hold; last seen: ${inspect(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function untilEnded(store: Store, runId: string): Promise<RunRow> {
  const seen = await until(
    () => getRun(store.reader, runId),
    (run) => run !== null && ['completed', 'failed', 'cancelled'].includes(run.status),
    'the end of the run',
  )
  return seen!
}

/** Waits until nobody owns the run and it waits for the given reason. */
export async function untilWaiting(store: Store, runId: string, reason: string): Promise<RunRow> {
  const seen = await until(
    () => getRun(store.reader, runId),
    (run) => run !== null && run.owner === null && run.condition?.['reason'] === reason,
    `waiting for ${reason}`,
  )
  return seen!
}

/** `path → status` of the recorded steps. */
export async function statusesOf(store: Store, runId: string): Promise<Record<string, string>> {
  const steps = await stepsOfRuns(store.reader, [runId])
  return Object.fromEntries(steps.map((step) => [step.path, step.status]))
}

/** Names of the events of a run, without their `stateward.run.`, with the step where there is one. */
export async function storyOf(store: Store, runId: string): Promise<string[]> {
  const events = await readEvents(store.reader, { runId, limit: 500 })
  return events.map(({ event_name, data }) => {
    const name = event_name.replace('stateward.run.', '')
    return data['step'] === undefined ? name : `${name} ${String(data['step'])}`
  })
}
