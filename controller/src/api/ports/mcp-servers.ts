import type { ToolState } from '../../mcp/compare.ts'
import type { Caller } from '../caller.ts'

export interface McpServerVerbs {
  /** Proposes Tools that pin what a server offers now. SW_NOT_FOUND, SW_MCP_UNREACHABLE, SW_CONFLICT. */
  lock(
    server: { readonly namespace: string; readonly name: string },
    caller: Caller,
  ): Promise<{
    readonly tools: readonly ToolState[]
    /** Path from the root of the source. */
    readonly file: string
    /** Null: there is nothing to change, or no proposal can be made from here. */
    readonly branch: string | null
    readonly commit: string | null
  }>
}
