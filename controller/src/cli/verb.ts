import type { Command } from 'commander'
import type { LoadedConfig } from '../config/load-config.ts'
import type { ApiClient } from './client/api-client.ts'
import type { Terminal } from './terminal.ts'

/**
 * 0 = done, 1 = it failed, 2 = wrong usage, or changes where `--exit-code` asks for that, 3 = the run it waited for was
 * cancelled, 130 = interrupted while it waited.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 70 | 130

/** One verb of the command line. Each stands in a file of its own that is loaded only when it is called. */
export interface Verb {
  /** Commander's words: `[kinds] [names...]`. */
  readonly arguments?: string
  /** What it does, beyond the one-line summary of the list of verbs. */
  readonly description?: string
  /** Complete commands, each with a remark or without: `['stateward get agents', 'all agents']`. */
  readonly examples: readonly (readonly [command: string, remark?: string])[]
  /** Paths of settings that are flags of this verb (`port`, `database.url`); default: those of a client. */
  readonly settings?: readonly string[]
  /** Adds the verb's own options. */
  readonly define?: (command: Command) => void
  readonly run: (call: VerbCall) => Promise<ExitCode>
}

export interface VerbCall {
  /** Operands as typed. */
  readonly args: readonly string[]
  /** Parsed options by name, those of settings too. */
  readonly options: Readonly<Record<string, unknown>>
  readonly terminal: Terminal
  /** Those of them that set the configuration, whether before or after the verb. */
  readonly flags: Readonly<Record<string, unknown>>
  /** The configuration with this call's flags; read at the first use. Throws SW_CONFIG_INVALID. */
  config(): LoadedConfig
  /** The API of the server this call means. */
  client(): Promise<ApiClient>
}

/** The flags every client verb has. */
export const CLIENT_SETTINGS = ['server', 'data', 'token'] as const
