import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { accountNamesOf, lockAccountsNamed, shareBudgets } from '../store/queries/budgets.ts'
import type { CostRow } from '../store/queries/costs.ts'
import { lockReservationOfStep, putReservation, type ReservationRow } from '../store/queries/reservations.ts'
import { lineageOf, revisionOfAgent, whatRuns } from '../store/queries/spenders.ts'
import { rollOver, writeEntry, writeSpent } from './spend.ts'

/** What somebody says was spent. */
export type CostReport = Omit<CostRow, 'cost_id' | 'recorded_at' | 'usage' | 'reservation' | 'blueprint' | 'revision'>

export interface Charged {
  readonly row: CostRow
  /** To be appended last in the same transaction. */
  readonly events: readonly NewEvent[]
}

/**
 * Writes into the ledger what was spent, and charges every account it counts against: first what was reserved for it,
 * the rest on top, since it is gone. Accounts count what was spent in their window.
 */
export async function charge(tx: Tx, report: CostReport, now: Date): Promise<Charged> {
  await shareBudgets(tx)
  const { namespace, agent, run_id, step, amount } = report
  const reservation = run_id === null || step === null ? null : await lockReservationOfStep(tx, { run_id, path: step })
  const lineage = agent === null ? { project: null, agents: [] } : await lineageOf(tx, namespace, agent)
  const project = report.project ?? lineage.project
  const what = (run_id === null ? null : await whatRuns(tx, run_id)) ?? {
    blueprint: null,
    revision: agent === null ? null : await revisionOfAgent(tx, namespace, agent),
  }
  const scope = { ...report, ...what, project, agents: lineage.agents }
  const counted = await accountNamesOf(tx, scope)
  const covered = reservation === null ? 0n : coveredBy(reservation, amount)
  const events: NewEvent[] = []
  const cause = { correlationId: report.correlation_id, runId: run_id }
  const names = [...new Set([...counted, ...(reservation?.accounts ?? [])])]
  const locked = await rollOver(tx, await lockAccountsNamed(tx, names), now)
  events.push(...locked.events)
  for (const account of locked.accounts) {
    const isHeld = reservation?.accounts.includes(account.account) === true
    const reserved = isHeld ? account.reserved - min(covered, account.reserved) : account.reserved
    const isNow = isHeld || report.occurred_at >= account.window.start
    const used = counted.includes(account.account) && isNow ? account.used + amount : account.used
    events.push(...(await writeSpent(tx, { ...account, reserved, used }, now, cause)))
  }
  if (reservation !== null)
    await putReservation(tx, { ...reservation, reported: reservation.reported + amount, usage: 'reported' })
  const entry = { ...report, ...what, project, usage: 'reported' as const, reservation: reservation?.id ?? null }
  const { row, event } = await writeEntry(tx, entry, now)
  return { row, events: [...events, event] }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The part of a report that was kept for it. */
function coveredBy({ amount, reported }: ReservationRow, report: bigint): bigint {
  return reported >= amount ? 0n : min(report, amount - reported)
}
