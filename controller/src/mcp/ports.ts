import type { McpServerSpec } from '../kinds/mcp-server/mcp-server.schema.ts'
import type { SecretReader } from '../kinds/secret-ref.ts'
import type { Logger } from '../telemetry/logger.ts'

/** An McpServer as accepted last; `spec` with its defaults filled. */
export interface DeclaredServer {
  readonly namespace: string
  readonly name: string
  readonly spec: McpServerSpec
}

export interface McpDependencies {
  readonly secrets: SecretReader
  readonly log: Logger
  readonly version: string
  /** Where programs run. */
  readonly folder: string
  /** How long a connection that nobody uses is kept, in milliseconds; default: 5 minutes. */
  readonly idleMs?: number
  /** How long what a server offers is believed between calls, in milliseconds; default: 1 minute. */
  readonly believedMs?: number
  /** Of the monotonic clock. */
  readonly monotonicMs: () => number
}
