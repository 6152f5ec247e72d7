import type { McpServerSpec } from '../kinds/mcp-server/mcp-server.schema.ts'
import type { SecretName, SecretReader, SecretUse } from '../kinds/secret-ref.ts'
import type { Json } from '../lib/json.ts'
import type { Logger } from '../telemetry/logger.ts'

/** An McpServer as accepted last; `spec` with its defaults filled. */
export interface DeclaredServer {
  readonly namespace: string
  readonly name: string
  readonly spec: McpServerSpec
}

/** What a server behind OAuth needs besides. */
export interface OAuthDependencies {
  readonly secrets: SecretReader
  /** Gives a secret a value, durable when it resolves. */
  readonly keep: (secret: SecretName, value: string, use: SecretUse) => Promise<void>
  /** From now on the text is taken out of whatever this process writes. */
  readonly learn: (secret: string) => void
  /**
   * Whether a host may be asked for the sake of a server; one that the server named, and no commit, is no private address.
   * SW_OUTBOUND_DENIED.
   */
  readonly reach: (namespace: string, host: string, isDeclared: boolean) => Promise<void>
}

/** Programs that are servers. */
export interface ProgramKeeper {
  /** The folder a program runs in, and the only one it writes to; made where it is not there. */
  folderOf(server: DeclaredServer): Promise<string>
  /**
   * The program as it is started: confined, unless its declaration trusts it. SW_SANDBOX_UNAVAILABLE: it has to be, and
   * cannot be here. SW_TOOL_FAILED: there is no such program.
   */
  confined(server: DeclaredServer, folder: string, log: (line: string) => void): Promise<readonly string[]>
  /** What decides that besides its declaration: where it changes, the program is started anew. */
  rules(namespace: string): Json
}

export interface McpDependencies extends OAuthDependencies {
  readonly log: Logger
  readonly version: string
  /** What programs are kept to. */
  readonly programs: ProgramKeeper
  /** How long a connection that nobody uses is kept, in milliseconds; default: 5 minutes. */
  readonly idleMs?: number
  /** How long what a server offers is believed between calls, in milliseconds; default: 1 minute. */
  readonly believedMs?: number
  /** Of the monotonic clock. */
  readonly monotonicMs: () => number
}
