import type { McpServerVerbs } from '../api/ports/mcp-servers.ts'
import type { EventName, VerbOf } from '../events/catalogue.ts'
import type { McpServerSpec } from '../kinds/mcp-server/mcp-server.schema.ts'
import { keyOf } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { globMatches } from '../lib/glob.ts'
import { uuidv7 } from '../lib/ids.ts'
import { isObject, type JsonObject, valueAt } from '../lib/json.ts'
import { traceparentOf } from '../lib/trace-context.ts'
import { compareTools, type PinnedTool, type ToolState } from '../mcp/compare.ts'
import type { Discovered, McpConnections } from '../mcp/connections.ts'
import { type DeclaredPin, lockPath, lockText } from '../mcp/lock-file.ts'
import type { DeclaredServer } from '../mcp/ports.ts'
import type { McpServerReconcilerDeps } from '../reconcile/kinds/mcp-server.ts'
import type { ToolReconcilerDeps } from '../reconcile/kinds/tool.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { addressWithin } from '../tools/net/reach.ts'
import type { McpCaller } from '../tools/ports.ts'
import { networkOf } from './builtin-tools.ts'
import { type ProposingDeps, proposeFileFor } from './object-proposals.ts'

/** How a step's call of a tool of an McpServer reaches it: by what is accepted at that moment. */
export function mcpCaller(world: World, connections: McpConnections): McpCaller {
  return async (call) => {
    const object = world.get(keyOf({ kind: 'McpServer', namespace: call.namespace, name: call.server }))
    if (object === undefined || object.deleting)
      throw fail('SW_TOOL_UNKNOWN', `${call.tool} is a tool of McpServer ${call.server}, which is not there`)
    if (world.effective(object)['suspend'] === true)
      throw fail('SW_MCP_UNREACHABLE', `McpServer ${call.server} is suspended`)
    const server = serverOf(world, object)
    const { http } = server.spec
    // The address is declared by a commit, so it may be a private one; what the environment lets out is asked all the same.
    if (http !== undefined)
      await addressWithin({ rules: networkOf(world, call.namespace), byAgent: false }, new URL(http.url).hostname)
    const meta = { traceparent: traceparentOf(call.correlationId, call.operationId) }
    return connections.call(server, { ...call, meta })
  }
}

interface ObjectName {
  readonly namespace: string
  readonly name: string
}

/** What servers were found to offer, for the Tools that pin it. Of the process that leads. */
export class FoundTools {
  readonly #servers = new Map<string, ReadonlyMap<string, ToolState>>()

  /** Whether it is other than before. */
  found({ namespace, name }: ObjectName, tools: readonly ToolState[] | null): boolean {
    const key = `${namespace}/${name}`
    const before = this.#servers.get(key)
    if (tools === null) return this.#servers.delete(key)
    this.#servers.set(key, new Map(tools.map((tool) => [tool.name, tool])))
    return before === undefined || digestOf([...before.values()]) !== digestOf(tools)
  }

  readonly offered: ToolReconcilerDeps['offered'] = (namespace, server, name) => {
    const known = this.#servers.get(`${namespace}/${server}`)
    return known === undefined ? undefined : (known.get(name) ?? null)
  }
}

export function mcpServerDeps(deps: {
  readonly store: Store
  readonly world: World
  readonly connections: McpConnections
  readonly found: FoundTools
  /** Of tools whose state moved. */
  readonly wake: (keys: readonly string[]) => void
  readonly proposing: () => ProposingDeps
}): McpServerReconcilerDeps {
  const { store, world, connections, found, wake } = deps
  return {
    discover: (object, correlationId) => discovered(world, connections, object, correlationId),
    pinned: (object) => pinnedOf(world, object),
    found(object, tools) {
      if (!found.found(object, tools)) return
      wake(pinnedOf(world, object).map(({ tool }) => keyOf({ kind: 'Tool', namespace: object.namespace, name: tool })))
    },
    async moved(object, tools, correlationId) {
      if (tools.length === 0) return
      await transact(store, (tx) =>
        appendEvents(
          tx,
          store,
          tools.map((tool) => moveEvent(store, object, tool, correlationId)),
        ),
      )
    },
    async propose(object, correlationId) {
      const caller = { actor: 'system', correlationId, reason: 'what the server offers is not what was merged' }
      return (await lock(deps.proposing(), world, connections, object, caller))?.branch ?? null
    },
  }
}

/** `stateward tool lock`. */
export function mcpServerVerbs(
  world: World,
  connections: McpConnections,
  proposing: ProposingDeps,
): Pick<McpServerVerbs, 'lock'> {
  return {
    async lock(ref, caller) {
      const object = mcpServerObject(world, ref)
      const { tools } = await discovered(world, connections, object, caller.correlationId)
      const states = compareTools(object.name, tools, pinnedOf(world, object))
      const made = await lock(proposing, world, connections, object, { ...caller, reason: null })
      return {
        tools: states.map((state) => ({ ...state })),
        file: lockPath(object.namespace, object.name),
        branch: made?.branch ?? null,
        commit: made?.commit ?? null,
      }
    },
  }
}

async function lock(
  proposing: ProposingDeps,
  world: World,
  connections: McpConnections,
  object: WorldObject,
  caller: { readonly actor: string; readonly correlationId: string; readonly reason: string | null },
) {
  const { tools } = await discovered(world, connections, object, caller.correlationId)
  const file = lockPath(object.namespace, object.name)
  const pins = declaredPins(world, object)
  const elsewhere = pins.find((pin) => pin.file !== file)
  if (elsewhere !== undefined)
    throw fail('SW_CONFLICT', `Tool ${elsewhere.tool} of this server stands in ${elsewhere.file}`, {
      remedy: `move it into ${file}, where all of them are written`,
    })
  const text = lockText(object, tools, pins)
  const subject = `lock the tools of McpServer ${object.namespace}/${object.name}`
  const topic = `lock-mcpserver-${object.namespace}-${object.name}`
  return proposeFileFor(proposing, object, { file, text, subject, topic }, { ...caller, merge: false })
}

async function discovered(
  world: World,
  connections: McpConnections,
  object: WorldObject,
  correlationId: string,
): Promise<Discovered> {
  const server = serverOf(world, object)
  const found = await connections.discover(server, correlationId)
  const globs = server.spec.tools
  if (globs === undefined) return found
  return { ...found, tools: found.tools.filter(({ name }) => globs.some((glob) => globMatches(glob, name))) }
}

/** SW_NOT_FOUND. */
export function mcpServerObject(world: World, ref: ObjectName): WorldObject {
  const object = world.get(keyOf({ kind: 'McpServer', ...ref }))
  if (object === undefined || object.deleting)
    throw fail('SW_NOT_FOUND', `there is no McpServer ${ref.name} in namespace ${ref.namespace}`)
  return object
}

export function serverOf(world: World, object: WorldObject): DeclaredServer {
  const { namespace, name } = object
  return { namespace, name, spec: world.effective(object) as unknown as McpServerSpec }
}

function pinnedOf(world: World, server: WorldObject): readonly PinnedTool[] {
  return declaredPins(world, server)
}

function declaredPins(world: World, server: WorldObject): (DeclaredPin & PinnedTool & { readonly file: string })[] {
  return [...world.ofKind('Tool').values()].flatMap((object) => {
    const mcp = valueAt(object.spec, '/executor/mcp')
    if (object.deleting || object.namespace !== server.namespace || !isObject(mcp) || mcp['server'] !== server.name)
      return []
    const { name: tool, spec, file } = object
    return [{ tool, spec: spec as JsonObject, file, name: String(mcp['tool']), digest: String(mcp['digest']) }]
  })
}

function moveEvent(store: Store, server: WorldObject, { name, tool, state, digest }: ToolState, correlationId: string) {
  const now = store.clock.now()
  const verb: VerbOf<'stateward.mcp.tool'> = state === 'locked' ? 'released' : 'quarantined'
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.mcp.tool.${verb}` satisfies EventName,
    occurred_at: now,
    env_id: server.namespace,
    actor: 'system',
    correlation_id: correlationId,
    resource: { type: 'McpServer', id: server.uid },
    data: { namespace: server.namespace, server: server.name, name, tool, state, digest },
  }
}
