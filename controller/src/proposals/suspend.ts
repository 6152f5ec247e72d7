import { fail } from '../lib/error-catalogue.ts'
import { editManifest } from './edit-manifest.ts'
import type { ProposalRepository, SuspendTarget } from './ports.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }

export interface SuspendProposal {
  /** null = Git says so already. */
  readonly branch: string | null
  readonly commit: string | null
  readonly merged: boolean
}

/**
 * Says in a commit what an override says at once: `spec.suspend` of one object, on a branch of its own made from the head of
 * the protected ref, or (`merge`) on that ref itself.
 */
export async function proposeSuspend(
  repository: ProposalRepository,
  target: SuspendTarget,
  suspend: boolean,
  options: {
    readonly merge: boolean
    readonly actor: string
    readonly reason: string | null
    readonly correlationId: string
    readonly ref: string
    readonly time: Date
  },
): Promise<SuspendProposal> {
  const none: SuspendProposal = { branch: null, commit: null, merged: false }
  const main = await repository.resolve(options.ref)
  if (main === null) throw fail('SW_REF_MISSING', `${options.ref} does not exist`)
  const bytes = await repository.readFile(options.ref, target.file, { maxBytes: 1024 * 1024 })
  // Declared by the controller itself, or gone from Git meanwhile: there is nothing to edit.
  if (bytes === null || target.declared === suspend) return none
  const text = editManifest(
    new TextDecoder().decode(bytes),
    target.document,
    ['spec', 'suspend'],
    suspend ? true : undefined,
  )
  const verb = suspend ? 'suspend' : 'resume'
  const branch = `proposals/${verb}-${target.kind.toLowerCase()}-${target.name}`
  const ref = options.merge ? options.ref : `refs/heads/${branch}`
  const subject = `${verb} ${target.kind} ${target.namespace === '' ? '' : `${target.namespace}/`}${target.name}`
  const trailers = [`Stateward-Actor: ${options.actor}`, `Stateward-Correlation: ${options.correlationId}`]
  const commit = await repository.writeCommit({
    ref,
    // A branch left by an earlier proposal of the same is replaced: it starts from today's head.
    parent: main,
    expected: options.merge ? main : await repository.resolve(ref),
    files: new Map([[target.file, text]]),
    message: `${subject}\n\n${options.reason === null ? '' : `${options.reason}\n\n`}${trailers.join('\n')}\n`,
    author: { name: options.actor, email: WHO.email },
    committer: WHO,
    time: options.time,
  })
  return { branch: options.merge ? null : branch, commit, merged: options.merge }
}
