import { fail } from '../lib/error-catalogue.ts'
import type { Identities } from '../plan/approvals/identities.ts'
import type { World } from '../reconcile/world.ts'
import type { CommitSignature, GitRepository, Revision } from '../source/ports.ts'
import type { Log } from '../store/ports.ts'

export interface VerifierDeps {
  readonly world: World
  readonly identities: () => Identities
  /** Null for a folder without commits: there is nothing to verify. */
  readonly repository: GitRepository | null
  readonly mode: 'none' | 'head'
  /** The text of an `allowed_signers` file that the configuration names: trusted besides those who are declared. */
  readonly configured: string
  /** Public key of what this controller signs itself; null = it signs nothing. */
  readonly ownKey: string | null
  readonly log: Log
}

/** Who signed a commit, as of the last applied revision: a commit never says itself whom it is to be believed of. */
export interface CommitVerifier {
  /** Resolves for a commit that may be applied; throws SW_COMMIT_UNVERIFIED. `applied` null = nothing was applied yet. */
  verify(revision: Pick<Revision, 'commit'>, applied: string | null): Promise<void>
  /** The principal whose key signed a commit; null when nobody known did. */
  signer(commit: string): Promise<string | null>
  /** Everybody who may sign, as the text of an `allowed_signers` file. */
  signers(): string
}

const OWN_PRINCIPAL = 'stateward'
/** Signatures that are remembered: a commit and the signers it was checked against never change. */
const REMEMBERED = 1_000

export function commitVerifier(deps: VerifierDeps): CommitVerifier {
  const { repository, world, configured, ownKey, mode, log } = deps
  const known = new Map<string, CommitSignature>()
  const signers = () =>
    [
      ...[...world.ofKind('Principal').values()].flatMap((object) => {
        const { signingKeys, suspend } = world.effective(object)
        if (object.deleting || suspend === true || !Array.isArray(signingKeys)) return []
        return signingKeys.map((key) => `user:${object.name} namespaces="git" ${String(key)}`)
      }),
      ...(ownKey === null ? [] : [`${OWN_PRINCIPAL} namespaces="git" ${ownKey.trim()}`]),
      ...configured.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#')),
    ].join('\n')
  const signatureOf = async (commit: string, allowed: string): Promise<CommitSignature> => {
    const key = `${commit}\n${allowed}`
    const found = known.get(key) ?? (await repository!.signatureOf(commit, `${allowed}\n`))
    if (known.size >= REMEMBERED) known.clear()
    known.set(key, found)
    return found
  }
  return {
    signers,
    async verify({ commit }, applied) {
      if (mode === 'none' || repository === null) return
      const first = applied === null
      if (first && configured.trim() === '') {
        log.warn(
          { revision: commit, reason: 'TrustOnFirstUse' },
          'the first commit is taken as it is: its signers count from now on',
        )
        return
      }
      const allowed = signers()
      const { state, key } = await signatureOf(commit, allowed)
      if (state === 'good') return
      throw fail('SW_COMMIT_UNVERIFIED', `commit ${commit.slice(0, 12)} ${WRONG[state](key)}`, {
        details: { commit, key },
        ...(allowed === '' ? { remedy: 'nobody may sign: name an allowed_signers file in verify.allowedSigners' } : {}),
      })
    },
    async signer(commit) {
      if (repository === null || repository.adapter !== 'git') return null
      const { signer } = await signatureOf(commit, signers())
      if (signer === null || signer === OWN_PRINCIPAL) return null
      return signer.startsWith('user:') ? signer : deps.identities().ofPerson({ name: '', email: signer })
    },
  }
}

const WRONG: Readonly<Record<'none' | 'bad' | 'unknown', (key: string | null) => string>> = {
  none: () => 'is not signed',
  bad: () => 'has a signature that does not fit it',
  unknown: (key) =>
    `is signed with a key that nobody of the last applied revision has${key === null ? '' : `: ${key}`}`,
}
