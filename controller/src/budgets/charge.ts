import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { accountNamesOf, lockAccountsNamed, putAccount, shareBudgets } from '../store/queries/budgets.ts'
import { type CostRow, insertCost } from '../store/queries/costs.ts'
import { lockReservationOfStep, putReservation, type ReservationRow } from '../store/queries/reservations.ts'
import { lineageOf, revisionOfAgent, whatRuns } from '../store/queries/spenders.ts'
import { costEvent } from './events.ts'
import { rowOf } from './rows.ts'
import { newEntry, rollOver, spentOf } from './spend.ts'

/** What somebody says was spent. */
export type CostReport = Omit<CostRow, 'cost_id' | 'recorded_at' | 'usage' | 'reservation' | 'blueprint' | 'revision'>

export interface Charged {
  readonly row: CostRow
  /** To be appended last in the same transaction. */
  readonly events: readonly NewEvent[]
}

/**
 * Writes into the ledger what was spent, and charges every account it counts against: first what was reserved for it,
 * the rest on top, since it is gone. Accounts count what was spent in their window. `also` is written last, with the events.
 */
export async function charge(
  tx: Tx,
  report: CostReport,
  now: Date,
  also: (events: readonly NewEvent[]) => Promise<unknown> = async () => undefined,
): Promise<Charged> {
  const { namespace, agent, run_id, step, amount } = report
  const [, reservation, lineage, run, made] = await Promise.all([
    shareBudgets(tx),
    run_id === null || step === null ? null : lockReservationOfStep(tx, { run_id, path: step }),
    agent === null ? { project: null, agents: [] } : lineageOf(tx, namespace, agent),
    run_id === null ? null : whatRuns(tx, run_id),
    agent === null ? null : revisionOfAgent(tx, namespace, agent),
  ])
  const project = report.project ?? lineage.project
  const what = run ?? { blueprint: null, revision: made }
  const scope = { ...report, ...what, project, agents: lineage.agents }
  const counted = await accountNamesOf(tx, scope)
  const covered = reservation === null ? 0n : coveredBy(reservation, amount)
  const cause = { correlationId: report.correlation_id, runId: run_id }
  const names = [...new Set([...counted, ...(reservation?.accounts ?? [])])]
  const locked = await rollOver(tx, await lockAccountsNamed(tx, names), now)
  const spent = locked.accounts.map((account) => {
    const isHeld = reservation?.accounts.includes(account.account) === true
    const reserved = isHeld ? account.reserved - min(covered, account.reserved) : account.reserved
    const isNow = isHeld || report.occurred_at >= account.window.start
    const used = counted.includes(account.account) && isNow ? account.used + amount : account.used
    return spentOf({ ...account, reserved, used }, now, cause)
  })
  const row = newEntry(
    { ...report, ...what, project, usage: 'reported' as const, reservation: reservation?.id ?? null },
    now,
  )
  const events = [...locked.events, ...spent.flatMap((one) => one.events), costEvent(row, row.recorded_by)]
  await Promise.all([
    ...spent.map(({ account }) => putAccount(tx, rowOf(account))),
    reservation === null
      ? null
      : putReservation(tx, { ...reservation, reported: reservation.reported + amount, usage: 'reported' }),
    insertCost(tx, row),
    also(events),
  ])
  return { row, events }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The part of a report that was kept for it. */
function coveredBy({ amount, reported }: ReservationRow, report: bigint): bigint {
  return reported >= amount ? 0n : min(report, amount - reported)
}
