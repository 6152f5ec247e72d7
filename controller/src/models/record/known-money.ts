import { accountOf, rowOf, type StoredAccount } from '../../budgets/rows.ts'
import { accountsOf, type SpendingScope } from '../../store/queries/budgets.ts'
import { windowOf } from '../../store/queries/model-calls.ts'
import { isMoneyKeptFor } from '../../store/queries/reservations.ts'
import type { Store } from '../../store/store.ts'
import { WINDOW_MS } from '../limits/window.ts'
import { KnownWindow } from './known-window.ts'

/** Callers, providers and steps that are remembered; more, and it is begun anew. */
const MOST = 2_000

/**
 * Accounts and windows as this process saw or wrote them last. A guess, and never more: whoever writes what was worked out of
 * it says so, and the database writes it only when it is still so.
 */
export class KnownMoney {
  readonly #store: Store
  #book = -1
  readonly #scopes = new Map<string, readonly string[]>()
  readonly #accounts = new Map<string, StoredAccount>()
  readonly #steps = new Map<string, boolean>()
  readonly #windows = new Map<string, KnownWindow>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Where the book of accounts stood. */
  get book(): number {
    return this.#book
  }

  forget(): void {
    this.#scopes.clear()
    this.#accounts.clear()
    this.#steps.clear()
    this.#windows.clear()
  }

  account(name: string): StoredAccount | undefined {
    return this.#accounts.get(name)
  }

  /** Names of the accounts that it counts against, from the top down. */
  scope(scope: SpendingScope): readonly string[] | undefined {
    return this.#scopes.get(keyOf(scope))
  }

  window(provider: string): KnownWindow | undefined {
    return this.#windows.get(provider)
  }

  /** Whether money is kept for the step already. */
  async hasStepMoney(runId: string, path: string): Promise<boolean> {
    const key = `${runId}/${path}`
    let has = this.#steps.get(key)
    if (has === undefined) {
      has = await isMoneyKeptFor(this.#store.engine, { run_id: runId, path })
      this.#steps.set(key, has)
    }
    return has
  }

  /** They are as they were written. */
  written(accounts: Iterable<StoredAccount>): void {
    for (const account of accounts) {
      const row = rowOf(account)
      this.#accounts.set(row.account, accountOf({ ...row, version: row.version + 1 }))
    }
  }

  /** Reads what is not known of these. */
  async learn(scopes: readonly SpendingScope[], providers: readonly string[]): Promise<void> {
    if (this.#scopes.size + this.#steps.size > MOST) this.forget()
    const newScopes = new Map(
      scopes.map((scope) => [keyOf(scope), scope] as const).filter(([key]) => !this.#scopes.has(key)),
    )
    const newProviders = new Set(providers.filter((provider) => !this.#windows.has(provider)))
    if (newScopes.size === 0 && newProviders.size === 0) return
    const { engine, clock } = this.#store
    const since = new Date(clock.now().getTime() - WINDOW_MS)
    await Promise.all([
      ...[...newScopes].map(async ([key, scope]) => this.#learned(key, await accountsOf(engine, scope))),
      ...[...newProviders].map(async (provider) => {
        const { version, calls } = await windowOf(engine, provider, since)
        this.#windows.set(provider, new KnownWindow(version, calls))
      }),
    ])
  }

  #learned(key: string, { book, accounts }: Awaited<ReturnType<typeof accountsOf>>): void {
    if (book !== this.#book) {
      this.#scopes.clear()
      this.#accounts.clear()
      this.#steps.clear()
      this.#book = book
    }
    this.#scopes.set(
      key,
      accounts.map(({ account }) => account),
    )
    for (const row of accounts) this.#accounts.set(row.account, accountOf(row))
  }
}

function keyOf({ namespace, project, agents, blueprint, run_id, provider }: SpendingScope): string {
  return JSON.stringify([namespace, project, agents, blueprint, run_id, provider])
}
