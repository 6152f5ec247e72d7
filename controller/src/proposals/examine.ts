import { canonicalJson } from '../lib/digest.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Json } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import { type ProposalRow, type ProposalSummary, saveExamined } from '../store/queries/proposals.ts'
import { transact } from '../store/transact.ts'
import { landsBy } from './auto-merge.ts'
import { checksOf } from './checks.ts'
import type { ProposalDeps, WorkspaceLimits } from './ports.ts'
import { proposalEvent } from './proposal-events.ts'
import { secretsIn } from './secrets-check.ts'

/** What is true of a proposal at one moment: where its branch and the protected one stand. */
export interface Standing {
  readonly head: string
  readonly onto: string
}

/** `absorbed`: merging it would change nothing, so somebody brought all of it there in another way. */
export type Outcome = 'checked' | 'absorbed' | 'unchanged' | 'closed'

/** Nothing is allowed to an agent that is not declared. */
const NOBODY: WorkspaceLimits = { allowedPaths: [], maxChangedFiles: 0 }

/** The same row, so that it is checked though nothing of it moved. */
export function toCheckAgain<Row extends Pick<ProposalRow, 'onto'>>(row: Row): Row {
  return { ...row, onto: row.onto === null ? null : '' }
}

/** Looks at a proposal as branch and protected branch stand now, and keeps what it finds. A failure is kept, too. */
export async function examine(deps: ProposalDeps, row: ProposalSummary, standing: Standing): Promise<Outcome> {
  const { store } = deps
  const { head, onto } = standing
  let found: Found | 'absorbed'
  let error: string | null = null
  try {
    found = await look(deps, row, standing)
  } catch (cause) {
    error = errorMessage(cause)
    // Of the same two commits nothing else would be found: it is looked at again when one of them moves.
    found = { base: row.base, files: [], checks: [], plan: null, plan_digest: null, risk: null }
  }
  if (found === 'absorbed') return found
  const rest = found
  const at = store.clock.now()
  const moved = head !== row.head
  const same =
    !moved &&
    row.onto !== null &&
    row.plan_digest === rest.plan_digest &&
    row.check_error === error &&
    canonicalJson(row.checks as unknown as Json) === canonicalJson(rest.checks as unknown as Json)
  const expires_at = moved ? new Date(at.getTime() + deps.expireAfterMs) : row.expires_at
  const saved = await transact(store, async (tx) => {
    if (!(await saveExamined(tx, row.proposal_id, { ...rest, head, onto, check_error: error, at, expires_at })))
      return false
    if (same) return true
    const now = { ...row, head }
    const failed = rest.checks.flatMap(({ name, state }) => (state === 'failed' ? [name] : []))
    await appendEvents(tx, store, [
      ...(moved ? [proposalEvent('updated', now, { at, actor: row.author }, { from: row.head })] : []),
      proposalEvent(
        'checked',
        now,
        { at, actor: 'system' },
        {
          onto,
          failed: error === null ? failed : [...failed, 'error'],
          risk: rest.risk,
          plan_digest: rest.plan_digest,
        },
      ),
    ])
    return true
  })
  return saved ? (same ? 'unchanged' : 'checked') : 'closed'
}

/** Paths from the root of the source; one outside of it belongs to nothing that is declared. */
function inSource(files: readonly string[], folder: string): string[] {
  if (folder === '.') return [...files]
  return files.map((file) => (file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : `../${file}`))
}

type Found = Pick<ProposalRow, 'base' | 'files' | 'checks' | 'plan' | 'plan_digest' | 'risk'>

async function look(deps: ProposalDeps, row: ProposalSummary, { head, onto }: Standing): Promise<Found | 'absorbed'> {
  const { repository } = deps
  const base = await repository.mergeBase(onto, head)
  if (base === null) throw new Error('the branch has no history in common with the protected one')
  const [from, to, target] = await Promise.all([base, head, onto].map((oid) => repository.commit(oid)))
  const changed = await repository.diff(from!.tree, to!.tree)
  const files = changed.map(({ path }) => path)
  const { tree, conflicts } = await repository.mergeTrees(onto, head)
  if (conflicts.length === 0 && tree === target!.tree) return 'absorbed'
  const plan =
    conflicts.length > 0 ? null : await deps.plan({ onto, head, tree, proposedBy: [row.author, ...row.contributors] })
  const limits = row.agent === null ? null : (deps.limitsOf(row.namespace, row.agent) ?? NOBODY)
  return {
    base,
    files,
    checks: checksOf({
      ...{ conflicts, plan, files, limits, secrets: await secretsIn(repository, changed) },
      landsBy: plan === null ? null : landsBy(plan.plan.changes, inSource(files, deps.folder)),
    }),
    plan: plan?.json ?? null,
    plan_digest: plan?.plan.digest ?? null,
    risk: plan?.plan.risk ?? null,
  }
}
