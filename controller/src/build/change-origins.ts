import { originOf } from '../approvals/change-origin.ts'
import { type LandedApproval, landedApproval, type MergesApprove } from '../approvals/landed-approval.ts'
import { isFromCluster } from '../kinds/cluster-origin.ts'
import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { OWN_ADDRESS } from '../plan/approvals/identities.ts'
import { type Lineage, NO_LINEAGE } from '../plan/approvals/may-approve.ts'
import type { Change } from '../plan/change-set.ts'
import type { Plan } from '../plan/planned.ts'
import type { PlannedAt } from '../reconcile/sync/change-governor.ts'
import type { World } from '../reconcile/world.ts'
import type { GitRepository } from '../source/ports.ts'
import type { People } from './people.ts'

export interface OriginDeps {
  readonly world: World
  readonly people: People
  readonly repository: GitRepository
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
  readonly merges: MergesApprove
  /** Who signed a commit; null when nobody known did. */
  readonly signer: (commit: string) => Promise<string | null>
}

/** Where a change of an object comes from. */
export interface Origin {
  /** Files of the source that make the difference: who owns them is asked. */
  readonly paths: readonly string[]
  /** Who wrote it, as policies ask about them. */
  readonly authors: readonly string[]
  readonly lineage: Lineage
  /** The word of whoever brought it onto the branch, where that counts. */
  readonly approval: LandedApproval | null
}

/** Looks at the history of the document of an object, of what it inherits from and of the files it names. */
export async function originOfChange(deps: OriginDeps, made: Plan, change: Change, at: PlannedAt): Promise<Origin> {
  const { repository, people } = deps
  const since = deps.world.get(keyOf(change))?.lastAppliedRevision ?? null
  const known = since !== null && (await repository.resolve(since)) !== null ? since : null
  const { paths, changed } = await changedPaths(deps, made, change, known, at)
  const { authors, landings } = await originOf(
    repository,
    paths.map((path) => inFolder(deps.path, path)),
    known,
    at.commit,
  )
  const identities = people.identities()
  const approval = await landedApproval(at.proposedBy === undefined ? landings : [], deps.merges, {
    signer: ({ oid }) => deps.signer(oid),
    committer: ({ committer }) => (committer.email === OWN_ADDRESS ? null : identities.ofPerson(committer)),
  })
  const proposers = at.proposedBy ?? []
  const possible = [...new Set([...proposers, ...authors.flatMap((person) => identities.possiblyOf(person))])]
  const agents = possible.filter((principal) => principal.startsWith('agent:'))
  const { above, below } = people.lineage(agents)
  return {
    paths: changed,
    authors: [...new Set([...proposers, ...authors.map((person) => identities.ofPerson(person))])],
    lineage:
      possible.length === 0
        ? NO_LINEAGE
        : { authors: possible, members: [...agents, ...above, ...below], parents: above },
    approval,
  }
}

/** `paths` are looked at; `changed` are those that differ, files of directories one by one. */
async function changedPaths(
  deps: OriginDeps,
  made: Plan,
  change: Change,
  since: string | null,
  at: PlannedAt,
): Promise<{ readonly paths: readonly string[]; readonly changed: readonly string[] }> {
  const key = keyOf(change)
  const documents = [key, ...(made.effective.get(key)?.from ?? [])].flatMap((each) => {
    const file = at.desired.get(each)?.resource.origin.file ?? deps.world.get(each)?.file
    return file === undefined || isFromCluster(file) ? [] : [file]
  })
  const spec = made.effective.get(key)?.spec ?? deps.world.get(key)?.spec ?? {}
  const named = (kindOf(change.kind)?.files(spec) ?? []).map(({ path }) => path)
  const paths = [...new Set([...documents, ...named])]
  const [before, after] = [
    since === null ? null : await treeOf(deps.repository, since),
    await treeOf(deps.repository, at.commit),
  ]
  const changed: string[] = []
  for (const path of paths) {
    const full = inFolder(deps.path, path)
    const [was, is] = await Promise.all([
      before === null ? null : deps.repository.entry(before, full),
      after === null ? null : deps.repository.entry(after, full),
    ])
    if (was?.oid === is?.oid) continue
    const isFolder = (is ?? was)?.mode === '040000'
    if (isFolder && before !== null && after !== null) {
      const files = await deps.repository.diff(before, after, full)
      changed.push(...files.map((file) => file.path.slice(full.length - path.length)))
    } else changed.push(path)
  }
  return { paths, changed: changed.length === 0 ? documents.slice(0, 1) : changed }
}

async function treeOf(repository: GitRepository, commit: string): Promise<string> {
  return (await repository.commit(commit)).tree
}

export function inFolder(folder: string, path: string): string {
  return folder === '.' ? path : `${folder}/${path}`
}

/** Objects a plan would change, by what governs them: the same content is nobody's to decide. */
export function isGoverned({ action, fromDigest, toDigest }: Change): boolean {
  return (action === 'create' || action === 'update' || action === 'delete') && fromDigest !== toDigest
}

export type Origins = ReadonlyMap<ObjectKey, Origin>
