import type { CommitFacts } from '../api/ports/approvals.ts'
import type { CommitChange, RepositoryReads } from '../api/ports/repository.ts'
import type { Commit, GitRepository, Source } from '../source/ports.ts'

/** Patches and files are for people: what is longer is cut, or not shown. */
const MAX_PATCH_BYTES = 256 * 1024
const MAX_TEXT_BYTES = 256 * 1024

interface RepositoryReadDeps {
  readonly source: Source
  /** Null for a plain folder. */
  readonly repository: GitRepository | null
  /** Who signed a commit; null when nobody known did. */
  readonly signer: (commit: string) => Promise<string | null>
}

/** The state repo for whoever looks: commits, what they changed, the text of what was accepted. */
export function repositoryReads(deps: RepositoryReadDeps): RepositoryReads {
  return {
    async commits(revisions) {
      const facts: (CommitFacts | null)[] = []
      for (const revision of revisions) facts.push(await commitFacts(deps, revision))
      return facts
    },
    change: (revision) => commitChange(deps, revision),
    text: (file) => textOf(deps.source, file),
  }
}

/** What a commit says; null for a plain folder, or when the repository has lost it. */
export async function commitFacts(
  { repository, signer }: Pick<RepositoryReadDeps, 'repository' | 'signer'>,
  revision: string,
): Promise<CommitFacts | null> {
  const commit = await commitOf(repository, revision)
  return commit === null ? null : factsOf(commit, await signer(commit.oid))
}

async function commitChange(
  { repository, signer }: RepositoryReadDeps,
  revision: string,
): Promise<CommitChange | null> {
  const commit = await commitOf(repository, revision)
  if (repository === null || commit === null) return null
  const from = commit.parents[0] ?? emptyTree(commit.oid)
  return {
    ...factsOf(commit, await signer(commit.oid)),
    ...{ revision: commit.oid, message: commit.message, parents: commit.parents },
    patch:
      repository.adapter === 'git' ? await repository.patch(from, commit.oid, { maxBytes: MAX_PATCH_BYTES }) : null,
  }
}

async function commitOf(repository: GitRepository | null, revision: string): Promise<Commit | null> {
  const oid = repository === null || !/^[0-9a-f]{7,64}$/.test(revision) ? null : await repository.resolve(revision)
  return repository === null || oid === null ? null : await repository.commit(oid)
}

/** The tree without files, which git knows without having it; its id depends on the hash the repository uses. */
function emptyTree(oid: string): string {
  return oid.length === 40
    ? '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
    : '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
}

function factsOf({ message, author, committer }: Commit, signedBy: string | null): CommitFacts {
  return { subject: message.split('\n', 1)[0] ?? '', author, committer, signed_by: signedBy }
}

async function textOf(source: Source, file: { readonly path: string; readonly oid: string }): Promise<string | null> {
  for await (const { bytes } of source.read([{ ...file, mode: '100644' }], { maxBytes: MAX_TEXT_BYTES })) {
    if (bytes === null) return null
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      return null
    }
  }
  return null
}
