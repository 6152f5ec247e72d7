import { fail } from '../../../lib/error-catalogue.ts'
import type { Blob } from '../../ports.ts'
import { incomplete } from '../incomplete.ts'
import type { GitContext } from './git-process.ts'
import type { AnswerReader } from './request-child.ts'
import { RequestChild } from './request-child.ts'

export interface ObjectInfo {
  readonly oid: string
  readonly type: string
  readonly size: number
}

export interface RawObject extends ObjectInfo {
  readonly bytes: Buffer
}

/** How many objects, and how many bytes, one request asks for: what is held in memory at once. */
const GROUP = 512
const GROUP_BYTES = 4 * 1024 * 1024

/**
 * Reads objects through one long-lived `git cat-file --batch-command`. Names of refs are looked up by git each time
 * and never kept here, so a moved ref is seen at once, as is a pack that a fetch or a gc put there.
 */
export class CatFile {
  readonly #child: RequestChild

  constructor(context: GitContext) {
    this.#child = new RequestChild(context, ['cat-file', '--batch-command', '--buffer'])
  }

  /** Type and size of what each name means; null for a name that means nothing, 'ambiguous' for a prefix of several. */
  info(names: readonly string[]): Promise<readonly (ObjectInfo | 'ambiguous' | null)[]> {
    if (names.length === 0) return Promise.resolve([])
    return this.#child.request(commands('info', names), () => new InfoReader(names.length))
  }

  /** One whole object; null when it is missing. */
  async object(name: string): Promise<RawObject | null> {
    const [found] = await this.#child.request(commands('contents', [name]), () => new ContentsReader(1))
    return found ?? null
  }

  /** Blobs in the order asked; sizes are asked for first, so that none over `maxBytes` is ever loaded. */
  async *blobs(oids: readonly string[], maxBytes: number): AsyncGenerator<Blob> {
    let next = this.#group(oids, 0, maxBytes)
    for (let at = 0; at < oids.length; at += GROUP) {
      const current = await next
      if (at + GROUP < oids.length) {
        next = this.#group(oids, at + GROUP, maxBytes)
        // A failure counts when its turn comes; until then it must not be an unhandled rejection.
        next.catch(() => {})
      }
      for (const part of current) yield* part()
    }
  }

  async #group(
    oids: readonly string[],
    start: number,
    maxBytes: number,
  ): Promise<readonly (() => AsyncGenerator<Blob>)[]> {
    const wanted = oids.slice(start, start + GROUP)
    const infos = (await this.info(wanted)).map((info, index) => {
      if (info === null || info === 'ambiguous') throw incomplete(`object ${wanted[index]} is missing`)
      if (info.type !== 'blob') throw fail('SW_GIT_FAILED', `object ${info.oid} is a ${info.type}, not a blob`)
      return info
    })
    const parts: ObjectInfo[][] = [[]]
    let bytes = 0
    for (const info of infos) {
      const size = info.size > maxBytes ? 0 : info.size
      if (bytes + size > GROUP_BYTES && parts.at(-1)!.length > 0) {
        parts.push([])
        bytes = 0
      }
      parts.at(-1)!.push(info)
      bytes += size
    }
    // The first part is read ahead with the group; later ones exist only for large blobs, and then one at a time.
    const first = await this.#read(parts[0]!, maxBytes)
    return parts.map((part, index) => {
      const read = () => (index === 0 ? Promise.resolve(first) : this.#read(part, maxBytes))
      return async function* () {
        yield* await read()
      }
    })
  }

  async #read(infos: readonly ObjectInfo[], maxBytes: number): Promise<readonly Blob[]> {
    const small = infos.filter((info) => info.size <= maxBytes)
    const contents =
      small.length === 0
        ? []
        : await this.#child.request(
            commands(
              'contents',
              small.map((info) => info.oid),
            ),
            () => new ContentsReader(small.length),
          )
    let at = 0
    return infos.map((info) => {
      if (info.size > maxBytes) return { oid: info.oid, size: info.size, bytes: null }
      const object = contents[at++]
      if (object === null || object === undefined)
        throw fail('SW_GIT_FAILED', `object ${info.oid} went away while it was read`)
      return { oid: object.oid, size: object.size, bytes: object.bytes }
    })
  }

  close(): Promise<void> {
    return this.#child.close()
  }
}

function commands(command: 'info' | 'contents', names: readonly string[]): string {
  return `${names.map((name) => `${command} ${name}\n`).join('')}flush\n`
}

function parseHeader(line: string): ObjectInfo | 'ambiguous' | null {
  const match = /^([0-9a-f]{40,64}) ([a-z]+) (\d+)$/.exec(line)
  if (match !== null) return { oid: match[1]!, type: match[2]!, size: Number(match[3]) }
  if (line.endsWith(' ambiguous')) return 'ambiguous'
  if (line.endsWith(' missing')) return null
  throw fail('SW_GIT_FAILED', `git cat-file answered "${line.slice(0, 200)}"`)
}

class InfoReader implements AnswerReader<readonly (ObjectInfo | 'ambiguous' | null)[]> {
  readonly #count: number
  readonly #infos: (ObjectInfo | 'ambiguous' | null)[] = []
  #rest = ''

  constructor(count: number) {
    this.#count = count
  }

  push(chunk: Buffer): boolean {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#infos.push(parseHeader(line))
    return this.#infos.length >= this.#count
  }

  result(): readonly (ObjectInfo | 'ambiguous' | null)[] {
    return this.#infos
  }
}

class ContentsReader implements AnswerReader<readonly (RawObject | null)[]> {
  readonly #count: number
  readonly #objects: (RawObject | null)[] = []
  #rest: Buffer = Buffer.alloc(0)
  /** The object being filled; `at` counts the bytes it has, the line end behind it included. */
  #open: { object: RawObject; at: number } | null = null

  constructor(count: number) {
    this.#count = count
  }

  push(chunk: Buffer): boolean {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (data.length > 0) {
      if (this.#open !== null) {
        data = this.#fill(this.#open, data)
        continue
      }
      const end = data.indexOf(0x0a)
      if (end < 0) break
      const info = parseHeader(data.toString('latin1', 0, end))
      data = data.subarray(end + 1)
      if (info === null || info === 'ambiguous') this.#objects.push(null)
      else this.#open = { object: { ...info, bytes: Buffer.allocUnsafe(info.size) }, at: 0 }
    }
    this.#rest = data
    return this.#objects.length >= this.#count
  }

  #fill(open: { object: RawObject; at: number }, data: Buffer): Buffer {
    const { bytes } = open.object
    const taken = Math.min(data.length, bytes.length + 1 - open.at)
    data.copy(bytes, open.at, 0, Math.min(taken, bytes.length - open.at))
    open.at += taken
    if (open.at === bytes.length + 1) {
      this.#objects.push(open.object)
      this.#open = null
    }
    return data.subarray(taken)
  }

  result(): readonly (RawObject | null)[] {
    return this.#objects
  }
}
