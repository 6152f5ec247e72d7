import type { Executor, Tx } from '../database.ts'

export type BudgetScopeKind = 'Environment' | 'Project' | 'Agent' | 'Blueprint' | 'ModelProvider' | 'Run'

/** An account: what may be spent in a window, and how much of it is gone. Amounts are nano-USD. */
export interface BudgetRow {
  readonly account: string
  /** The order of locks: environments first, runs last. */
  readonly rank: number
  readonly namespace: string
  readonly name: string
  readonly scope_kind: BudgetScopeKind
  readonly scope_name: string
  readonly max_amount: bigint
  readonly period: 'hour' | 'day' | 'week' | 'month' | 'total'
  readonly thresholds: readonly number[]
  readonly action: 'Alert' | 'Throttle' | 'Pause' | 'Kill'
  readonly window_start: Date
  readonly window_end: Date | null
  readonly used: bigint
  readonly reserved: bigint
  readonly told: number
  readonly paced_from: Date | null
  readonly paced_level: bigint | null
  readonly exhausted_at: Date | null
  readonly proposal: string | null
  /** Moves with every change of the row. */
  readonly version: number
}

type Sent = Omit<BudgetRow, 'max_amount' | 'used' | 'reserved' | 'paced_level'> & {
  readonly max_amount: string
  readonly used: string
  readonly reserved: string
  readonly paced_level: string | null
}

const columns = (sql: Executor) => sql`
  account, rank, namespace, name, scope_kind, scope_name, max_amount::text, period, thresholds, action, window_start, window_end,
  used::text, reserved::text, told, paced_from, paced_level::text, exhausted_at, proposal, version`

function rowOf(row: Sent): BudgetRow {
  return {
    ...row,
    max_amount: BigInt(row.max_amount),
    used: BigInt(row.used),
    reserved: BigInt(row.reserved),
    paced_level: row.paced_level === null ? null : BigInt(row.paced_level),
  }
}

/** To the end of the transaction, no account is opened or closed: whatever is charged, is charged to every account of its scope. */
export async function shareBudgets(tx: Tx): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock_shared(hashtextextended('stateward.budgets', 0))`
}

/** The opposite: nothing is reserved or charged meanwhile, and whoever knew which accounts there are asks again. */
export async function lockBudgets(tx: Tx): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended('stateward.budgets', 0))`
  await turnBook(tx)
}

/** There are other accounts since: for whoever remembers which there were. */
export async function turnBook(tx: Tx): Promise<void> {
  await tx`UPDATE budget_book SET version = version + 1 WHERE one`
}

/** Every account that it counts against, as it is, and where the book of accounts stands; nothing is locked. */
export async function accountsOf(
  sql: Executor,
  scope: SpendingScope,
): Promise<{ readonly book: number; readonly accounts: readonly BudgetRow[] }> {
  const rows = await sql<(Sent & { readonly book: number })[]>`
    SELECT k.version AS book, b.* FROM budget_book k
    LEFT JOIN LATERAL (SELECT ${columns(sql)} FROM budgets WHERE ${limits(sql, scope)}) b ON true
    WHERE k.one ORDER BY b.rank, b.account`
  const accounts = rows.flatMap(({ book: _, ...row }) => (row.account === null ? [] : [rowOf(row)]))
  return { book: rows[0]!.book, accounts }
}

/** Whose spending it is, as far as accounts ask. */
export interface SpendingScope {
  readonly namespace: string
  readonly project: string | null
  /** Who spends, and those above it, the nearest first. */
  readonly agents: readonly string[]
  readonly blueprint: string | null
  readonly run_id: string | null
  readonly provider: string | null
}

/** Every account that it counts against, locked from the top down. */
export async function lockAccounts(tx: Tx, scope: SpendingScope): Promise<BudgetRow[]> {
  const rows = await tx<Sent[]>`
    SELECT ${columns(tx)} FROM budgets WHERE ${limits(tx, scope)} ORDER BY rank, account FOR UPDATE`
  return rows.map(rowOf)
}

/** The same accounts by name, not locked. */
export async function accountNamesOf(sql: Executor, scope: SpendingScope): Promise<string[]> {
  const rows = await sql<{ account: string }[]>`SELECT account FROM budgets WHERE ${limits(sql, scope)}`
  return rows.map(({ account }) => account)
}

function limits(sql: Executor, { namespace, project, agents, blueprint, run_id, provider }: SpendingScope) {
  return sql`(
    scope_kind = 'Environment' AND scope_name = ${namespace}
    OR scope_kind = 'Project' AND scope_name = ${project}::text AND namespace = ${namespace}
    OR scope_kind = 'Agent' AND scope_name = ANY(${[...agents]}::text[]) AND namespace = ${namespace}
    OR scope_kind = 'Blueprint' AND scope_name = ${blueprint}::text AND namespace = ${namespace}
    OR scope_kind = 'ModelProvider' AND scope_name = ${provider}::text
    OR scope_kind = 'Run' AND scope_name = ${run_id}::text)`
}

/** Accounts by name, locked from the top down; those that are gone are left out. */
export async function lockAccountsNamed(tx: Tx, accounts: readonly string[]): Promise<BudgetRow[]> {
  if (accounts.length === 0) return []
  const rows = await tx<Sent[]>`
    SELECT ${columns(tx)} FROM budgets WHERE account = ANY(${[...accounts]}::text[]) ORDER BY rank, account FOR UPDATE`
  return rows.map(rowOf)
}

/** Accounts that keep money under a reservation, locked from the top down. */
export async function lockAccountsOfReservation(tx: Tx, reservation: string): Promise<BudgetRow[]> {
  const rows = await tx<Sent[]>`
    SELECT ${columns(tx)} FROM budgets
    WHERE account = ANY(ARRAY(SELECT unnest(accounts) FROM budget_reservations WHERE id = ${reservation}))
    ORDER BY rank, account FOR UPDATE`
  return rows.map(rowOf)
}

export async function accountNamed(sql: Executor, account: string): Promise<BudgetRow | null> {
  const [row] = await sql<Sent[]>`SELECT ${columns(sql)} FROM budgets WHERE account = ${account}`
  return row === undefined ? null : rowOf(row)
}

export async function accountsNamed(sql: Executor, accounts: readonly string[]): Promise<BudgetRow[]> {
  const rows = await sql<Sent[]>`SELECT ${columns(sql)} FROM budgets WHERE account = ANY(${[...accounts]}::text[])`
  return rows.map(rowOf)
}

/** Opens an account that nothing was spent of; nothing when it is open. */
export async function insertAccount(tx: Executor, row: BudgetRow): Promise<void> {
  await tx`INSERT INTO budgets ${tx(sentOf(row))} ON CONFLICT (account) DO NOTHING`
}

/** Writes an account whose row is locked, or opens it. */
export async function putAccount(tx: Executor, row: BudgetRow): Promise<void> {
  const sent = sentOf(row)
  const { account: _, ...changed } = sent
  await tx`
    INSERT INTO budgets ${tx(sent)}
    ON CONFLICT (account) DO UPDATE SET ${tx(changed)}, version = budgets.version + 1`
}

function sentOf({ version: _, ...row }: BudgetRow) {
  return {
    ...row,
    thresholds: [...row.thresholds],
    max_amount: String(row.max_amount),
    used: String(row.used),
    reserved: String(row.reserved),
    paced_level: row.paced_level === null ? null : String(row.paced_level),
  }
}

export async function deleteAccount(tx: Executor, account: string): Promise<boolean> {
  const result = await tx`DELETE FROM budgets WHERE account = ${account}`
  return result.count === 1
}

export async function noteProposal(tx: Executor, account: string, branch: string): Promise<void> {
  await tx`UPDATE budgets SET proposal = ${branch}, version = version + 1 WHERE account = ${account}`
}

export interface BudgetPage {
  readonly namespace: string | null
  readonly name: string | null
  readonly after: { readonly namespace: string; readonly name: string } | null
  readonly limit: number
}

/** Budgets that were declared, by namespace and name. */
export async function pageBudgets(sql: Executor, { namespace, name, after, limit }: BudgetPage): Promise<BudgetRow[]> {
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM budgets WHERE account LIKE 'Budget/%'
      ${namespace === null ? sql`` : sql`AND namespace = ${namespace}`}
      ${name === null ? sql`` : sql`AND name = ${name}`}
      ${after === null ? sql`` : sql`AND (namespace, name) > (${after.namespace}, ${after.name})`}
    ORDER BY namespace, name LIMIT ${limit}`
  return rows.map(rowOf)
}

/** Accounts that somebody waits for, whose window is over, or that are used up. */
export async function accountsToLookAt(sql: Executor, now: Date): Promise<BudgetRow[]> {
  const rows = await sql<Sent[]>`
    SELECT ${columns(sql)} FROM budgets WHERE exhausted_at IS NOT NULL OR window_end <= ${now} ORDER BY rank, account`
  return rows.map(rowOf)
}

/** Closes the accounts of runs that have ended and keep nothing reserved. */
export async function deleteEndedRunAccounts(tx: Executor): Promise<number> {
  const result = await tx`
    DELETE FROM budgets b WHERE scope_kind = 'Run' AND reserved = 0
      AND NOT EXISTS (SELECT FROM runs r WHERE r.run_id = b.scope_name::uuid AND r.status IN ('created', 'running'))`
  return result.count
}
