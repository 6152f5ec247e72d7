import { formatUsd } from '../lib/usd.ts'
import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { type BudgetRow, insertAccount, lockAccounts, putAccount, shareBudgets } from '../store/queries/budgets.ts'
import { lockReservation, putReservation, type ReservationRow } from '../store/queries/reservations.ts'
import { lineageOf } from '../store/queries/spenders.ts'
import { admit, atTime } from './account.ts'
import { budgetEvent } from './events.ts'
import { accountOf, rowOf, type StoredAccount, titleOf } from './rows.ts'
import { rollOver } from './spend.ts'

/**
 * Money is kept before it is spent, and settled after. Both are one transaction that locks every account from the top
 * down, so any number of callers, of any process, together get no more than there is. What a process that went away had
 * reserved stays reserved until it is known what became of it (keeper.ts).
 */

/** Who spends, and what for. */
export interface Spending {
  readonly namespace: string
  /** The agent that works, or that started the run. */
  readonly agent: string | null
  readonly blueprint: string | null
  /** `max`: what the run may cost in all, in nano-USD; null = only what others say limits it. */
  readonly run: { readonly id: string; readonly name: string; readonly max: bigint | null } | null
  readonly step: string | null
  readonly attempt: number | null
  readonly tool: string | null
  readonly provider: string | null
  readonly model: string | null
  /** The commit that the run is pinned to. */
  readonly revision: string | null
  readonly actor: string
  readonly correlationId: string
}

export interface ReserveRequest extends Spending {
  /** Of the thing that is paid for: asked again under it, nothing is reserved twice. */
  readonly id: string
  /** Nano-USD. 0 reserves nothing, and asks whether anything is left. */
  readonly amount: bigint
  /** Without any budget it may not be paid at all: models are not, tools are. Default false. */
  readonly needsBudget?: boolean
}

export type Reservation =
  | { readonly granted: true }
  | {
      readonly granted: false
      /** Null = there is no budget at all, and it needs one. */
      readonly by: Pick<BudgetRow, 'account' | 'namespace' | 'name' | 'scope_kind' | 'scope_name' | 'action'> | null
      readonly message: string
      /** When it may be asked again without anybody doing anything. */
      readonly retryAt: Date | null
    }

export interface Reserved {
  readonly reservation: Reservation
  /** To be appended last in the same transaction. */
  readonly events: readonly NewEvent[]
}

const RANK: Readonly<Record<BudgetRow['scope_kind'], number>> = {
  ModelProvider: 0,
  Environment: 1,
  Project: 2,
  Blueprint: 3,
  Agent: 4,
  Run: 5,
}

export const rankOf = (kind: BudgetRow['scope_kind']): number => RANK[kind]

const NOBODY = { project: null, agents: [] } as const

/**
 * Keeps an amount of every account that it counts against, or of none. Statements that need nothing of each other are sent together, and
 * done in their order: `alsoWhenGranted` is written with what is kept.
 */
export async function reserve(
  tx: Tx,
  request: ReserveRequest,
  now: Date,
  alsoWhenGranted: () => Promise<unknown> = async () => undefined,
): Promise<Reserved> {
  const { id, amount, run, agent, namespace } = request
  const [, before, { project, agents }] = await Promise.all([
    shareBudgets(tx),
    lockReservation(tx, id),
    agent === null ? NOBODY : lineageOf(tx, namespace, agent),
  ])
  if (before?.state === 'reserved' || before?.state === 'settled') {
    await alsoWhenGranted()
    return granted
  }
  const scope = { ...request, project, agents, run_id: run?.id ?? null }
  const [, rows] = await Promise.all([
    run?.max == null ? null : insertAccount(tx, runAccount(namespace, { ...run, max: run.max })),
    lockAccounts(tx, scope),
  ])
  const { accounts, events: rolled } = await rollOver(tx, rows, now)
  if (accounts.length === 0 && request.needsBudget === true) {
    const message = `nothing that is paid for may be used without a budget; there is none for namespace ${namespace}`
    return { reservation: { granted: false, by: null, message, retryAt: null }, events: rolled }
  }
  const row = reservationRow(request, { project, agents }, accounts, before, now)
  const admission = admit(accounts, amount, now)
  if (admission.granted) {
    if (amount === 0n) {
      if (before !== null) await putReservation(tx, { ...row, state: 'released', charged: 0n, ended_at: now })
      await alsoWhenGranted()
      return { ...granted, events: rolled }
    }
    await Promise.all([
      putReservation(tx, row),
      ...accounts.map((account) => putAccount(tx, rowOf({ ...account, reserved: account.reserved + amount }))),
      alsoWhenGranted(),
    ])
    return { ...granted, events: rolled }
  }
  const { by, retryAt } = admission
  const waits = by.action !== 'Kill' && by.row.scope_kind !== 'ModelProvider'
  if (waits) await putReservation(tx, { ...row, state: 'waiting' })
  const events = [...rolled, ...(await tellExhausted(tx, by, request, now))]
  const { account, namespace: of, name, scope_kind, scope_name, action } = by.row
  return {
    reservation: {
      granted: false,
      by: { account, namespace: of, name, scope_kind, scope_name, action },
      message: refusal(by, amount),
      retryAt,
    },
    events,
  }
}

const granted: Reserved = { reservation: { granted: true }, events: [] }

function refusal(by: StoredAccount, amount: bigint): string {
  const gone = `${formatUsd(by.used)} of ${formatUsd(by.max)} USD are used${by.reserved > 0n ? `, ${formatUsd(by.reserved)} reserved` : ''}`
  return `${titleOf(by.row)}: ${gone}${amount > 0n ? `; ${formatUsd(amount)} are needed` : ''}`
}

async function tellExhausted(tx: Tx, by: StoredAccount, request: ReserveRequest, now: Date): Promise<NewEvent[]> {
  if (by.exhaustedAt !== null) return []
  const exhausted = { ...by, exhaustedAt: now }
  await putAccount(tx, rowOf(exhausted))
  const { amount, run, step, actor, correlationId } = request
  const waits = run === null ? null : { run: run.name, run_id: run.id, step }
  const data = { wanted_usd: formatUsd(amount), waits }
  return [budgetEvent('exhausted', exhausted, now, data, { actor, correlationId, runId: run?.id ?? null })]
}

/**
 * Whether anything is left for an agent, by every account above it; nothing is kept. The refusal, or null. Belongs into the
 * transaction that makes what would spend it.
 */
export async function lacksMoney(
  tx: Tx,
  { namespace, agent }: { readonly namespace: string; readonly agent: string },
  now: Date,
): Promise<string | null> {
  await shareBudgets(tx)
  const { project, agents } = await lineageOf(tx, namespace, agent)
  const scope = { namespace, project, agents, blueprint: null, run_id: null, provider: null }
  const accounts = (await lockAccounts(tx, scope)).map((row) => atTime(accountOf(row), now))
  const admission = admit(accounts, 0n, now)
  return admission.granted ? null : refusal(admission.by, 0n)
}

/** The account of a spawned agent: what whoever spawned it gave it, for good. */
export function spawnedAccount(agent: {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly max: bigint
}): BudgetRow {
  const { uid, namespace, name, max } = agent
  const run = runAccount(namespace, { id: uid, name, max })
  return { ...run, account: `Spawned/${uid}`, rank: RANK.Agent, scope_kind: 'Agent', scope_name: name }
}

/** The account of a run that may only cost so much: it ends with the run, and nobody raises it. */
function runAccount(
  namespace: string,
  run: { readonly id: string; readonly name: string; readonly max: bigint },
): BudgetRow {
  return {
    account: `Run/${run.id}`,
    rank: RANK.Run,
    namespace,
    name: run.name,
    scope_kind: 'Run',
    scope_name: run.id,
    max_amount: run.max,
    period: 'total',
    thresholds: [],
    action: 'Kill',
    window_start: new Date(0),
    window_end: null,
    used: 0n,
    reserved: 0n,
    told: 0,
    paced_from: null,
    paced_level: null,
    exhausted_at: null,
    proposal: null,
    version: 0,
  }
}

/** What is to be written to keep an amount, or null when it is not kept as it stands. Pure: the accounts are all it counts against. */
export function keptOf(
  request: ReserveRequest,
  of: { readonly project: string | null; readonly agents: readonly string[] },
  accounts: readonly StoredAccount[],
  now: Date,
): { readonly row: ReservationRow; readonly accounts: readonly StoredAccount[] } | null {
  const { amount } = request
  if (accounts.length === 0 || amount <= 0n || accounts.some((account) => atTime(account, now) !== account)) return null
  if (!admit(accounts, amount, now).granted) return null
  return {
    row: reservationRow(request, of, accounts, null, now),
    accounts: accounts.map((account) => ({ ...account, reserved: account.reserved + amount })),
  }
}

function reservationRow(
  request: ReserveRequest,
  { project, agents }: { readonly project: string | null; readonly agents: readonly string[] },
  accounts: readonly StoredAccount[],
  before: ReservationRow | null,
  now: Date,
): ReservationRow {
  const { id, amount, namespace, blueprint, run, step, attempt, tool, provider, model, revision, actor } = request
  return {
    id,
    state: 'reserved',
    accounts: accounts.map(({ account }) => account),
    amount,
    reported: 0n,
    charged: null,
    usage: null,
    namespace,
    project,
    agents,
    blueprint: blueprint === '' ? null : blueprint,
    run_id: run?.id ?? null,
    step,
    attempt,
    tool,
    provider,
    model,
    revision,
    actor,
    correlation_id: request.correlationId,
    created_at: before?.created_at ?? now,
    ended_at: null,
  }
}
