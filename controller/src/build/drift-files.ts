import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileDigest, type SeenFiles, type TreeDifference, treeDifferences } from '../agents/tree-differences.ts'
import type { Trees } from '../agents/trees.ts'
import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import { valueAt } from '../lib/json.ts'
import type { DriftSource } from '../reconcile/drift/ports.ts'
import type { WorldObject } from '../reconcile/world.ts'
import type { OpenSource } from './source.ts'

/** How long what was found of a tree is good: many agents may share one. */
const FRESH_MS = 2_000
/** Trees whose digests are remembered. */
const MOST_TREES = 200
/** What differs of one agent is listed up to here. */
const MOST_FILES = 50

interface Tree {
  readonly declared: ReadonlyMap<string, FileDigest>
  readonly seen: SeenFiles
  at: number
  found: readonly TreeDifference[]
}

/**
 * Files of an agent's `workdir` (its program, its prompts) that somebody changed on this machine, behind the commit they come
 * from. Enforcing writes them again; adopting proposes them as they are.
 */
export function fileDrift(
  source: OpenSource,
  trees: Pick<Trees, 'folderOf' | 'restore'>,
  clock: { readonly monotonicMs: () => number },
): DriftSource {
  const known = new Map<string, Tree>()
  const workdirOf = (spec: WorldObject['spec']): string | null => {
    const path = valueAt(spec, '/runtime/process/workdir')
    return typeof path === 'string' ? path.replace(/^\.\//, '').replace(/\/+$/, '') : null
  }
  const treeAt = async (id: string): Promise<Tree> => {
    const tree = known.get(id)
    if (tree !== undefined) return tree
    const declared = new Map<string, FileDigest>()
    for await (const { path, bytes } of source.filesOf(id))
      declared.set(path, { sha256: sha256(bytes), bytes: bytes.length })
    if (known.size >= MOST_TREES) known.clear()
    const made: Tree = { declared, seen: new Map(), at: Number.NEGATIVE_INFINITY, found: [] }
    known.set(id, made)
    return made
  }
  const placeOf = async (object: WorldObject, spec: WorldObject['spec']) => {
    const workdir = workdirOf(spec)
    const tree = workdir === null || object.kind !== 'Agent' ? null : await source.treeOf(object, workdir)
    return tree === null || workdir === null ? null : { workdir, tree }
  }
  return {
    name: 'file',
    async find({ object, spec }) {
      const place = await placeOf(object, spec)
      if (place === null) return []
      const tree = await treeAt(place.tree)
      if (clock.monotonicMs() - tree.at > FRESH_MS) {
        tree.found = await treeDifferences(trees.folderOf(place.tree), tree.declared, tree.seen)
        tree.at = clock.monotonicMs()
      }
      return tree.found.slice(0, MOST_FILES).map(({ path, live, declared }) => ({
        field: `${place.workdir}/${path}`,
        live: live === null ? null : { ...live },
        declared: { ...declared },
        detail: `${place.workdir}/${path} ${live === null ? 'is gone' : 'was changed'} on this machine`,
        by: null,
      }))
    },
    async restore(object, { field }) {
      const place = await placeOf(object, object.spec)
      if (place === null) return
      await trees.restore(place.tree, [field.slice(place.workdir.length + 1)])
      known.get(place.tree)!.at = Number.NEGATIVE_INFINITY
    },
    async adoption(object, { field }) {
      const place = await placeOf(object, object.spec)
      if (place === null) throw fail('SW_CONFLICT', `${field} belongs to no folder of the agent any more`)
      const file = join(trees.folderOf(place.tree), field.slice(place.workdir.length + 1))
      return { file: field, text: await textOf(file) }
    },
  }
}

/** Null: it is not there. SW_CONFLICT for what is no text. */
async function textOf(file: string): Promise<string | null> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    if (error instanceof TypeError)
      throw fail('SW_CONFLICT', 'the file is no text: it cannot be proposed from here', {
        remedy: 'commit it yourself, or put back what Git says',
        cause: error,
      })
    throw error
  }
}
