import type { ToolState } from '../../mcp/compare.ts'
import type { Caller } from '../caller.ts'

interface ServerName {
  readonly namespace: string
  readonly name: string
}

export interface McpServerVerbs {
  /**
   * Begins the sign-in to a server behind OAuth; where a person has to go. SW_NOT_FOUND, SW_CONFLICT: nobody signs in to it,
   * SW_BAD_REQUEST, SW_MCP_LOGIN_FAILED, SW_SECRET_MISSING, SW_OUTBOUND_DENIED.
   */
  beginLogin(
    server: ServerName,
    asked: { readonly redirectUri: string; readonly scopes: readonly string[] },
    caller: Caller,
  ): Promise<{ readonly url: string; readonly expiresAt: Date }>
  /** Ends it with the query of the address the person came back to. SW_NOT_FOUND, SW_MCP_LOGIN_FAILED. */
  finishLogin(
    server: ServerName,
    callback: string,
    caller: Caller,
  ): Promise<{ readonly issuer: string; readonly scopes: readonly string[]; readonly secret: string }>
  /** Proposes Tools that pin what a server offers now. SW_NOT_FOUND, SW_MCP_UNREACHABLE, SW_CONFLICT. */
  lock(
    server: ServerName,
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
