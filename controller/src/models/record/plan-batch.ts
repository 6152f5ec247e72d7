import { atTime } from '../../budgets/account.ts'
import { keptOf, type ReserveRequest } from '../../budgets/reserve.ts'
import { rowOf, type StoredAccount } from '../../budgets/rows.ts'
import { type Outcome, settlementOf } from '../../budgets/settle.ts'
import type { CallRows } from '../../store/calls/statement.ts'
import { digested } from '../../store/journal/batch.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { SpendingScope } from '../../store/queries/budgets.ts'
import type { CostRow } from '../../store/queries/costs.ts'
import type { ModelCallRow } from '../../store/queries/model-calls.ts'
import type { ModelTurnRow } from '../../store/queries/model-loops.ts'
import type { ReservationRow } from '../../store/queries/reservations.ts'
import type { AgentLineage } from '../../store/queries/spenders.ts'
import type { WindowLimits } from '../limits/window.ts'
import type { KnownMoney } from './known-money.ts'

/** What is kept for a call, and out of what it was worked out. */
export interface ShortBegun {
  readonly reservation: ReservationRow | null
  readonly scope: SpendingScope | null
  readonly book: number
  /** The provider, where it has a limit a minute. */
  readonly limited: string | null
}

export interface Beginning {
  readonly kind: 'begin'
  readonly row: ModelCallRow
  /** Null = it costs nothing. */
  readonly money: { readonly request: ReserveRequest; readonly lineage: AgentLineage } | null
  readonly limits: WindowLimits | null
}

export interface Ending {
  readonly kind: 'end'
  readonly row: ModelCallRow
  readonly begun: ShortBegun
  /** What became of its money. */
  readonly outcome: Outcome
  /** For the ledger, when no account has to do with it. */
  readonly cost: CostRow | null
  readonly turn: ModelTurnRow | null
  /** Written last. */
  readonly events: readonly NewEvent[]
  readonly at: Date
}

/** What one of them came to: `begun` of a beginning. */
export interface Planned<Entry> {
  readonly entry: Entry
  readonly begun: ShortBegun | null
}

export interface BatchPlan<Entry> {
  readonly rows: CallRows
  readonly planned: readonly Planned<Entry>[]
  /** Nothing for a batch: there is not enough, or a window is over. Who decides on that takes his time. */
  readonly others: readonly Entry[]
  /** It was written: what is known follows. */
  readonly written: () => void
}

export const scopeOf = ({ request, lineage }: NonNullable<Beginning['money']>): SpendingScope => ({
  namespace: request.namespace,
  project: lineage.project,
  agents: lineage.agents,
  blueprint: request.blueprint,
  run_id: request.run?.id ?? null,
  provider: request.provider,
})

/** Works out, one after the other, what these calls change of what is known. Pure but for windows, which forget what is over. */
export function planBatch<Entry extends { readonly what: Beginning | Ending }>(
  known: KnownMoney,
  entries: readonly Entry[],
  now: Date,
): BatchPlan<Entry> {
  const draft = new Draft(known)
  const planned: Planned<Entry>[] = []
  const others: Entry[] = []
  for (const entry of entries) {
    const { what } = entry
    const begun = what.kind === 'begin' ? draft.begin(what, now) : null
    if (what.kind === 'begin' ? begun !== null : draft.end(what)) planned.push({ entry, begun })
    else others.push(entry)
  }
  return { planned, others, rows: draft.rows(), written: () => draft.written() }
}

class Draft {
  readonly #known: KnownMoney
  readonly #accounts = new Map<string, StoredAccount>()
  readonly #absent = new Set<string>()
  readonly #windows = new Map<string, { calls: number; tokens: number }>()
  readonly #noted: (() => void)[] = []
  readonly #calls: ModelCallRow[] = []
  readonly #costs: CostRow[] = []
  readonly #turns: ModelTurnRow[] = []
  readonly #reservations: ReservationRow[] = []
  readonly #settles: string[] = []
  readonly #events: NewEvent[] = []
  #usesBook = false

  constructor(known: KnownMoney) {
    this.#known = known
  }

  /** Null = it cannot begin as things stand. */
  begin({ row, money, limits }: Beginning, now: Date): ShortBegun | null {
    const window = limits === null ? null : (this.#known.window(row.provider) ?? undefined)
    const more = this.#windows.get(row.provider) ?? { calls: 0, tokens: 0 }
    if (window === undefined) return null
    if (window !== null && !window.hasRoom(limits!, row.tokens_expected, more, now)) return null
    let reservation: ReservationRow | null = null
    const scope = money === null ? null : scopeOf(money)
    if (money !== null) {
      const names = this.#known.scope(scope!)
      const accounts = names === undefined ? null : this.#accountsNamed(names)
      const kept = accounts === null ? null : keptOf(money.request, money.lineage, accounts, now)
      if (kept === null) return null
      this.#change(kept.accounts, scope!)
      reservation = kept.row
      this.#reservations.push(reservation)
    }
    if (window !== null) {
      this.#windows.set(row.provider, { calls: more.calls + 1, tokens: more.tokens + row.tokens_expected })
      this.#noted.push(() => window.begun(row.call_id, now, row.tokens_expected))
    }
    this.#calls.push({ ...row, started_at: now, is_reserved: reservation !== null })
    return { reservation, scope, book: this.#known.book, limited: limits === null ? null : row.provider }
  }

  /** False = it cannot be ended as things stand. */
  end({ row, begun, outcome, cost, turn, events, at }: Ending): boolean {
    const { reservation, scope, book, limited } = begun
    const window = limited === null ? null : this.#known.window(limited)
    if (window === undefined) return false
    if (reservation !== null) {
      const accounts = book === this.#known.book ? this.#accountsNamed(reservation.accounts) : null
      if (accounts?.every((account) => atTime(account, at) === account) !== true) return false
      const settled = settlementOf(reservation, outcome, accounts, at)
      this.#change(settled.accounts, scope!)
      this.#reservations.push(settled.row)
      this.#settles.push(reservation.id)
      if (settled.entry !== null) this.#costs.push(settled.entry)
      this.#events.push(...settled.events)
    }
    if (window !== null) {
      if (!this.#windows.has(limited!)) this.#windows.set(limited!, { calls: 0, tokens: 0 })
      this.#noted.push(() => window.ended(row.call_id, usedBy(row)))
    }
    this.#calls.push(row)
    if (cost !== null) this.#costs.push(cost)
    if (turn !== null) this.#turns.push(turn)
    this.#events.push(...events)
    return true
  }

  rows(): CallRows {
    const { book } = this.#known
    return {
      calls: this.#calls,
      costs: this.#costs,
      turns: this.#turns,
      events: this.#events.map(digested),
      money:
        this.#usesBook || this.#windows.size > 0
          ? {
              book: this.#usesBook ? book : null,
              accounts: [...this.#accounts.values()].map(rowOf),
              absent: [...this.#absent],
              reservations: this.#reservations,
              settles: this.#settles,
              windows: [...this.#windows.keys()].map((provider) => ({
                provider,
                version: this.#known.window(provider)!.version,
              })),
            }
          : null,
    }
  }

  written(): void {
    this.#known.written(this.#accounts.values())
    for (const provider of this.#windows.keys()) this.#known.window(provider)!.version += 1
    for (const note of this.#noted) note()
  }

  #accountsNamed(names: readonly string[]): readonly StoredAccount[] | null {
    const accounts = names.flatMap((name) => this.#accounts.get(name) ?? this.#known.account(name) ?? [])
    return accounts.length === names.length ? accounts : null
  }

  #change(accounts: readonly StoredAccount[], { run_id }: SpendingScope): void {
    this.#usesBook = true
    for (const account of accounts) this.#accounts.set(account.account, account)
    // The account of a run may be opened at any time, by a step of it.
    const ofRun = `Run/${run_id}`
    if (run_id !== null && !accounts.some(({ account }) => account === ofRun)) this.#absent.add(ofRun)
  }
}

/** Null = it was never sent, undefined = nobody knows. */
function usedBy({ cause, input_tokens, output_tokens }: ModelCallRow): number | null | undefined {
  if (cause === 'notSent') return null
  return input_tokens === null ? undefined : input_tokens + (output_tokens ?? 0)
}
