import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { packageRoot } from '../../src/lib/package-root.ts'

export interface StarterFile {
  /** From the root of the state repo, with `/`. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly executable: boolean
}

/** The starter state repo this package carries; sorted by path. */
export async function starterFiles(root = join(packageRoot(), 'state-repo')): Promise<readonly StarterFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = await Promise.all(
    files.map(async (file) => ({
      path: relative(root, file).split(sep).join('/'),
      bytes: await readFile(file),
      executable: ((await stat(file)).mode & 0o100) !== 0,
    })),
  )
  return read.sort((a, b) => (a.path < b.path ? -1 : 1))
}
