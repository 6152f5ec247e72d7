import { fail } from '../../lib/error-catalogue.ts'
import type { IgnoreMatcher } from '../ignore-rules.ts'
import { ignoreMatcher, isIgnoreFile } from '../ignore-rules.ts'
import type { GitRepository, SourceFile, TreeChange } from '../ports.ts'

const MAX_IGNORE_BYTES = 1024 * 1024
/** Trees whose ignore files are remembered: the last few heads. */
const REMEMBERED = 16

/** Path → oid of the ignore files of a tree. */
type IgnoreFiles = ReadonlyMap<string, string>

/**
 * What changed between two trees as a reader of the source sees it. An ignore file that changed shows in its effect: files
 * it hides are gone, files it no longer hides are new. Which ignore files a tree has is carried on from tree to tree, so a
 * small commit costs a small diff, whatever the size of the repository.
 */
export class IgnoredChanges {
  readonly #repository: GitRepository
  readonly #ignoreFiles = new Map<string, IgnoreFiles>()
  #matcher: { readonly key: string; readonly matcher: IgnoreMatcher } = { key: '', matcher: ignoreMatcher([]) }

  constructor(repository: GitRepository) {
    this.#repository = repository
  }

  async between(from: string | null, to: string): Promise<readonly { path: string; to: SourceFile | null }[]> {
    const diff = await this.#repository.diff(from, to)
    const before = from === null ? new Map<string, string>() : await this.#ignoreFilesOf(from)
    const after = carryOn(before, diff)
    this.#remember(to, after)
    const hidden = await this.#matcherOf(after)
    if (from === null || keyOf(before) === keyOf(after)) {
      return diff
        .filter(({ path }) => !hidden(path))
        .map(({ path, to: entry }) => ({ path, to: entry === null ? null : { path, ...entry } }))
    }
    const hiddenBefore = await this.#matcherOf(before)
    const old = visible(await this.#repository.diff(null, from), hiddenBefore)
    const now = visible(await this.#repository.diff(null, to), hidden)
    const gone = [...old.keys()].filter((path) => !now.has(path)).map((path) => ({ path, to: null }))
    const changed = [...now.values()].filter(
      (file) => old.get(file.path)?.oid !== file.oid || old.get(file.path)?.mode !== file.mode,
    )
    return [...gone, ...changed.map((file) => ({ path: file.path, to: file }))]
  }

  async #ignoreFilesOf(tree: string): Promise<IgnoreFiles> {
    const known = this.#ignoreFiles.get(tree)
    if (known !== undefined) return known
    const found = carryOn(new Map(), await this.#repository.diff(null, tree))
    this.#remember(tree, found)
    return found
  }

  #remember(tree: string, files: IgnoreFiles): void {
    this.#ignoreFiles.delete(tree)
    this.#ignoreFiles.set(tree, files)
    const oldest = this.#ignoreFiles.keys().next().value
    if (this.#ignoreFiles.size > REMEMBERED && oldest !== undefined) this.#ignoreFiles.delete(oldest)
  }

  async #matcherOf(files: IgnoreFiles): Promise<IgnoreMatcher> {
    const key = keyOf(files)
    if (this.#matcher.key === key) return this.#matcher.matcher
    const paths = [...files.keys()]
    const texts: { directory: string; text: string }[] = []
    for await (const blob of this.#repository.readBlobs([...files.values()], { maxBytes: MAX_IGNORE_BYTES })) {
      const path = paths[texts.length]!
      // Without its rules the files it hides would all appear, so this is an error and not an empty list of rules.
      if (blob.bytes === null)
        throw fail('SW_REPO_INVALID', `${path} has ${blob.size} bytes, more than ${MAX_IGNORE_BYTES}`, {
          remedy: 'shorten the ignore file',
        })
      texts.push({
        directory: path.slice(0, Math.max(0, path.lastIndexOf('/'))),
        text: Buffer.from(blob.bytes).toString('utf8'),
      })
    }
    this.#matcher = { key, matcher: ignoreMatcher(texts) }
    return this.#matcher.matcher
  }
}

function keyOf(files: IgnoreFiles): string {
  return JSON.stringify([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The ignore files after a change; only plain files count, a symbolic link is never followed. */
function carryOn(before: IgnoreFiles, diff: readonly TreeChange[]): IgnoreFiles {
  const changed = diff.filter(({ path }) => isIgnoreFile(path))
  if (changed.length === 0) return before
  const after = new Map(before)
  for (const { path, to } of changed) {
    if (to?.mode.startsWith('100')) after.set(path, to.oid)
    else after.delete(path)
  }
  return after
}

function visible(listing: readonly TreeChange[], hidden: IgnoreMatcher): Map<string, SourceFile> {
  const files = new Map<string, SourceFile>()
  for (const { path, to } of listing) if (to !== null && !hidden(path)) files.set(path, { path, ...to })
  return files
}
