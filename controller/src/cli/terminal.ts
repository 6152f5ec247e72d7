import { once } from 'node:events'
import { text as readText } from 'node:stream/consumers'
import picocolors from 'picocolors'
import { type Environment, processEnvironment } from '../config/environment.ts'
import { type Clock, systemClock } from '../lib/clock.ts'

export type Colors = ReturnType<typeof picocolors.createColors>

/** What a verb sees of the world around the process; tests hand in their own. */
export interface Terminal {
  readonly cwd: string
  readonly env: Environment
  readonly clock: Clock
  readonly colors: Colors
  /** Characters in a line; null when the output is no terminal. */
  readonly columns: number | null
  /** Opens an area at the end of the output that is written again in place; null when the output cannot do that. */
  readonly live: (() => Promise<LiveArea>) | null
  /** Resolves when there is room for more, so that a slow reader slows the writer. */
  out(text: string): Promise<void>
  err(text: string): Promise<void>
  stdin(): Promise<string>
  /** Aborted at the first Ctrl-C or TERM from now on; a second one ends the process at once. */
  untilInterrupted(): AbortSignal
}

/** Lines that stay the last ones of the terminal until `done`. Nothing else may be printed meanwhile. */
export interface LiveArea {
  /** Characters in a line and lines on the screen as they are now: people change the size of their windows. */
  readonly size: { readonly columns: number; readonly rows: number }
  /** Replaces what the area shows. */
  show(text: string): void
  /** What was shown last stays; what is printed from now on comes below it. */
  done(): void
}

/** The process's own terminal. Colours only on one, and never with NO_COLOR or TERM=dumb. */
export function processTerminal(): Terminal {
  const env = processEnvironment()
  const isTerminal = process.stdout.isTTY === true
  const isDumb = env['TERM'] === 'dumb'
  const plain = (env['NO_COLOR'] ?? '') !== '' || isDumb
  // `stateward get … | head` closes the pipe early: that is the reader's right, not a failure.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  }
  return {
    cwd: process.cwd(),
    env,
    clock: systemClock,
    colors: picocolors.createColors(isTerminal && !plain),
    columns: isTerminal ? sizeOf(env).columns : null,
    live: isTerminal && !isDumb ? () => openLiveArea(env) : null,
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    stdin: () => readText(process.stdin),
    untilInterrupted,
  }
}

async function openLiveArea(env: Environment): Promise<LiveArea> {
  const { createLogUpdate } = await import('log-update')
  const { stdout } = process
  const shown = createLogUpdate({
    isTTY: true,
    get columns() {
      return sizeOf(env).columns
    },
    get rows() {
      return sizeOf(env).rows
    },
    write: (text: string) => stdout.write(text),
  } as unknown as NodeJS.WritableStream)
  return {
    get size() {
      return sizeOf(env)
    },
    show: (text) => shown(text),
    done: () => shown.done(),
  }
}

/** A terminal that does not know its own size has that of the environment, else the one terminals always had. */
function sizeOf(env: Environment): { readonly columns: number; readonly rows: number } {
  const { columns, rows } = process.stdout
  return { columns: columns || Number(env['COLUMNS']) || 80, rows: rows || Number(env['LINES']) || 24 }
}

async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain')
}

function untilInterrupted(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (): void => controller.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  return controller.signal
}
