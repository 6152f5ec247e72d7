import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fail } from '../../lib/error-catalogue.ts'
import { hasCode } from '../../lib/error-code.ts'
import { uuidv7 } from '../../lib/ids.ts'
import { KnownSecrets, redactedBytes } from '../../telemetry/known-secrets.ts'

/** Bytes that have come and are not anybody's yet. */
export interface Received {
  readonly sha256: string
  readonly bytes: number
  /** Before secrets were taken out of them. */
  readonly came: number
  /** Where they lie until they are placed or thrown away. */
  readonly file: string
}

/**
 * Bytes on disk: `<root>/<first two of the sha256>/<sha256>`, and `<root>/.incoming/` for those under way. A file that has
 * its name is whole and on the disk: it is written elsewhere, synced and renamed. Secrets this process knows never get there.
 */
export interface ContentFiles {
  /** Reads a stream to its end. Throws SW_ARTIFACT_TOO_LARGE as soon as it is longer than `maxBytes`. */
  receive(content: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Received>
  /** Gives received bytes their name; the same bytes again change nothing. May be called again after it was. */
  place(received: Received): Promise<void>
  discard(received: Received): Promise<void>
  /** Throws SW_NOT_FOUND when the bytes are not on this machine. */
  read(sha256: string): Promise<AsyncIterable<Uint8Array> & NodeJS.ReadableStream>
  remove(sha256: string): Promise<void>
  /** Removes what came before `time` and was never placed: its process died. */
  sweep(time: Date): Promise<number>
}

export function contentFiles(root: string, known: KnownSecrets = new KnownSecrets()): ContentFiles {
  const incoming = join(root, '.incoming')
  const fileOf = (sha256: string): string => join(root, sha256.slice(0, 2), sha256)
  return {
    async receive(content, maxBytes) {
      await mkdir(incoming, { recursive: true })
      const file = join(incoming, uuidv7())
      const hash = createHash('sha256')
      const handle = await open(file, 'wx', 0o600)
      let bytes = 0
      const came = { bytes: 0 }
      try {
        for await (const chunk of redactedBytes(counted(chunksOf(content), came, maxBytes), known)) {
          bytes += chunk.length
          if (bytes > maxBytes) throw tooLarge(maxBytes)
          hash.update(chunk)
          await handle.appendFile(chunk)
        }
        await handle.sync()
      } catch (error) {
        await rm(file, { force: true })
        throw error
      } finally {
        await handle.close()
      }
      return { sha256: hash.digest('hex'), bytes, came: came.bytes, file }
    },
    async place({ sha256, file }) {
      const target = fileOf(sha256)
      await mkdir(dirname(target), { recursive: true })
      try {
        await rename(file, target)
      } catch (error) {
        // Placed before, by a transaction that had to be run again.
        if (!isMissing(error)) throw error
        await stat(target)
      }
      await sync(dirname(target))
    },
    discard: ({ file }) => rm(file, { force: true }),
    async read(sha256) {
      const file = fileOf(sha256)
      try {
        await stat(file)
      } catch (error) {
        if (!isMissing(error)) throw error
        throw fail('SW_NOT_FOUND', `the bytes ${sha256} are not on this machine`, {
          remedy: 'ask the process that took them: they lie in its data folder',
        })
      }
      return createReadStream(file)
    },
    remove: (sha256) => rm(fileOf(sha256), { force: true }),
    async sweep(time) {
      let removed = 0
      for (const name of await namesIn(incoming)) {
        const file = join(incoming, name)
        const found = await stat(file).catch((error: unknown) => {
          if (isMissing(error)) return null
          throw error
        })
        if (found === null || found.mtime >= time) continue
        await rm(file, { force: true })
        removed += 1
      }
      return removed
    },
  }
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  came: { bytes: number },
  maxBytes: number,
): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    came.bytes += chunk.length
    if (came.bytes > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

/** Leaves a stream open that is not read to its end: the answer to whoever sends it goes over the same connection. */
function chunksOf(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return content instanceof Readable ? content.iterator({ destroyOnReturn: false }) : content
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function tooLarge(maxBytes: number): Error {
  return fail('SW_ARTIFACT_TOO_LARGE', `an artifact is at most ${maxBytes} bytes`)
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}
