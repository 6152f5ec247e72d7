import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { runLogFile } from './run-folders.ts'

export interface RunLogOptions {
  /** Waits for more until the run has ended or `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
  /** Only the last lines; null = all. */
  readonly tailLines: number | null
}

const FOLLOW_MS = 200
const CHUNK = 64 * 1024

/**
 * The lines of a run's log as they stand in the file (JSON objects), without their line ends. A run whose tools said
 * nothing has no lines. Only whole lines are given.
 */
export async function* readRunLog(
  dataDir: string,
  runId: string,
  options: RunLogOptions,
  hasEnded: () => Promise<boolean>,
): AsyncIterable<string> {
  const file = runLogFile(dataDir, runId)
  let offset = 0
  let rest: Buffer = Buffer.alloc(0)
  let first = true
  for (;;) {
    // Asked before reading, so that what was written before the end is still read.
    const ended = !options.follow || (await hasEnded())
    const { bytes, next } = await readFrom(file, offset)
    offset = next
    const lines = splitLines(Buffer.concat([rest, bytes]))
    rest = lines.rest
    const shown = first && options.tailLines !== null ? lastOf(lines.whole, options.tailLines) : lines.whole
    first = false
    yield* shown
    if (options.signal.aborted || (ended && bytes.length === 0)) return
    if (bytes.length === 0) await delay(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined)
  }
}

function lastOf(lines: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : lines.slice(-count)
}

function splitLines(bytes: Buffer): { readonly whole: readonly string[]; readonly rest: Buffer } {
  const end = bytes.lastIndexOf(0x0a)
  if (end < 0) return { whole: [], rest: bytes }
  return { whole: bytes.subarray(0, end).toString('utf8').split('\n'), rest: bytes.subarray(end + 1) }
}

/** Everything behind an offset; nothing when the file is not there. */
async function readFrom(file: string, offset: number): Promise<{ readonly bytes: Buffer; readonly next: number }> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (handle === null) return { bytes: Buffer.alloc(0), next: offset }
  try {
    const parts: Buffer[] = []
    let at = offset
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, at)
      if (bytesRead === 0) return { bytes: Buffer.concat(parts), next: at }
      parts.push(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}
