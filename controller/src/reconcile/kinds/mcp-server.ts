import type { McpServerSpec } from '../../kinds/mcp-server/mcp-server.schema.ts'
import { parseDuration } from '../../lib/duration.ts'
import { StatewardError } from '../../lib/errors.ts'
import { isObject } from '../../lib/json.ts'
import { compareTools, countsText, type PinnedTool, type ToolState } from '../../mcp/compare.ts'
import type { Discovered } from '../../mcp/connections.ts'
import type { Outcome } from '../runtime/outcome.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { WorldObject } from '../world.ts'

const RETRY_MS = 30_000
const REASONS: ReadonlyMap<string, 'SecretMissing' | 'LoginRequired'> = new Map([
  ['SW_SECRET_MISSING', 'SecretMissing'],
  ['SW_MCP_LOGIN_REQUIRED', 'LoginRequired'],
])

export interface McpServerReconcilerDeps {
  readonly discover: (object: WorldObject, correlationId: string) => Promise<Discovered>
  readonly pinned: (object: WorldObject) => readonly PinnedTool[]
  /** Tells the log about tools that are not called from now on, and about those that are again. */
  readonly moved: (object: WorldObject, tools: readonly ToolState[], correlationId: string) => Promise<void>
  /** Proposes what is offered now; the branch, or null where nothing can be proposed from here. */
  readonly propose: (object: WorldObject, correlationId: string) => Promise<string | null>
  /** Remembers what was found for the Tools of this server. */
  readonly found: (object: WorldObject, tools: readonly ToolState[] | null) => void
}

/** Asks a server what it offers, and compares that with what was merged. */
export function mcpServerReconciler(deps: McpServerReconcilerDeps): KindReconciler {
  const look: Phase = async (context): Promise<Outcome> => {
    const { object, fields, conditions, correlationId, now } = context
    const spec = context.spec as unknown as McpServerSpec
    if (context.suspended) return done
    let discovered: Discovered
    try {
      discovered = await deps.discover(object, correlationId)
    } catch (error) {
      if (!(error instanceof StatewardError)) throw error
      const reason = REASONS.get(error.ref) ?? 'Unreachable'
      const message = reason === 'LoginRequired' ? `${error.message}: ${error.remedy}` : error.message
      return { kind: 'waiting', reason, message, after: RETRY_MS }
    }
    const tools = compareTools(object.name, discovered.tools, deps.pinned(object))
    const before = statesOf(object)
    await deps.moved(
      object,
      tools.filter(({ name, state, digest }) => isMove(before.get(name), { state, digest })),
      correlationId,
    )
    deps.found(object, tools)
    fields['server'] = discovered.server
    fields['protocol'] = discovered.protocol
    fields['tools'] = tools.slice(0, 1000).map((tool) => ({ ...tool }))
    fields['counts'] = countsText(tools)
    fields['lastDiscoveredTime'] = now.toISOString()
    const changed = tools.filter(({ state }) => state === 'changed' || state === 'gone')
    if (changed.length === 0) delete fields['proposal']
    else {
      conditions.set('Drifted', 'True', 'Drifted', changedText(changed))
      // Once for each thing it offers instead.
      const isNews = changed.some(({ name, digest }) => before.get(name)?.digest !== digest)
      if (isNews || fields['proposal'] === undefined) {
        const branch = changed.some(({ state }) => state === 'changed')
          ? await deps.propose(object, correlationId)
          : null
        if (branch !== null) fields['proposal'] = branch
      }
    }
    return { kind: 'done', again: parseDuration(spec.interval ?? '5m') }
  }
  return {
    kind: 'McpServer',
    phases: [look],
    finalize: ({ object }) => {
      deps.found(object, null)
      return done
    },
  }
}

type Known = Pick<ToolState, 'state' | 'digest'>

/** What it was said to be before. */
function statesOf({ status }: WorldObject): ReadonlyMap<string, Known> {
  const { tools } = status as unknown as { readonly tools?: unknown }
  const all = Array.isArray(tools) ? tools.filter(isObject) : []
  return new Map(all.map((tool) => [String(tool['name']), tool as unknown as Known]))
}

const isOut = (known: Known | undefined): boolean => known?.state === 'changed' || known?.state === 'gone'

/** Called no more, called again, or another change of what is not called. */
function isMove(before: Known | undefined, now: Known): boolean {
  if (isOut(now)) return before?.state !== now.state || before.digest !== now.digest
  return isOut(before) && now.state === 'locked'
}

function changedText(changed: readonly ToolState[]): string {
  const names = changed
    .slice(0, 10)
    .map(({ name, state }) => `${name} is ${state === 'gone' ? 'not offered any more' : 'another one'}`)
  const more = changed.length > 10 ? ` (and ${changed.length - 10} more)` : ''
  return `${names.join(', ')}${more}: not called until that is merged`
}
