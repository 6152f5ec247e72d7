import { type BreakerSettings, ToolBreakers } from '../breakers/tool-breakers.ts'
import type { Environment } from '../config/environment.ts'
import type { EnvironmentSpec } from '../kinds/environment/environment.schema.ts'
import type { SecretReader } from '../kinds/secret-ref.ts'
import type { ToolSpec } from '../kinds/tool/tool.schema.ts'
import type { Clock } from '../lib/clock.ts'
import { parseDuration } from '../lib/duration.ts'
import type { ErrorRef } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { World } from '../reconcile/world.ts'
import type { Store } from '../store/store.ts'
import type { KnownSecrets } from '../telemetry/known-secrets.ts'
import { BUILTIN_TOOLS } from '../tools/builtins.ts'
import type { NetworkRules } from '../tools/net/reach.ts'
import type {
  ArtifactSink,
  DeclaredTool,
  DraftDesk,
  McpCaller,
  ModelGateway,
  SecretNames,
  ToolRunner,
} from '../tools/ports.ts'
import type { RunningPrograms } from '../tools/process/running/ports.ts'
import type { RateLimit } from '../tools/rate-limit.ts'
import { createToolRegistry } from '../tools/registry.ts'
import type { Sandbox } from '../tools/sandbox/sandbox.ts'
import type { UndoStore } from '../tools/undo/ports.ts'

/** What says something of the tool, and not of the call or of whoever took it back. */
const FAILURES: readonly ErrorRef[] = [
  'SW_TOOL_FAILED',
  'SW_STEP_TIMEOUT',
  'SW_INVALID_OUTPUT',
  'SW_OUTPUT_TOO_LARGE',
  'SW_MCP_UNREACHABLE',
]

/** The same tools, not called while their breaker is open. */
export function heedingBreakers(tools: ToolRunner, store: Store, world: World): ToolRunner {
  const breakers = new ToolBreakers(store)
  let known: { readonly version: number; readonly settings: Map<string, BreakerSettings | null> } | null = null
  const settingsOf = (key: string): BreakerSettings | null => {
    if (known?.version !== world.version) known = { version: world.version, settings: new Map() }
    const found = known.settings.get(key)
    if (found !== undefined) return found
    const object = world.get(`Tool/${key}`)
    const settings = object === undefined || object.deleting ? null : breakerSettingsOf(world.effective(object))
    known.settings.set(key, settings)
    return settings
  }
  return {
    ...tools,
    run(call, options) {
      const tool = tools.find(call.tool, call.namespace)
      if (tool === null) return tools.run(call, options)
      return breakers.call({
        namespace: call.namespace,
        tool: tool.name,
        timeoutMs: tool.timeoutMs,
        settings: settingsOf(`${call.namespace}/${tool.name}`),
        run: () => tools.run(call, options),
        counts: (error) => error instanceof StatewardError && (FAILURES as readonly string[]).includes(error.ref),
      })
    },
  }
}

const BUILTIN_LIMITS: ReadonlyMap<string, RateLimit> = new Map(
  BUILTIN_TOOLS.flatMap(({ name, rateLimit }) =>
    rateLimit === undefined
      ? []
      : [[name, { calls: rateLimit.calls, windowMs: parseDuration(rateLimit.per) }] as const],
  ),
)

/** How often tools may be called, as their Tools say; a built-in one says it itself. */
export function rateLimits(world: World): (namespace: string, tool: string) => RateLimit | null {
  let known: { readonly version: number; readonly limits: Map<string, RateLimit> } | null = null
  return (namespace, tool) => {
    if (known?.version !== world.version) {
      const limits = new Map<string, RateLimit>()
      for (const { namespace: of, name, spec } of declaredTools(world)) {
        const { rateLimit } = spec
        if (rateLimit !== undefined)
          limits.set(`${of}/${name}`, { calls: rateLimit.calls, windowMs: parseDuration(rateLimit.per ?? '1m') })
      }
      known = { version: world.version, limits }
    }
    const declared = known.limits.get(`${namespace}/${tool}`)
    if (declared !== undefined || world.get(`Tool/${namespace}/${tool}`)?.deleting === false) return declared ?? null
    return BUILTIN_LIMITS.get(tool) ?? null
  }
}

/** What an effective spec says of its breaker. */
export function breakerSettingsOf(spec: JsonObject): BreakerSettings | null {
  const { breaker } = spec
  if (!isObject(breaker)) return null
  return { failures: Number(breaker['failures']), cooldownSeconds: parseDuration(String(breaker['cooldown'])) / 1000 }
}

/** The tools a run can call: those built in, and the Tool objects as accepted last. */
export function toolRegistry(deps: {
  readonly clock: Clock
  readonly environment: Environment
  readonly world: World
  readonly secrets: SecretReader & SecretNames
  readonly known: KnownSecrets
  readonly artifacts: ArtifactSink
  readonly redactor: (secrets: readonly string[]) => (text: string) => string
  readonly mcp: McpCaller
  readonly undos: UndoStore
  readonly models: ModelGateway
  readonly drafts: DraftDesk
  readonly sandbox: () => Promise<Sandbox>
  readonly processes: RunningPrograms
}): ToolRunner {
  let known: { readonly version: number; readonly tools: readonly DeclaredTool[] } | null = null
  return createToolRegistry({
    builtins: BUILTIN_TOOLS,
    declared() {
      if (known?.version !== deps.world.version)
        known = { version: deps.world.version, tools: declaredTools(deps.world) }
      return known.tools
    },
    clock: deps.clock,
    environment: deps.environment,
    secrets: deps.secrets,
    known: deps.known,
    artifacts: deps.artifacts,
    redactor: deps.redactor,
    mcp: deps.mcp,
    undos: deps.undos,
    secretNames: deps.secrets,
    models: deps.models,
    drafts: deps.drafts,
    sandbox: deps.sandbox,
    processes: deps.processes,
    network: (namespace) => networkOf(deps.world, namespace),
  })
}

/** What the Environment of a namespace lets out; without one, everything. */
export function networkOf(world: World, namespace: string): NetworkRules {
  const object = world.get(`Environment/${namespace}`)
  const { network, sandbox } = (
    object === undefined || object.deleting ? {} : world.effective(object)
  ) as EnvironmentSpec
  return {
    allowOutbound: network?.allowOutbound ?? true,
    allow: network?.allow ?? null,
    sandboxRequired: sandbox === 'required',
  }
}

function declaredTools(world: World): DeclaredTool[] {
  const tools: DeclaredTool[] = []
  for (const object of world.ofKind('Tool').values()) {
    if (object.deleting) continue
    tools.push({ namespace: object.namespace, name: object.name, spec: world.effective(object) as unknown as ToolSpec })
  }
  return tools
}
