import type { Journal } from '../../store/journal.ts'
import { claimRuns, nextWakeAt, type RunRow } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import type { Wakeup } from '../wakeup.ts'

/** Runs claimed in one go; fewer where other processes want their share. */
const CLAIM_LIMIT = 100
const SHARED_CLAIM_LIMIT = 16
/** How soon it looks again when a run was locked; twice as long each time. */
const LOCKED_MS = 5
/** How soon it looks again when it could not claim. */
const RETRY_MS = 1000

export interface ClaimsDeps {
  readonly store: Store
  readonly journal: Journal
  readonly wakeup: Wakeup
  /** Takes what was claimed; it is ours in the database. */
  readonly take: (rows: readonly RunRow[]) => Promise<void>
}

/** When free runs are claimed, and how many: nothing is written and nothing locked while nothing is due. */
export class Claims {
  readonly #deps: ClaimsDeps
  /** Something is probably due: claim without looking first. */
  #hinted = false
  /** How long a run that is due and could not be claimed is left alone, in milliseconds. */
  #lockedPause = LOCKED_MS

  constructor(deps: ClaimsDeps) {
    this.#deps = deps
  }

  hint(): void {
    this.#hinted = true
  }

  /** Whether this process may take runs at all: Postgres keeps up, the lease is not in doubt. */
  mayTake(): boolean {
    const { store, journal } = this.#deps
    return !journal.isFull && store.writer.canStartEffects()
  }

  /** Claims what is due, at most `places`. True when there may be more and there is room for it. */
  async claim(places: number): Promise<boolean> {
    const { store, take } = this.#deps
    const limit = store.writer.hasPeers ? SHARED_CLAIM_LIMIT : CLAIM_LIMIT
    const room = Math.min(places, limit)
    if (room <= 0) return false
    if (!this.mayTake()) {
      this.retrySoon()
      return false
    }
    const now = store.clock.now()
    if (!this.#hinted && !(await this.#isSomethingDue(now))) return false
    this.#hinted = false
    const rows = await claimRuns(store.engine, store.writer.id, now, room)
    if (rows.length > 0) {
      await take(rows)
      this.#lockedPause = LOCKED_MS
      if (rows.length === room) return room === limit
    }
    await this.#lookAhead()
    return false
  }

  retrySoon(): void {
    const { store, wakeup } = this.#deps
    wakeup.at(new Date(store.clock.now().getTime() + RETRY_MS))
  }

  /** A look before the claim. */
  async #isSomethingDue(now: Date): Promise<boolean> {
    const next = await nextWakeAt(this.#deps.store.engine)
    if (next === null || next <= now) return next !== null
    this.#deps.wakeup.at(next)
    return false
  }

  /**
   * When the next free run is due. One that is due already, and was not to be claimed, is locked at this moment: by another
   * claim, or by whoever writes something to its inbox, or was refused to. It is asked for again, less and less often.
   */
  async #lookAhead(): Promise<void> {
    const { store, wakeup } = this.#deps
    const next = await nextWakeAt(store.engine)
    const now = store.clock.now()
    if (next === null || next > now) {
      this.#lockedPause = LOCKED_MS
      if (next !== null) wakeup.at(next)
      return
    }
    wakeup.at(new Date(now.getTime() + this.#lockedPause))
    this.#lockedPause = Math.min(this.#lockedPause * 2, RETRY_MS)
  }
}
