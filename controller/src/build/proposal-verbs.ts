import type { Caller } from '../api/caller.ts'
import type { Proposal, ProposalOptions, ProposalVerbs } from '../api/ports/proposals.ts'
import type { EventName } from '../events/catalogue.ts'
import { isFromCluster } from '../kinds/cluster-origin.ts'
import { keyOf, type ObjectRef } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { fullName } from '../proposals/branch-names.ts'
import { fieldChange, newObjectChange, patchChange, removal } from '../proposals/object-change.ts'
import type { About } from '../proposals/proposal-events.ts'
import type { Proposals } from '../proposals/proposals.ts'
import { type FileChange, type ProposedCommit, proposeFile } from '../proposals/propose-file.ts'
import { BUILTIN_PATH } from '../reconcile/sync/builtin-path.ts'
import type { World } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import { openProposals } from '../store/queries/proposals.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { assertSound, patched } from './sound-object.ts'
import type { OpenSource } from './source.ts'

export interface ProposalDeps {
  readonly store: Store
  readonly world: World
  readonly source: OpenSource
  /** Null for a plain folder. */
  readonly proposals: Proposals | null
  /** Full name of the protected ref. */
  readonly ref: string
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
}

const PUSH_TIMEOUT_MS = 60_000
/** So many open proposals are looked at for the same change. */
const MOST_ALIKE = 50

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
    if (isFromCluster(object.file))
      throw fail('SW_CONFLICT', `${keyOf(ref)} is declared in the cluster`, {
        remedy: 'change it there: kubectl edit, apply or delete',
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
  options: ProposalOptions,
  caller: Caller,
): Promise<Proposal> {
  const { proposals } = deps
  if (deps.source.repository === null || proposals === null)
    throw fail('SW_CONFLICT', 'the state is read from a folder without history: nothing can be proposed', {
      remedy: 'change the file in the folder',
    })
  if (options.merge && deps.source.remoteUrl !== null)
    throw fail('SW_CONFLICT', 'the protected branch of a remote repository is not written to', {
      remedy: 'propose it without merge, and merge the branch where the repository is kept',
    })
  const { kind, namespace, name } = ref
  const about = { kind, namespace, name, file: change.file, reason: options.reason }
  const made = await proposals.opening(async () => {
    const result = await committed(deps, change, options, caller)
    // What joins a proposal moves its branch, which is looked at again.
    if (result.branch === null || result.reused || result.joined === true) return { result, opened: null }
    const opened = {
      ref: fullName(result.branch),
      ...{ base: result.base, head: result.commit, author: caller.actor, correlationId: caller.correlationId },
      ...{ title: change.subject, description: options.reason ?? '', runId: null, about, replaces: true },
    }
    return { result, opened }
  })
  if (made.merged) await tellMerged(deps, made.commit, about, change.subject, caller)
  const { branch, commit, merged, reused } = made
  return { branch, commit, merged, reused }
}

async function committed(
  { source, store, ref }: ProposalDeps,
  change: FileChange,
  options: ProposalOptions,
  caller: Caller,
): Promise<ProposedCommit> {
  const { remoteUrl } = source
  const repository = source.repository!
  // What a remote holds is never replaced: an earlier proposal of the same stays, and this one gets a number.
  const { batch, ...more } = options
  const own = remoteUrl === null ? change : { ...change, keepsOthers: true }
  const made = await proposeFile(repository, batch === undefined ? own : { ...change, topic: batch, joins: true }, {
    ...more,
    ...(batch === undefined ? {} : { alike: await openOf(store, caller.actor) }),
    actor: caller.actor,
    correlationId: caller.correlationId,
    ref,
    time: store.clock.now(),
  })
  if (made === null) throw fail('SW_CONFLICT', `Git says so already: ${change.subject}`)
  if (remoteUrl !== null && !made.reused && made.branch !== null) {
    const branch = fullName(made.branch!)
    await repository.push({ url: remoteUrl, refspecs: [`${branch}:${branch}`], timeoutMs: PUSH_TIMEOUT_MS })
  }
  return made
}

/** Branches on which the same author may propose the same already. */
async function openOf(store: Store, author: string): Promise<string[]> {
  return (await openProposals(store.engine))
    .filter((row) => row.author === author)
    .map(({ branch }) => branch)
    .slice(-MOST_ALIKE)
}

/** A change that went onto the protected branch at once never was a proposal. */
async function tellMerged(
  { store }: ProposalDeps,
  commit: string,
  about: About,
  title: string,
  { actor, correlationId }: Caller,
): Promise<void> {
  const now = store.clock.now()
  await transact(store, (tx) =>
    appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.proposal.opened' satisfies EventName,
        occurred_at: now,
        env_id: about.namespace === '' ? 'default' : about.namespace,
        actor,
        correlation_id: correlationId,
        resource: null,
        data: { proposal: null, title, author: actor, ...about, branch: null, commit, merged: true },
      },
    ]),
  )
}
