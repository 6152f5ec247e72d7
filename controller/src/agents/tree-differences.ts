import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { hasCode } from '../lib/error-code.ts'

/** A file of a copy that is not as the tree has it. */
export interface TreeDifference {
  /** Below the folder. */
  readonly path: string
  /** Null = it is not there. */
  readonly live: FileDigest | null
  readonly declared: FileDigest
}

export interface FileDigest {
  readonly sha256: string
  readonly bytes: number
}

/** What files had when they were read last: they are read again only when their size or times moved. */
export type SeenFiles = Map<string, { readonly stamp: string; readonly digest: FileDigest }>

/**
 * Which of a tree's files are not as declared in its copy, sorted by path. What somebody put beside them (caches of an
 * interpreter) is no difference, and a folder that is not there differs in nothing: nobody uses it.
 */
export async function treeDifferences(
  folder: string,
  declared: ReadonlyMap<string, FileDigest>,
  seen: SeenFiles,
): Promise<TreeDifference[]> {
  if (!(await isThere(folder))) return []
  const found: TreeDifference[] = []
  for (const [path, digest] of declared) {
    const live = await digestOfFile(join(folder, path), seen)
    if (live?.sha256 !== digest.sha256) found.push({ path, live, declared: digest })
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await stat(folder)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

async function digestOfFile(file: string, seen: SeenFiles): Promise<FileDigest | null> {
  try {
    const info = await lstat(file)
    if (!info.isFile()) return null
    const { size, mtimeMs, ctimeMs, ino } = info
    const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`
    const known = seen.get(file)
    if (known?.stamp === stamp) return known.digest
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash)
    const digest = { sha256: hash.digest('hex'), bytes: size }
    seen.set(file, { stamp, digest })
    return digest
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    throw error
  }
}
