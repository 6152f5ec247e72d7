import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { hasCode } from '../error-code.ts'

/** A log keeps this much of its end when it is cut. */
const KEPT_BYTES = 1024 * 1024
const LINE_FEED = 0x0a

/** Size in bytes; 0 for a file that is not there. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** The last `maxBytes` of a file as text; a character cut in halves at the beginning is left out. '' when there is no file. */
export function readEnd(file: string, maxBytes: number): string {
  return decodeEnd(readEndBytes(file, maxBytes).bytes)
}

/** The last lines of a file that fit into `maxBytes`, an unfinished one at its end included. */
export function readLastLines(file: string, options: { readonly lines: number; readonly maxBytes: number }): string {
  const { bytes } = readEndBytes(file, options.maxBytes)
  return decodeEnd(bytes.subarray(startOfLastLines(bytes, options.lines)))
}

/** The last bytes of a file, and its size when they were read. */
export function readEndBytes(file: string, maxBytes: number): { readonly bytes: Buffer; readonly size: number } {
  const descriptor = openOrNull(file, 'r')
  if (descriptor === null) return { bytes: Buffer.alloc(0), size: 0 }
  try {
    return lastBytes(descriptor, maxBytes)
  } finally {
    closeSync(descriptor)
  }
}

/** Where the last lines begin; what follows the last line feed counts as a line when there is anything. */
export function startOfLastLines(bytes: Buffer, lines: number): number {
  let end = bytes.length
  if (end > 0 && bytes[end - 1] === LINE_FEED) end -= 1
  for (let left = lines; left > 0; left--) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, end - 1)
    if (before === -1) return 0
    if (left === 1) return before + 1
    end = before
  }
  return bytes.length
}

/**
 * Cuts a log that grew over `maxBytes`: its end stays, with a line that says so. The writer goes on undisturbed, since it
 * appends; a line that it writes at this very moment may come before the ones kept. True when it was cut.
 */
export function cutLog(file: string, maxBytes: number): boolean {
  if (sizeOf(file) <= maxBytes) return false
  const descriptor = openSync(file, 'a+')
  try {
    const end = lastBytes(descriptor, Math.min(KEPT_BYTES, maxBytes)).bytes
    const newline = end.indexOf(LINE_FEED)
    ftruncateSync(descriptor, 0)
    writeSync(descriptor, `[stateward: cut here, the log was over ${maxBytes} bytes]\n`)
    writeSync(descriptor, end.subarray(newline + 1))
    return true
  } finally {
    closeSync(descriptor)
  }
}

function lastBytes(descriptor: number, maxBytes: number): { bytes: Buffer; size: number } {
  const size = fstatSync(descriptor).size
  const length = Math.min(size, maxBytes)
  const bytes = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const read = readSync(descriptor, bytes, filled, length - filled, size - length + filled)
    if (read === 0) break
    filled += read
  }
  return { bytes: bytes.subarray(0, filled), size: size - length + filled }
}

/** UTF-8 continuation bytes at the beginning belong to a character that was cut. */
function decodeEnd(bytes: Buffer): string {
  let start = 0
  while (start < bytes.length && start < 4 && (bytes[start]! & 0xc0) === 0x80) start += 1
  return bytes.subarray(start).toString('utf8')
}

function openOrNull(file: string, flags: string): number | null {
  try {
    return openSync(file, flags)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
