import { isFromCluster, partsOfRevision } from '../../kinds/cluster-origin.ts'
import type { Revision, Source, SourceFile } from '../ports.ts'

/**
 * Two sources as one: a state repo (or a folder) and the custom resources of a cluster. Its revisions are `<commit>+cluster@<digest>`,
 * its trees likewise; a commit or tree of the repo alone stands for that without the cluster.
 */
export function besideGit(repo: Source, cluster: Source): Source {
  /** What the cluster held when the commit was seen first. */
  let seen: { readonly commit: string; readonly cluster: string } | null = null
  return {
    name: repo.name,
    async head(): Promise<Revision> {
      const [git, resources] = await Promise.all([repo.head(), cluster.head()])
      if (seen?.commit !== git.commit) seen = { commit: git.commit, cluster: resources.commit }
      return {
        commit: `${git.commit}+${resources.commit}`,
        tree: `${git.tree}+${resources.tree}`,
        // What a commit says of itself it does not say of what came to the cluster later.
        message: seen.cluster === resources.commit ? git.message : '',
        author: git.author,
      }
    },
    async changes(from, to) {
      const [before, after] = [from === null ? NOTHING : partsOfRevision(from), partsOfRevision(to)]
      const [files, resources] = await Promise.all([
        after.git === null || after.git === before.git ? [] : repo.changes(before.git, after.git),
        after.cluster === null || after.cluster === before.cluster
          ? []
          : cluster.changes(before.cluster, after.cluster),
      ])
      return [...files, ...resources]
    },
    async *read(files, options) {
      const mine = (file: SourceFile) => isFromCluster(file.path)
      const inRepo = files.filter((file) => !mine(file))
      if (inRepo.length > 0) yield* repo.read(inRepo, options)
      yield* cluster.read(files.filter(mine), options)
    },
    identityOf: (file) => (isFromCluster(file.path) ? (cluster.identityOf?.(file) ?? null) : null),
    async oidOf(tree, path) {
      const { git } = partsOfRevision(tree)
      return git === null ? null : await repo.oidOf(git, path)
    },
    async refresh() {
      await repo.refresh?.()
    },
    async descends(from, to) {
      const [before, after] = [partsOfRevision(from).git, partsOfRevision(to).git]
      if (before === null || after === null || before === after || repo.descends === undefined) return true
      return await repo.descends(before, after)
    },
    async watch(onChange) {
      const watchers = await Promise.all([repo.watch(onChange), cluster.watch(onChange)])
      return {
        async close() {
          for (const watcher of watchers) await watcher.close()
        },
      }
    },
    async close() {
      await cluster.close()
      await repo.close()
    },
  }
}

const NOTHING = { git: null, cluster: null }
