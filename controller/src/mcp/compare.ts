import type { TOOL_STATES } from '../kinds/mcp-server/mcp-server.schema.ts'
import { type OfferedTool, offeredDigest, toolNames } from './offered-tool.ts'

/** What a Tool pins of a server. */
export interface PinnedTool {
  /** Name of the Tool. */
  readonly tool: string
  /** The server's name of it. */
  readonly name: string
  readonly digest: string
}

export interface ToolState {
  readonly name: string
  readonly tool: string
  readonly state: (typeof TOOL_STATES)[number]
  readonly digest: string
}

/** How what is offered stands to what is pinned, by name. Pure. */
export function compareTools(
  server: string,
  offered: readonly OfferedTool[],
  pinned: readonly PinnedTool[],
): readonly ToolState[] {
  const names = toolNames(
    server,
    offered.map(({ name }) => name),
  )
  const pins = new Map(pinned.map((pin) => [pin.name, pin]))
  const here = offered.map((each): ToolState => {
    const digest = offeredDigest(each)
    const pin = pins.get(each.name)
    const state = pin === undefined ? 'new' : pin.digest === digest ? 'locked' : 'changed'
    return { name: each.name, tool: pin?.tool ?? names.get(each.name)!, state, digest }
  })
  const known = new Set(offered.map(({ name }) => name))
  const gone = pinned
    .filter(({ name }) => !known.has(name))
    .map(({ name, tool }): ToolState => ({ name, tool, state: 'gone', digest: '' }))
  return [...here, ...gone].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `3 locked, 1 changed`. */
export function countsText(tools: readonly ToolState[]): string {
  const parts = (['locked', 'new', 'changed', 'gone'] as const).flatMap((state) => {
    const count = tools.filter((tool) => tool.state === state).length
    return count === 0 ? [] : [`${count} ${state}`]
  })
  return parts.length === 0 ? 'none' : parts.join(', ')
}
