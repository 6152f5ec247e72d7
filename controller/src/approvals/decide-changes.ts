import { keyOf } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { type AskedChange, approveCommand } from '../plan/approvals/hold.ts'
import { type Approver, mayApprove } from '../plan/approvals/may-approve.ts'
import { appendEvents } from '../store/log.ts'
import { type ChangeApprovalRow, insertChangeApprovals } from '../store/queries/change-approvals.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { decisionEvents, rowOf } from './decision-rows.ts'

export type Word = Pick<ChangeApprovalRow, 'decision' | 'source' | 'proposal' | 'revision' | 'reason'> & {
  readonly roles: readonly string[]
  readonly correlationId: string
}

/**
 * Writes one word about several changes, in one transaction with its events: a row for each change for which it counts.
 * SW_FORBIDDEN when it counts for none, with why. What was said before is not said again.
 */
export async function decideChanges(
  store: Store,
  approver: Approver,
  asked: readonly AskedChange[],
  word: Word,
): Promise<readonly ChangeApprovalRow[]> {
  const mine: AskedChange[] = []
  const refusals = new Set<string>()
  for (const each of asked) {
    const rulings = each.verdict.requirements.map((requirement) =>
      mayApprove(approver, { ...requirement, purpose: 'change' }, each.lineage),
    )
    if (rulings.some(({ allowed }) => allowed)) mine.push(each)
    else for (const ruling of rulings) if (!ruling.allowed) refusals.add(`${keyOf(each.change)}: ${ruling.why}`)
  }
  if (mine.length === 0)
    throw fail('SW_FORBIDDEN', [...refusals].join('; '), {
      remedy: `let somebody who may run: ${asked.map(({ change }) => approveCommand(keyOf(change))).join(', ')}`,
    })
  const unsaid = mine.filter((each) => !wasSaid(each, approver, word)).map(({ change }) => change)
  if (unsaid.length === 0) return []
  const now = store.clock.now()
  const { decision, source, proposal, revision, reason, roles, correlationId: correlation_id } = word
  const rows = unsaid.map((change) =>
    rowOf(change, {
      ...{ decision, actor: approver.principal, roles, source, proposal, revision, reason },
      ...{ correlation_id, decided_at: now },
    }),
  )
  await transact(store, async (tx) => {
    await insertChangeApprovals(tx, rows)
    await appendEvents(tx, store, decisionEvents(rows))
  })
  return rows
}

function wasSaid({ change, decisions }: AskedChange, { principal }: Approver, word: Word): boolean {
  const { fromDigest, toDigest } = change
  const last = decisions
    .filter((each) => each.principal === principal && each.fromDigest === fromDigest && each.toDigest === toDigest)
    .at(-1)
  return last?.decision === word.decision
}
