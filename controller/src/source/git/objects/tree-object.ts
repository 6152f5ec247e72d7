import type { TreeChange, TreeEntry } from '../../ports.ts'

/**
 * Tree objects as bytes. Names are UTF-8; a name that is not comes with U+FFFD in it, so it is shown but cannot be
 * asked for by path.
 */

export interface NamedEntry extends TreeEntry {
  readonly name: string
}

export const TREE_MODE = '040000'
export const SYMLINK_MODE = '120000'

/** Entries in the order of the object (git's: by bytes, a tree as if its name ended in `/`). `oidBytes` is 20, or 32 for sha256. */
export function parseTree(bytes: Uint8Array, oidBytes: number): NamedEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: NamedEntry[] = []
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at)
    const nul = buffer.indexOf(0, space)
    if (space < 0 || nul < 0 || nul + 1 + oidBytes > buffer.length) throw new Error('a tree object is cut short')
    entries.push({
      mode: buffer.toString('latin1', at, space).padStart(6, '0'),
      name: buffer.toString('utf8', space + 1, nul),
      oid: buffer.toString('hex', nul + 1, nul + 1 + oidBytes),
    })
    at = nul + 1 + oidBytes
  }
  return entries
}

export function serializeTree(entries: readonly NamedEntry[]): Uint8Array {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.from(entry.mode === TREE_MODE ? `${entry.name}/` : entry.name),
  }))
  keyed.sort((a, b) => Buffer.compare(a.key, b.key))
  const parts: Uint8Array[] = []
  for (const { entry } of keyed) {
    parts.push(Buffer.from(`${entry.mode.replace(/^0/, '')} ${entry.name}\0`), Buffer.from(entry.oid, 'hex'))
  }
  return Buffer.concat(parts)
}

/** Git's order of paths: by the bytes of their UTF-8. */
export function comparePaths(a: string, b: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is where both orders agree
  if (/^[\x00-\x7f]*$/.test(a) && /^[\x00-\x7f]*$/.test(b)) return a < b ? -1 : a > b ? 1 : 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The entry at a path, by reading one tree a level; null when there is none. '' is the tree itself. */
export async function entryAt(
  readTree: (oid: string) => Promise<readonly NamedEntry[]>,
  tree: string,
  path: string,
): Promise<TreeEntry | null> {
  let at: TreeEntry = { oid: tree, mode: TREE_MODE }
  for (const name of path === '' ? [] : path.split('/')) {
    if (at.mode !== TREE_MODE) return null
    const found = (await readTree(at.oid)).find((entry) => entry.name === name)
    if (found === undefined) return null
    at = { oid: found.oid, mode: found.mode }
  }
  return at
}

/**
 * The changes below a path of two trees, whatever stands there on either side: nothing, a file or a tree. `diffTrees`
 * compares two trees (null = empty) and puts `prefix` before each path.
 */
export async function diffBelow(
  reader: {
    entryAt(tree: string, path: string): Promise<TreeEntry | null>
    diffTrees(from: string | null, to: string | null, prefix: string): Promise<readonly TreeChange[]>
  },
  fromTree: string | null,
  toTree: string,
  path: string,
): Promise<readonly TreeChange[]> {
  if (path === '') return reader.diffTrees(fromTree, toTree, '')
  const from = fromTree === null ? null : await reader.entryAt(fromTree, path)
  const to = await reader.entryAt(toTree, path)
  const treeOf = (entry: TreeEntry | null) => (entry?.mode === TREE_MODE ? entry.oid : null)
  const leafOf = (entry: TreeEntry | null) => (entry?.mode === TREE_MODE ? null : entry)
  const below = await reader.diffTrees(treeOf(from), treeOf(to), `${path}/`)
  const leaf = { path, from: leafOf(from), to: leafOf(to) }
  const changed = leaf.from?.oid !== leaf.to?.oid || leaf.from?.mode !== leaf.to?.mode
  return changed ? [leaf, ...below] : below
}
