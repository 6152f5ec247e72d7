import { load } from 'js-yaml'
import type { ObjectKey } from '../kinds/resource.ts'
import { keyOf, refOf } from '../kinds/resource.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { DesiredState } from '../plan/desired-state.ts'
import type { Observed } from '../reconcile/sync/observed.ts'
import type { World } from '../reconcile/world.ts'
import type { GitRepository } from '../source/ports.ts'
import { statusPath } from '../status/render-object.ts'

const MAX_BYTES = 1024 * 1024
/** What a status says of an object that is not applied as it is declared. */
const WAITS = /reason: (?:ApprovalRequired|PolicyDenied|OutsideWindow)\b/

/** What the status branch of a clone says; `base` is the commit that stands for what is applied. */
export async function observedStatus(
  repository: GitRepository,
  commit: string,
  base: { readonly commit: string; readonly folder: string },
): Promise<Observed> {
  const { tree, message } = await repository.commit(commit)
  const files = new Map<string, string>()
  for (const { path, to } of await repository.diff(null, tree)) if (to !== null) files.set(path, to.oid)
  const texts = async function* (paths: readonly string[]): AsyncIterable<readonly [path: string, text: string]> {
    const oids = paths.map((path) => files.get(path)!)
    let next = 0
    for await (const { bytes } of repository.readBlobs(oids, { maxBytes: MAX_BYTES })) {
      const path = paths[next++]!
      if (bytes !== null) yield [path, new TextDecoder().decode(bytes)]
    }
  }
  return {
    async statuses(keys) {
      const wanted = new Map([...keys].map((key) => [statusPath(refOf(key)), key]))
      const found = new Map<ObjectKey, JsonObject>()
      for await (const [path, text] of texts([...wanted.keys()].filter((path) => files.has(path)))) {
        const status = statusOf(text)
        if (status !== null) found.set(wanted.get(path)!, status)
      }
      return found
    },
    async unsettled(declared) {
      const keys = new Set<ObjectKey>()
      for (const path of await appliedSince(repository, message, base))
        for (const resource of declared.file(path)?.resources ?? []) keys.add(keyOf(resource))
      const sources = [...files.keys()].filter((path) => path.startsWith('_cluster/sources/'))
      let partly = false
      for await (const [, text] of texts(sources)) partly ||= text.includes('PartiallyApplied')
      if (!partly) return keys
      const paths = new Map([...declared.keys()].map((key) => [statusPath(refOf(key)), key]))
      for await (const [path, text] of texts([...paths.keys()].filter((each) => files.has(each))))
        if (WAITS.test(text)) keys.add(paths.get(path)!)
      return keys
    },
  }
}

/** Files that changed between the commit that status was written of and the one that stands for what is applied. */
async function appliedSince(
  repository: GitRepository,
  message: string,
  base: { readonly commit: string; readonly folder: string },
): Promise<string[]> {
  const revision = /^Stateward-Revision: ([0-9a-f]+)$/m.exec(message)?.[1]
  if (revision === undefined || revision === base.commit || (await repository.resolve(revision)) === null) return []
  const [from, to] = [await repository.commit(revision), await repository.commit(base.commit)]
  const folder = base.folder === '.' ? '' : base.folder
  const changes = await repository.diff(from.tree, to.tree, folder)
  return changes.map(({ path }) => (folder === '' ? path : path.slice(folder.length + 1)))
}

function statusOf(text: string): JsonObject | null {
  const document = load(text)
  const status = isObject(document) ? document['status'] : null
  return isObject(status) ? (status as JsonObject) : null
}

/** What a controller that runs knows. */
export function observedWorld(world: World): Observed {
  return {
    async statuses(keys) {
      const found = new Map<ObjectKey, JsonObject>()
      for (const key of keys) {
        const object = world.get(key)
        if (object === undefined) continue
        const { effectiveDigest, lastAppliedRevision, status } = object
        found.set(key, { ...(status as JsonObject), effectiveDigest, lastAppliedRevision })
      }
      return found
    },
    async unsettled(declared: DesiredState) {
      const keys: ObjectKey[] = []
      for (const key of declared.keys()) {
        const [one, object] = [declared.get(key), world.get(key)]
        if (one !== null && object !== undefined && object.oid !== one.oid) keys.push(key)
      }
      return keys
    },
  }
}
