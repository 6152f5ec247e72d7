import type { Clock } from '../../lib/clock.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Revision, Source } from '../ports.ts'
import type { ClusterDocument } from './cluster-document.ts'
import { ClusterDocuments, type Documents } from './cluster-documents.ts'
import type { ClusterMirror } from './cluster-mirror.ts'

/** Trees whose files are remembered. */
const REMEMBERED = 16
const FIRST_LIST_MS = 15_000
/** What is applied together is looked at together. */
const QUIET_MS = 50
const MODE = '100644'

/**
 * The custom resources of a cluster as a source: each is a file. Commit and tree of a head are both `cluster@<digest>` over
 * identity and content of all of them, so the same resources give the same head, wherever and whenever they are read. One that is being
 * deleted is not wanted any more. While the API server is away the head is the last that was known; before anything was
 * known `head()` throws SW_CLUSTER_UNREACHABLE, SW_CLUSTER_FORBIDDEN or SW_CLUSTER_REFUSED.
 */
export function openClusterSource(
  mirror: ClusterMirror,
  config: { readonly name: string; readonly clock: Clock },
): Source {
  const wanted = new ClusterDocuments(mirror)
  const trees = new Map<string, Documents>()
  const treeOf = (tree: string): Documents => {
    const found = trees.get(tree)
    if (found === undefined)
      throw fail('SW_REV_MISSING', `${tree} is no longer known`, {
        remedy: 'compare with nothing instead: all resources',
      })
    return found
  }
  const find = (path: string, oid: string): ClusterDocument | null => {
    for (const tree of [...trees.values()].reverse()) {
      const document = tree.get(path)
      if (document?.oid === oid) return document
    }
    return null
  }

  return {
    name: config.name,
    async head(): Promise<Revision> {
      await mirror.complete(FIRST_LIST_MS)
      const { tree, documents } = wanted.current
      trees.delete(tree)
      trees.set(tree, documents)
      const oldest = trees.keys().next().value
      if (trees.size > REMEMBERED && oldest !== undefined) trees.delete(oldest)
      const author = { name: 'cluster', email: '', time: config.clock.now().toISOString() }
      return { commit: tree, tree, message: `Custom resources of ${mirror.client.server}\n`, author }
    },
    async changes(from, to) {
      const before = from === null ? new Map<string, ClusterDocument>() : treeOf(from)
      const after = treeOf(to)
      const gone = [...before.keys()].filter((path) => !after.has(path)).map((path) => ({ path, to: null }))
      const changed = [...after.values()].filter(({ path, oid }) => before.get(path)?.oid !== oid)
      return [...gone, ...changed.map(({ path, oid }) => ({ path, to: { path, oid, mode: MODE } }))].sort((a, b) =>
        a.path < b.path ? -1 : 1,
      )
    },
    async *read(files, { maxBytes }) {
      for (const file of files) {
        const bytes = find(file.path, file.oid)?.bytes ?? null
        const size = bytes?.byteLength ?? 0
        yield { file, size, bytes: size > maxBytes ? null : bytes }
      }
    },
    identityOf: ({ path, oid }) => find(path, oid)?.identity ?? null,
    oidOf: async () => null,
    async watch(onChange) {
      let timer: NodeJS.Timeout | null = null
      const unsubscribe = wanted.subscribe(() => {
        if (!mirror.isComplete) return
        timer ??= setTimeout(() => {
          timer = null
          onChange()
        }, QUIET_MS)
      })
      return {
        async close() {
          unsubscribe()
          if (timer !== null) clearTimeout(timer)
        },
      }
    },
    async close() {
      wanted.close()
      await mirror.stop()
    },
  }
}
