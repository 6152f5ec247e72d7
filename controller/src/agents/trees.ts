import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../lib/error-code.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { TreeWriter } from './ports.ts'

/**
 * Read-only copies of directories of the state repo, one a tree id: `<data>/trees/<tree>/`. A copy is complete or not
 * there (it is written beside and renamed), so a killed controller leaves no half of one.
 */
export class Trees {
  readonly #folder: string
  readonly #write: TreeWriter
  readonly #writing = new Map<string, Promise<string>>()

  constructor(dataDir: string, write: TreeWriter) {
    this.#folder = join(dataDir, 'trees')
    this.#write = write
  }

  /** The folder with a tree's files, written when it is not there yet. */
  ensure(tree: string): Promise<string> {
    const running = this.#writing.get(tree)
    if (running !== undefined) return running
    const writing = this.#ensure(tree).finally(() => this.#writing.delete(tree))
    this.#writing.set(tree, writing)
    return writing
  }

  async #ensure(tree: string): Promise<string> {
    const folder = join(this.#folder, tree)
    if ((await ageOf(folder)) !== null) return folder
    const draft = join(this.#folder, `.${tree}.${uuidv7()}`)
    await mkdir(draft, { recursive: true })
    try {
      await this.#write(tree, draft)
      await setWritable(draft, false, { itself: false })
      await rename(draft, folder)
      await chmod(folder, 0o555)
    } catch (error) {
      await removeTree(draft)
      // Somebody else wrote the same tree meanwhile.
      if ((await ageOf(folder)) === null) throw error
    }
    return folder
  }

  /** Where the copy of a tree is, whether it was written or not. */
  folderOf(tree: string): string {
    return join(this.#folder, tree)
  }

  /** Puts files of a copy back to what the tree has, one after the other; what runs in it stays where it is. */
  async restore(tree: string, paths: readonly string[]): Promise<void> {
    const folder = this.folderOf(tree)
    const draft = join(this.#folder, `.${tree}.${uuidv7()}`)
    await mkdir(draft, { recursive: true })
    try {
      await this.#write(tree, draft)
      await setWritable(folder, true, { itself: true })
      for (const path of paths) {
        await rm(join(folder, path), { recursive: true, force: true })
        if ((await ageOf(join(draft, path))) === null) continue
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await rename(join(draft, path), join(folder, path))
      }
      await setWritable(folder, false, { itself: true })
    } finally {
      await removeTree(draft)
    }
  }

  /** Notes that these trees are in use: the time since then is what {@link removeUnused} counts. */
  async touch(trees: Iterable<string>, now: Date): Promise<void> {
    for (const tree of trees) {
      const folder = join(this.#folder, tree)
      if ((await ageOf(folder)) !== null) await utimes(folder, now, now)
    }
  }

  /** Removes copies, and drafts that were never finished, which nobody has used since `before`. Returns their names. */
  async removeUnused(used: ReadonlySet<string>, before: Date): Promise<string[]> {
    const removed: string[] = []
    for (const name of await namesIn(this.#folder)) {
      if (used.has(name) || this.#writing.has(name)) continue
      const folder = join(this.#folder, name)
      const at = await ageOf(folder)
      if (at === null || at >= before.getTime()) continue
      await removeTree(folder)
      removed.push(name)
    }
    return removed
  }
}

/** When a folder was last changed or touched, in milliseconds; null when it is not there. */
async function ageOf(folder: string): Promise<number | null> {
  try {
    return (await stat(folder)).mtimeMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** Files keep their execute bit; symbolic links are left alone. */
async function setWritable(folder: string, writable: boolean, options: { itself: boolean }): Promise<void> {
  if (writable) await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await setWritable(path, writable, { itself: true })
    else if (entry.isFile() && !writable) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o444 : 0o555)
  }
  if (!writable && options.itself) await chmod(folder, 0o555)
}

async function removeTree(folder: string): Promise<void> {
  if ((await ageOf(folder)) === null) return
  await setWritable(folder, true, { itself: true })
  await rm(folder, { recursive: true, force: true })
}
