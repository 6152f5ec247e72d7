import { closeSync, openSync, readSync } from 'node:fs'
import { readEndBytes, sizeOf, startOfLastLines } from '../../../lib/programs/log-file.ts'

const CHUNK_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/** Reads a log that grows: first its end, then what comes, always whole lines. A log that was cut is read from its beginning. */
export class LineReader {
  readonly #file: string
  readonly #maxBytes: number
  #offset = 0

  constructor(file: string, maxBytes: number) {
    this.#file = file
    this.#maxBytes = maxBytes
  }

  /** The last lines there are now, at most `maxBytes`. */
  readEnd(lines: number): string {
    const { bytes, size } = readEndBytes(this.#file, this.#maxBytes)
    // A line that is being written comes with what follows.
    const whole = bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1)
    this.#offset = size - (bytes.length - whole.length)
    return whole.subarray(startOfLastLines(whole, lines)).toString('utf8')
  }

  /** The next lines; '' when there are none yet. `last`: nothing more will be written, an unfinished line counts as one. */
  readNew(last: boolean): string {
    const size = sizeOf(this.#file)
    if (size < this.#offset) this.#offset = 0
    if (size === this.#offset) return ''
    const bytes = this.#read(Math.min(size - this.#offset, CHUNK_BYTES))
    const whole = bytes.lastIndexOf(LINE_FEED) + 1
    const take = whole > 0 ? whole : last || bytes.length === CHUNK_BYTES ? bytes.length : 0
    this.#offset += take
    return bytes.subarray(0, take).toString('utf8')
  }

  #read(length: number): Buffer {
    const descriptor = openSync(this.#file, 'r')
    try {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, this.#offset))
    } finally {
      closeSync(descriptor)
    }
  }
}
