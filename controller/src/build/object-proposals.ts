import { isFromCluster } from '../kinds/cluster-origin.ts'
import { fullName } from '../proposals/branch-names.ts'
import type { Proposals } from '../proposals/proposals.ts'
import { proposeEdits } from '../proposals/propose-edits.ts'
import { type ProposedCommit, type ProposeOptions, proposeFile, REMOVED } from '../proposals/propose-file.ts'
import { BUILTIN_PATH } from '../reconcile/sync/builtin-path.ts'
import type { WorldObject } from '../reconcile/world.ts'
import type { Store } from '../store/store.ts'
import type { OpenSource } from './source.ts'

export interface ProposingDeps {
  readonly store: Store
  readonly source: OpenSource
  /** Null for a plain folder. */
  readonly proposals: Proposals | null
  /** Full name of the protected ref. */
  readonly ref: string
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
}

/** Proposes what was set on an object at once, where that can be done from here. Null where it cannot, or nothing is to say. */
export async function proposeFor(
  { store, source, proposals, ref, path }: ProposingDeps,
  object: WorldObject,
  change: Parameters<typeof proposeEdits>[2],
  options: Omit<ProposeOptions, 'ref' | 'time'>,
): Promise<ProposedCommit | null> {
  const { repository, remoteUrl } = source
  // A folder has no branches, a remote's are pushed by whoever may; what the controller declares itself has no file.
  if (repository === null || proposals === null || remoteUrl !== null || object.file === BUILTIN_PATH) return null
  if (isFromCluster(object.file)) return null
  const file = path === '.' ? object.file : `${path}/${object.file}`
  return proposals.opening(async () => {
    const place = { ...object, file }
    const made = await proposeEdits(repository, place, change, { ...options, ref, time: store.clock.now() })
    if (made?.branch == null) return { result: made, opened: null }
    const { kind, namespace, name } = object
    const { actor: author, reason, correlationId } = options
    return {
      result: made,
      opened: {
        ref: fullName(made.branch),
        ...{ base: made.base, head: made.commit, author, correlationId },
        title: `${change.verb} ${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`,
        description: reason ?? '',
        runId: null,
        about: { kind, namespace, name, file, reason },
        replaces: true,
      },
    }
  })
}

/** Proposes another content of one file (null = it goes): of an agent's folder, unless `subject` and `topic` say something else. Null where it cannot, or nothing is to say. */
export async function proposeFileFor(
  { store, source, proposals, ref, path }: ProposingDeps,
  object: WorldObject,
  change: { readonly file: string; readonly text: string | null; readonly subject?: string; readonly topic?: string },
  options: Omit<ProposeOptions, 'ref' | 'time'>,
): Promise<ProposedCommit | null> {
  const { repository, remoteUrl } = source
  if (repository === null || proposals === null || remoteUrl !== null) return null
  const file = path === '.' ? change.file : `${path}/${change.file}`
  const { topic = `adopt-${change.file.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}` } = change
  return proposals.opening(async () => {
    const edit = (text: string | null) => (text === change.text ? null : (change.text ?? REMOVED))
    const { subject = `adopt ${change.file}` } = change
    const made = await proposeFile(
      repository,
      { topic, subject, file, edit },
      { ...options, ref, time: store.clock.now() },
    )
    if (made?.branch == null) return { result: made, opened: null }
    const { kind, namespace, name } = object
    const { actor: author, reason, correlationId } = options
    return {
      result: made,
      opened: {
        ref: fullName(made.branch),
        ...{ base: made.base, head: made.commit, author, correlationId },
        title: subject,
        description: reason ?? '',
        runId: null,
        about: { kind, namespace, name, file, reason },
        replaces: true,
      },
    }
  })
}
