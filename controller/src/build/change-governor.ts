import { decisionEvents, decisionOf, rowOf } from '../approvals/decision-rows.ts'
import type { LandedApproval } from '../approvals/landed-approval.ts'
import { changeVerdict } from '../approvals/policy-verdict.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { CODE_OWNERS_FILES } from '../kinds/source/code-owners-files.ts'
import type { Clock } from '../lib/clock.ts'
import { StatewardError } from '../lib/errors.ts'
import { type CodeOwners, ownersOf, parseCodeOwners } from '../plan/approvals/code-owners.ts'
import type { Governance, GovernedPlan } from '../plan/approvals/hold.ts'
import { NO_LINEAGE } from '../plan/approvals/may-approve.ts'
import type { ChangeDecision } from '../plan/approvals/tally.ts'
import type { Change } from '../plan/change-set.ts'
import type { PolicyRequest } from '../policy/evaluate/request.ts'
import type { Verdict } from '../policy/evaluate/verdict.ts'
import type { ChangeGovernor, PlannedAt } from '../reconcile/sync/change-governor.ts'
import type { GitRepository } from '../source/ports.ts'
import type { DecisionRow } from '../store/journal.ts'
import { type ChangeApprovalRow, insertChangeApprovals } from '../store/queries/change-approvals.ts'
import { insertChangeDecisions } from '../store/queries/policies.ts'
import { approvalDocuments } from './approval-documents.ts'
import { inFolder, isGoverned, type Origin, type OriginDeps, type Origins, originOfChange } from './change-origins.ts'
import { SOURCE_NAME } from './state-repo.ts'

export interface GovernorDeps extends Omit<OriginDeps, 'repository'> {
  readonly clock: Clock
  /** What was said about changes of these objects. */
  readonly saidOf: (changes: readonly Change[]) => Promise<readonly ChangeApprovalRow[]>
  /** Null for a folder without history: then owners are not known, and neither are authors. */
  readonly repository: GitRepository | null
  /** The policies in force. */
  readonly evaluate: (request: PolicyRequest) => Verdict
  /** What a decision leaves behind; null = no policy is about it. */
  readonly rowOf: (request: PolicyRequest, correlationId: string) => DecisionRow | null
  /** Whether any policy is in force. */
  readonly hasPolicies: () => boolean
  /** Why a change waits for a time; null = it need not. */
  readonly waitFor: (change: Change) => string | null
  readonly environmentOf: (namespace: string) => PolicyRequest['env']
}

const MAX_OWNERS_BYTES = 1024 * 1024
const NOWHERE: Origin = { paths: [], authors: [], lineage: NO_LINEAGE, approval: null }

/**
 * Asks the policies, the owners of paths and the people of the last applied revision about changes: a commit never decides
 * about itself. Before the first revision there is nobody to ask, so that one is taken as it is.
 */
export function changeGovernor(deps: GovernorDeps): ChangeGovernor {
  const { clock } = deps
  return {
    async gather(made, _does, at) {
      const changes = made.changes.filter(isGoverned)
      if (at.applied === null || changes.length === 0) return null
      const repository = await holding(deps.repository, at.applied)
      const owners =
        repository === null
          ? null
          : await codeOwnersAt(repository, deps.path, await ownersCommit(deps, repository, at.applied))
      if (owners === null && !deps.hasPolicies()) return null
      const origins = new Map<ObjectKey, Origin>()
      for (const change of changes) {
        const origin = repository === null ? NOWHERE : await originOfChange({ ...deps, repository }, made, change, at)
        origins.set(keyOf(change), origin)
      }
      const spoken = await spokenFor(deps, repository, changes, origins, at)
      const words = await wordsAbout(deps, changes, spoken)
      const questions = new Map<ObjectKey, readonly PolicyRequest[]>()
      /** What was decided with this plan; what only waits on was decided before, and is not written again. */
      const asked = ({ changes: decided }: GovernedPlan) =>
        decided
          .filter(({ held, action }) => held !== undefined || action !== 'blocked')
          .flatMap((change) => questions.get(keyOf(change)) ?? [])
      return {
        verdictFor(change, does) {
          const { paths, authors } = origins.get(keyOf(change)) ?? NOWHERE
          const requests = authorsOf(authors).map((author) => requestFor(deps, change, does, author, at))
          questions.set(keyOf(change), requests)
          const verdicts = requests.map((request) => deps.evaluate(request))
          return changeVerdict(verdicts, owners === null ? [] : ownersOf(owners, paths))
        },
        decisionsOf: (key) => words.get(key) ?? [],
        waitFor: deps.waitFor,
        lineageOf: (key) => origins.get(key)?.lineage ?? NO_LINEAGE,
        async record(tx, plan, { correlationId }) {
          await insertChangeDecisions(
            tx,
            asked(plan).flatMap((request) => deps.rowOf(request, correlationId) ?? []),
          )
          const rows = plan.changes.flatMap((change) =>
            (spoken.get(keyOf(change)) ?? [])
              .filter((said) => counts(change, said))
              .map(({ principal: actor, source, commit, decision, reason }) => {
                const said = { decision, actor, roles: [], source, revision: commit.oid, reason }
                const about = { proposal: null, correlation_id: correlationId }
                return rowOf(change, { ...said, ...about, decided_at: clock.now() })
              }),
          )
          return decisionEvents(await insertChangeApprovals(tx, rows))
        },
      }
    },
  }
}

function authorsOf(authors: readonly string[]): readonly string[] {
  return authors.length === 0 ? ['anonymous'] : authors
}

/** A word that stands in the repository: of whoever landed the change, or of a signed document about it. */
type Spoken = LandedApproval & Pick<ChangeDecision, 'decision'> & { readonly reason: string | null }

/** Whether a word of the repository made a difference: then it is kept. */
function counts({ approval }: Change, { principal, decision }: Spoken): boolean {
  return decision === 'approve' ? approval?.approvers.includes(principal) === true : approval?.rejectedBy === principal
}

async function spokenFor(
  deps: GovernorDeps,
  repository: GitRepository | null,
  changes: readonly Change[],
  origins: Origins,
  at: PlannedAt,
): Promise<ReadonlyMap<ObjectKey, readonly Spoken[]>> {
  const documents = repository === null ? new Map() : await approvalDocuments({ ...deps, repository }, changes, at)
  return new Map(
    changes.map((change) => {
      const landed = origins.get(keyOf(change))?.approval ?? null
      const own = landed === null ? [] : [{ ...landed, decision: 'approve' as const, reason: null }]
      return [keyOf(change), [...own, ...(documents.get(keyOf(change)) ?? [])]]
    }),
  )
}

/** What was said about these changes, by people and by commits. */
async function wordsAbout(
  { saidOf, people }: GovernorDeps,
  changes: readonly Change[],
  spoken: ReadonlyMap<ObjectKey, readonly Spoken[]>,
): Promise<ReadonlyMap<ObjectKey, readonly ChangeDecision[]>> {
  const identities = people.identities()
  const said = Map.groupBy(await saidOf(changes), keyOf)
  return new Map(
    changes.map((change) => {
      const own = (spoken.get(keyOf(change)) ?? []).map(
        ({ principal, source, commit, decision }): ChangeDecision => ({
          ...identities.standing(principal),
          ...{ decision, source, at: commit.committer.time },
          ...{ fromDigest: change.fromDigest, toDigest: change.toDigest },
        }),
      )
      // What a commit said before, its author says in another way by now: as the repository stands, so does his word.
      const standing = new Set(own.map(({ principal }) => principal))
      const told = (said.get(keyOf(change)) ?? [])
        .map((row) => decisionOf(row, identities))
        .filter(({ principal, source }) => (source !== 'commit' && source !== 'merge') || !standing.has(principal))
      return [keyOf(change), [...own, ...told].sort((a, b) => (a.at < b.at ? -1 : 1))]
    }),
  )
}

/** What policies are asked about a change by somebody. */
function requestFor(
  { people, environmentOf, clock, world }: GovernorDeps,
  change: Change,
  { risk, effects }: Parameters<Governance['verdictFor']>[1],
  author: string,
  at: PlannedAt,
): PolicyRequest {
  const key = keyOf(change)
  const { kind, namespace, name, action } = change
  const { roles, teams } = people.identities().standing(author, author.startsWith('agent:') ? ['agent'] : [])
  const labels = at.desired.get(key)?.resource.labels ?? world.get(key)?.labels ?? {}
  return {
    point: 'proposal',
    action: `change.${action}`,
    subject: { principal: author, roles, teams, lineage: people.lineage([author]).above },
    resource: { type: kind.toLowerCase(), namespace: namespace === '' ? null : namespace, name, labels },
    env: environmentOf(namespace),
    risk,
    data: {
      effects: effects.map(({ effect }) => effect),
      fields: change.fields.map(({ pointer }) => pointer),
      ...{ from: change.fromDigest, to: change.toDigest },
    },
    at: clock.now(),
  }
}

/**
 * Null when the commit is not in the repository: then it is another one than before, or its history was rewritten and thrown
 * away. Nobody owns a path of what is not there any more; the policies in force are asked all the same.
 */
async function holding(repository: GitRepository | null, commit: string): Promise<GitRepository | null> {
  if (repository === null) return null
  try {
    await repository.commit(commit)
    return repository
  } catch (error) {
    if (error instanceof StatewardError && error.ref === 'SW_REV_MISSING') return null
    throw error
  }
}

/** A change of the file waits as any other: until it is agreed to, the file counts as the source was accepted with it. */
async function ownersCommit({ world }: GovernorDeps, repository: GitRepository, applied: string): Promise<string> {
  const accepted = world.get(`Source/${SOURCE_NAME}`)?.lastAppliedRevision ?? applied
  return accepted === applied || (await repository.resolve(accepted)) === null ? applied : accepted
}

/** The first such file that is there; null when none is. */
async function codeOwnersAt(repository: GitRepository, folder: string, commit: string): Promise<CodeOwners | null> {
  for (const file of CODE_OWNERS_FILES) {
    const text = await textAt(repository, commit, inFolder(folder, file))
    if (text !== null) return parseCodeOwners(file, text)
  }
  return null
}

/** The text of a plain file of a commit; null when there is none, or one that is too large to be meant. */
async function textAt(repository: GitRepository, commit: string, path: string): Promise<string | null> {
  const found = await repository.entry((await repository.commit(commit)).tree, path)
  if (found === null || !found.mode.startsWith('100')) return null
  for await (const { bytes } of repository.readBlobs([found.oid], { maxBytes: MAX_OWNERS_BYTES }))
    if (bytes !== null) return new TextDecoder().decode(bytes)
  return null
}
