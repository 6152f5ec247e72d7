import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** Beyond this a file is hashed as it streams by. */
const WHOLE_BYTES = 4 * 1024 * 1024

/** The oid git gives a blob of these bytes. */
export function blobOid(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex')
}

/** The oid of a file's content; null when it changed its size meanwhile. */
export async function blobOidOfFile(path: string, size: number): Promise<string | null> {
  if (size <= WHOLE_BYTES) {
    const bytes = await readFile(path)
    return bytes.byteLength === size ? blobOid(bytes) : null
  }
  const hash = createHash('sha1').update(`blob ${size}\0`)
  let seen = 0
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer)
    seen += (chunk as Buffer).byteLength
  }
  return seen === size ? hash.digest('hex') : null
}
