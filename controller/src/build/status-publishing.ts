import { commitOfRevision } from '../kinds/cluster-origin.ts'
import { parseDuration } from '../lib/duration.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World } from '../reconcile/world.ts'
import { renderNote } from '../status/render-note.ts'
import { renderStatus, statusPath } from '../status/render-object.ts'
import { GitStatusWriter, type StatusText } from '../status/writers/git-status-writer.ts'
import { holdsLease } from '../store/leases.ts'
import { logHead } from '../store/log.ts'
import type { SyncRow } from '../store/queries/sources.ts'
import type { Store } from '../store/store.ts'
import { leaseLost } from '../store/writer.ts'
import type { OpenSource } from './source.ts'

const PUSH_TIMEOUT_MS = 60_000

export interface StatusPublishing {
  readonly writer: GitStatusWriter | null
  /** A revision was accepted: it gets a note. */
  note(sync: SyncRow): void
}

/** Status commits and notes for the repo that desired state comes from; nothing for a plain folder. */
export function statusPublishing(
  options: {
    readonly store: Store
    readonly world: World
    readonly sync: () => SourceSync
    readonly source: OpenSource
    /** Only its holder writes: status commits are not fenced by themselves. */
    readonly lease: string
    readonly controllerId: string
    readonly interval: string
    readonly environment: string
  },
  changed: () => void,
): StatusPublishing {
  const { store, world, source } = options
  const notes = new Map<string, string>()
  if (source.repository === null) return { writer: null, note: () => {} }
  const repository = source.repository
  const { remoteUrl } = source
  const remote = (refs: readonly string[], prefix: string) => ({
    url: remoteUrl!,
    refspecs: refs.map((ref) => `${prefix}${ref}:${ref}`),
    timeoutMs: PUSH_TIMEOUT_MS,
  })
  const writer = new GitStatusWriter({
    repository,
    remote:
      remoteUrl === null
        ? null
        : {
            // Only refs that are there: the first status may come before the first note.
            push: async (refs) => await repository.push(remote(await present(repository, refs), '')),
            fetch: async (refs) => {
              const there = await repository.listRemote({ url: remoteUrl, patterns: refs, timeoutMs: PUSH_TIMEOUT_MS })
              const wanted = refs.filter((ref) => there.has(ref))
              if (wanted.length > 0) await repository.fetch(remote(wanted, '+'))
            },
          },
    clock: store.clock,
    controllerId: options.controllerId,
    environment: options.environment,
    snapshot: () => statusFiles(world),
    notes: () => notes,
    noted: (commits) => {
      for (const commit of commits) notes.delete(commit)
    },
    position: async () => {
      if (!(await holdsLease(store.engine, store, options.lease))) throw leaseLost()
      return await logHead(store.reader)
    },
    revision: () => options.sync().state.head?.commit ?? null,
    intervalMs: parseDuration(options.interval),
    changed,
    log: store.log,
  })
  return {
    writer,
    note(sync) {
      notes.set(commitOfRevision(sync.to_revision), renderNote(sync))
      writer.touch()
    },
  }
}

async function present(
  repository: { resolve(ref: string): Promise<string | null> },
  refs: readonly string[],
): Promise<string[]> {
  const found: string[] = []
  for (const ref of refs) if ((await repository.resolve(ref)) !== null) found.push(ref)
  return found
}

/** An object is replaced whenever anything about it changes, so it is its own version. */
function* statusFiles(world: World): Iterable<readonly [string, StatusText]> {
  for (const object of world.declared.values()) {
    if (object.status.conditions === undefined) continue
    yield [statusPath(object), { version: object, text: () => renderStatus(object) }]
  }
}
