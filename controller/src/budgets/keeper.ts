import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import {
  accountsNamed,
  accountsToLookAt,
  lockAccountsNamed,
  putAccount,
  shareBudgets,
} from '../store/queries/budgets.ts'
import { insertInboxRow } from '../store/queries/inbox.ts'
import {
  forgottenReservations,
  openRunsOfAccount,
  type ReservationRow,
  waitingReservations,
} from '../store/queries/reservations.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { admit, atTime } from './account.ts'
import { ACTOR, budgetEvent } from './events.ts'
import { settleNow } from './purse.ts'
import { accountOf, rowOf, type StoredAccount } from './rows.ts'
import type { Outcome } from './settle.ts'
import { isUsedUp, rollOver } from './spend.ts'

export interface BudgetKeeperDeps {
  readonly store: Store
  /** The run has a message: called after the commit. */
  readonly nudgeRun: (runId: string) => void
  /** A budget is used up, or is not any more: its status and what was proposed are to be looked at. */
  readonly changed: (account: StoredAccount) => void
  /** Asks a run to end, because its budget says so. */
  readonly kill: (runId: string, reason: string) => Promise<void>
}

export interface BudgetKeeper {
  /** The log has grown. */
  nudge(): void
  start(): void
  stop(): Promise<void>
}

const LOOK_MS = 1000
const BATCH = 500
/** Whoever knows what something came to settles it at once; after this long, nobody will. */
const GRACE_MS = 10_000

/**
 * What nobody does by himself: lets runs go on for which there is money again (a new window, a higher limit, something
 * that cost less), settles what a process that went away had reserved, ends runs whose budget says so. Level-triggered:
 * a look decides from the rows alone, so nothing is lost by a crash. The leader's alone.
 */
export function keepBudgets(deps: BudgetKeeperDeps): BudgetKeeper {
  const stopping = new AbortController()
  let wanted = true
  let looking: Promise<void> = Promise.resolve()
  const { store } = deps
  /** Accounts of which it was said that nothing is left, with since when. */
  const told = new Map<string, number>()

  async function run(): Promise<void> {
    let idle = 0
    while (!stopping.signal.aborted) {
      // Windows end and processes go away without a word: a look now and then, also when nothing is said.
      if (wanted || ++idle >= 10) {
        wanted = false
        idle = 0
        try {
          if (await look(deps, told)) wanted = true
        } catch (error) {
          wanted = true
          store.log.warn({ err: error }, 'budgets could not be looked after; it is tried again')
        }
      }
      await delay(LOOK_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    nudge() {
      wanted = true
    },
    start() {
      looking = run()
    },
    async stop() {
      stopping.abort()
      await looking
    },
  }
}

/** True while something waits, so that the next look is soon. */
async function look(deps: BudgetKeeperDeps, told: Map<string, number>): Promise<boolean> {
  const { store } = deps
  await settleForgotten(store)
  const waiting = await waitingReservations(store.engine, BATCH)
  await ease(deps, waiting, told)
  await wake(deps, waiting)
  return waiting.length > 0
}

async function settleForgotten(store: Store): Promise<void> {
  const forgotten = await forgottenReservations(store.engine, new Date(store.clock.now().getTime() - GRACE_MS), BATCH)
  for (const { id, outcome } of forgotten) {
    await settleNow(store, id, meaning(outcome))
  }
}

function meaning(outcome: Awaited<ReturnType<typeof forgottenReservations>>[number]['outcome']): Outcome {
  switch (outcome) {
    case 'task':
      return { kind: 'as_reported' }
    case 'succeeded':
      return { kind: 'as_declared' }
    case 'none':
      return { kind: 'nothing' }
    default:
      return { kind: 'unknown' }
  }
}

/** Accounts whose window is over begin anew; those that were used up and are not any more are told of, those that end runs end them. */
async function ease(
  deps: BudgetKeeperDeps,
  waiting: readonly ReservationRow[],
  told: Map<string, number>,
): Promise<void> {
  const { store } = deps
  for (const row of await accountsToLookAt(store.engine, store.clock.now())) {
    const eased = await transact(store, async (tx) => {
      const now = store.clock.now()
      await shareBudgets(tx)
      const [stored] = await lockAccountsNamed(tx, [row.account])
      if (stored === undefined) return null
      const { accounts, events } = await rollOver(tx, [stored], now)
      const account = accounts[0]!
      const isOver = account.exhaustedAt !== null && !isStillUsedUp(account, waiting, now)
      const after = isOver ? { ...account, exhaustedAt: null } : account
      if (isOver) await putAccount(tx, rowOf(after))
      const by = { actor: ACTOR, correlationId: row.account }
      const news = [...events, ...(isOver ? [budgetEvent('eased', after, now, { why: 'more' }, by)] : [])]
      if (news.length > 0) await appendEvents(tx, store, news)
      return isOver || account.window.start > stored.window_start ? after : null
    })
    if (eased !== null) {
      told.delete(row.account)
      deps.changed(eased)
    } else if (row.exhausted_at !== null) {
      if (told.get(row.account) !== row.exhausted_at.getTime()) deps.changed(accountOf(row))
      told.set(row.account, row.exhausted_at.getTime())
      if (row.action === 'Kill' && row.scope_kind !== 'Run' && isUsedUp(accountOf(row))) {
        for (const runId of await openRunsOfAccount(store.engine, row))
          await deps.kill(runId, `budget ${row.namespace}/${row.name} is used up`)
      }
    }
  }
}

function isStillUsedUp(account: StoredAccount, waiting: readonly ReservationRow[], now: Date): boolean {
  if (account.action === 'Alert') return account.used >= account.max
  const first = waiting.find(({ accounts }) => accounts.includes(account.account))
  return !admit([account], first?.amount ?? 0n, now).granted
}

/** Tells runs to ask again, as many as there is money for. */
async function wake({ store, nudgeRun }: BudgetKeeperDeps, waiting: readonly ReservationRow[]): Promise<void> {
  if (waiting.length === 0) return
  const now = store.clock.now()
  const names = [...new Set(waiting.flatMap(({ accounts }) => accounts))]
  const accounts = new Map(
    (await accountsNamed(store.engine, names)).map((row) => [row.account, atTime(accountOf(row), now)]),
  )
  const woken: ReservationRow[] = []
  for (const row of waiting) {
    const its = row.accounts.flatMap((name) => accounts.get(name) ?? [])
    if (!admit(its, row.amount, now).granted) continue
    for (const account of its) accounts.set(account.account, { ...account, reserved: account.reserved + row.amount })
    woken.push(row)
  }
  if (woken.length === 0) return
  await transact(store, async (tx) => {
    for (const row of woken) await tell(tx, row, now)
  })
  for (const { run_id } of woken) if (run_id !== null) nudgeRun(run_id)
}

async function tell(tx: Tx, { run_id, step, id }: ReservationRow, now: Date): Promise<void> {
  if (run_id === null) return
  await insertInboxRow(tx, {
    id: uuidv7(now.getTime()),
    run_id,
    kind: 'resume',
    path: step,
    payload: { reservation: id },
    actor: ACTOR,
    created_at: now,
  })
}
