import type { ToolProcessRow } from '../../../store/queries/tool-processes.ts'

/** What is to be started, confined already. */
export interface ProgramToStart {
  readonly namespace: string
  /** Left out: the program's, with a part of its id. */
  readonly name?: string
  readonly operationId: string
  readonly runId: string | null
  readonly actor: string
  readonly correlationId: string
  /** As it was asked for. */
  readonly command: readonly string[]
  readonly argv: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly stdin: string | null
  readonly withRun: boolean
  readonly lifetimeMs: number
}

/** Whoever asks: an agent sees what it started itself, anybody else what runs in the namespace. */
export interface Asker {
  readonly namespace: string
  readonly actor: string
}

export interface ProgramLogs {
  /** Whole lines, the last ones. */
  readonly out: string
  readonly err: string
}

/** Programs that go on after the call that started them. What throws, throws errors of the catalogue. */
export interface RunningPrograms {
  /**
   * Starts a program, or finds the one that the same operation started before. Its row is durable before it begins.
   * SW_QUOTA_EXCEEDED, SW_CONFLICT: one of that name runs already; SW_TOOL_FAILED.
   */
  start(program: ProgramToStart): Promise<ToolProcessRow>
  /** What an operation started; null = nothing. */
  started(operationId: string): Promise<ToolProcessRow | null>
  /** By id or name. SW_NOT_FOUND. */
  find(process: string, asker: Asker): Promise<ToolProcessRow>
  list(asker: Asker, options: { readonly ended: boolean }): Promise<readonly ToolProcessRow[]>
  /** TERM, and KILL after `graceMs`. Resolves when it has ended, or throws SW_TOOL_FAILED when that cannot be seen to. */
  stop(row: ToolProcessRow, graceMs: number, signal: AbortSignal): Promise<ToolProcessRow>
  /** To the program itself, not to what it started. SW_CONFLICT: it does not run; SW_TOOL_FAILED: not on this machine. */
  signal(row: ToolProcessRow, name: NodeJS.Signals): void
  /** SW_TOOL_FAILED: on another machine, or removed since. */
  logs(row: ToolProcessRow, options: { readonly lines: number; readonly maxBytes: number }): ProgramLogs
  /** As it is now. */
  again(row: ToolProcessRow): Promise<ToolProcessRow>
}
