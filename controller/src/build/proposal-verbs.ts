import type { Caller } from '../api/caller.ts'
import type { Proposal, ProposalVerbs } from '../api/ports/proposals.ts'
import type { EventName } from '../events/catalogue.ts'
import { keyOf, type ObjectRef } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { fieldChange, newObjectChange, patchChange, removal } from '../proposals/object-change.ts'
import { type FileChange, proposeFile } from '../proposals/propose-file.ts'
import { BUILTIN_PATH } from '../reconcile/sync/source-sync.ts'
import type { World } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { assertSound, patched } from './sound-object.ts'
import type { OpenSource } from './source.ts'

export interface ProposalDeps {
  readonly store: Store
  readonly world: World
  readonly source: OpenSource
  /** Full name of the protected ref. */
  readonly ref: string
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
}

const PUSH_TIMEOUT_MS = 60_000

/** Changes of declared objects as commits on branches of their own: nothing of them is in force before it is merged. */
export function proposalVerbs(deps: ProposalDeps): ProposalVerbs {
  const inFolder = (file: string) => (deps.path === '.' ? file : `${deps.path}/${file}`)
  const placeOf = (ref: ObjectRef) => {
    const object = deps.world.get(keyOf(ref))
    if (object === undefined || object.deleting) throw fail('SW_NOT_FOUND', `there is no ${keyOf(ref)}`)
    if (object.file === BUILTIN_PATH)
      throw fail('SW_CONFLICT', `${keyOf(ref)} has no file in the state repo`, {
        remedy: 'declare it in a file and push it',
      })
    return { file: inFolder(object.file), document: object.document }
  }
  return {
    set: async (ref, field, options, caller) =>
      propose(deps, ref, fieldChange(ref, placeOf(ref), field), options, caller),
    async update(ref, patch, options, caller) {
      const place = placeOf(ref)
      assertSound(deps.world, patched(deps.world.get(keyOf(ref))!, patch))
      return propose(deps, ref, patchChange(ref, place, patch), options, caller)
    },
    remove: async (ref, options, caller) => propose(deps, ref, removal(ref, placeOf(ref)), options, caller),
    async create(object, options, caller) {
      const known = deps.world.get(keyOf(object))
      if (known !== undefined) throw fail('SW_CONFLICT', `there is a ${keyOf(object)} already`)
      assertSound(deps.world, object)
      const change = newObjectChange(object, inFolder(options.folder))
      return propose(deps, object, change, options, caller)
    },
  }
}

async function propose(
  deps: ProposalDeps,
  ref: ObjectRef,
  change: FileChange,
  options: { readonly reason: string | null; readonly merge: boolean },
  caller: Caller,
): Promise<Proposal> {
  const { repository, remoteUrl } = deps.source
  const now = deps.store.clock.now()
  if (repository === null)
    throw fail('SW_CONFLICT', 'the state is read from a folder without history: nothing can be proposed', {
      remedy: 'change the file in the folder',
    })
  if (options.merge && remoteUrl !== null)
    throw fail('SW_CONFLICT', 'the protected branch of a remote repository is not written to', {
      remedy: 'propose it without merge, and merge the branch where the repository is kept',
    })
  const made = await proposeFile(repository, change, {
    ...options,
    actor: caller.actor,
    correlationId: caller.correlationId,
    ref: deps.ref,
    time: now,
  })
  if (made === null) throw fail('SW_CONFLICT', `Git says so already: ${change.subject}`)
  if (made.reused) return made
  if (remoteUrl !== null) {
    const branch = `refs/heads/${made.branch}`
    // Replaces what an earlier proposal of the same left there, as it does here.
    await repository.push({ url: remoteUrl, refspecs: [`+${branch}:${branch}`], timeoutMs: PUSH_TIMEOUT_MS })
  }
  await transact(deps.store, (tx) =>
    appendEvents(tx, deps.store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.proposal.opened' satisfies EventName,
        occurred_at: now,
        env_id: ref.namespace === '' ? 'default' : ref.namespace,
        actor: caller.actor,
        correlation_id: caller.correlationId,
        resource: null,
        data: {
          kind: ref.kind,
          namespace: ref.namespace,
          name: ref.name,
          subject: change.subject,
          file: change.file,
          reason: options.reason,
          branch: made.branch,
          commit: made.commit,
          merged: made.merged,
        },
      },
    ]),
  )
  return made
}
