import { fail } from '../../../lib/error-catalogue.ts'
import type { TreeChange, TreeEntry } from '../../ports.ts'
import type { GitContext } from './git-process.ts'
import type { AnswerReader } from './request-child.ts'
import { RequestChild } from './request-child.ts'

/** The ids every git knows for the tree without entries. */
const EMPTY_TREE = {
  40: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  64: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
}

/** A line that is no object id: git repeats it and flushes, which marks the end of an answer. */
const MARK = 'SYNC'

/**
 * Compares trees through one long-lived `git diff-tree --stdin`. A root tree that is missing makes git print nothing
 * but the mark, which looks like "no changes": the header with both ids is therefore required.
 */
export class DiffTree {
  readonly #child: RequestChild

  constructor(context: GitContext) {
    this.#child = new RequestChild(context, [
      'diff-tree',
      '--stdin',
      '-r',
      '-z',
      '--raw',
      '--no-renames',
      '--no-abbrev',
    ])
  }

  /** Files that differ, in git's order of paths; null is the empty tree. */
  async diff(fromTree: string | null, toTree: string | null, prefix: string): Promise<readonly TreeChange[]> {
    const given = toTree ?? fromTree
    if (given === null) return []
    const empty = given.length === 64 ? EMPTY_TREE[64] : EMPTY_TREE[40]
    const header = `${fromTree ?? empty} ${toTree ?? empty}`
    const changes = await this.#child.request(`${header}\n${MARK}\n`, () => new RawDiffReader(header, prefix))
    if (changes !== null) return changes
    // What git says about it comes through another pipe, perhaps a moment later.
    await new Promise((resolve) => setImmediate(resolve))
    throw fail(
      'SW_GIT_FAILED',
      `trees ${header.replace(' ', ' and ')} cannot be compared: ${this.#child.stderr || 'one of them is missing'}`,
    )
  }

  close(): Promise<void> {
    return this.#child.close()
  }
}

/** Reads `<header>\n`, then `:<modes> <oids> <status>\0<path>\0` for each file, then the mark. */
class RawDiffReader implements AnswerReader<readonly TreeChange[] | null> {
  readonly #header: string
  readonly #prefix: string
  readonly #changes: TreeChange[] = []
  #rest: Buffer = Buffer.alloc(0)
  #sawHeader = false

  constructor(header: string, prefix: string) {
    this.#header = header
    this.#prefix = prefix
  }

  push(chunk: Buffer): boolean {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      if (data[at] === 0x3a) {
        const metaEnd = data.indexOf(0, at)
        const pathEnd = metaEnd < 0 ? -1 : data.indexOf(0, metaEnd + 1)
        if (pathEnd < 0) break
        this.#changes.push(
          parseRecord(
            data.toString('latin1', at + 1, metaEnd),
            this.#prefix + data.toString('utf8', metaEnd + 1, pathEnd),
          ),
        )
        at = pathEnd + 1
        continue
      }
      const lineEnd = data.indexOf(0x0a, at)
      if (lineEnd < 0) break
      const line = data.toString('latin1', at, lineEnd)
      if (line === MARK) return true
      if (line !== this.#header) throw fail('SW_GIT_FAILED', `git diff-tree answered "${line.slice(0, 200)}"`)
      this.#sawHeader = true
      at = lineEnd + 1
    }
    this.#rest = data.subarray(at)
    return false
  }

  result(): readonly TreeChange[] | null {
    return this.#sawHeader ? this.#changes : null
  }
}

function parseRecord(meta: string, path: string): TreeChange {
  const [fromMode, toMode, fromOid, toOid] = meta.split(' ') as [string, string, string, string]
  const entry = (mode: string, oid: string): TreeEntry | null => (mode === '000000' ? null : { oid, mode })
  return { path, from: entry(fromMode, fromOid), to: entry(toMode, toOid) }
}
