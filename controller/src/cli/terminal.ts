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
  /** Resolves when there is room for more, so that a slow reader slows the writer. */
  out(text: string): Promise<void>
  err(text: string): Promise<void>
  stdin(): Promise<string>
  /** Aborted at the first Ctrl-C or TERM from now on; a second one ends the process at once. */
  untilInterrupted(): AbortSignal
}

/** The process's own terminal. Colours only on one, and never with NO_COLOR or TERM=dumb. */
export function processTerminal(): Terminal {
  const env = processEnvironment()
  const isTerminal = process.stdout.isTTY === true
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  // `stateward get … | head` closes the pipe early: that is the reader's right, not a failure.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  }
  return {
    cwd: process.cwd(),
    env,
    clock: systemClock,
    colors: picocolors.createColors(isTerminal && !plain),
    columns: isTerminal ? process.stdout.columns : null,
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    stdin: () => readText(process.stdin),
    untilInterrupted,
  }
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
