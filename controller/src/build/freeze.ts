import type { Caller } from '../api/caller.ts'
import type { Fleet, FleetState } from '../api/ports/fleet.ts'
import type { EventName } from '../events/catalogue.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { World } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import { type FreezeRow, insertFreeze, latestFreeze } from '../store/queries/freezes.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Wakes } from '../store/wakes.ts'

/** The backstop for wakes that get lost: no process goes on for longer than this after a freeze, a part of its lease. */
const LOOK_MS = 10_000

/**
 * Whether the fleet is halted, as this process knows it. A freeze is a row: it holds across restarts and for every process.
 * Halted, a process begins no effect and claims no run; runs are given up as they stand, and agents count as suspended.
 */
export class FreezeWatch {
  readonly #store: Store
  readonly #world: World
  readonly #wakes: Wakes
  readonly #changed: (row: FreezeRow) => void
  #row: FreezeRow | null = null
  #timer: NodeJS.Timeout | undefined
  #unsubscribe = (): void => {}

  constructor(deps: {
    readonly store: Store
    readonly world: World
    readonly wakes: Wakes
    readonly changed: (row: FreezeRow) => void
  }) {
    this.#store = deps.store
    this.#world = deps.world
    this.#wakes = deps.wakes
    this.#changed = deps.changed
  }

  /** Null while the fleet goes on. */
  get current(): FreezeRow | null {
    return this.#row?.frozen === true ? this.#row : null
  }

  /** Resolves when this process knows how it is: nothing may begin before. */
  async start(): Promise<void> {
    await this.look()
    this.#unsubscribe = this.#wakes.subscribe(({ kind }) => {
      if (kind === 'froze' || kind === 'joined') this.#lookSoon()
    })
    this.#timer = setInterval(() => this.#lookSoon(), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    this.#unsubscribe()
    clearInterval(this.#timer)
  }

  async look(): Promise<void> {
    const row = await latestFreeze(this.#store.engine)
    if (row === null) return
    if (row.id === this.#row?.id) {
      this.#row = row
      return
    }
    const before = this.#row?.frozen ?? false
    this.#row = row
    this.#store.writer.halt(row.frozen)
    this.#world.setFrozen(row.frozen ? said(row) : null)
    if (row.frozen !== before) this.#changed(row)
  }

  #lookSoon(): void {
    this.look().catch((error: unknown) =>
      this.#store.log.warn({ err: error }, 'whether the fleet is frozen could not be read; it is looked at again'),
    )
  }
}

/** `frozen by user:ada: runaway agents` */
function said({ actor, reason }: FreezeRow): string {
  return `the fleet is frozen by ${actor}${reason === null ? '' : `: ${reason}`}`
}

/** The same, asked for by a commit at the ref. */
export interface FreezeByRef {
  byRef(frozen: boolean, reason: string | null, caller: Caller, commit: string): Promise<FleetState>
}

/** Halting the whole fleet, and letting it go on. Any process does it: a leader is not needed to stop. */
export function fleetVerbs(store: Store, watch: FreezeWatch, wakes: Wakes): Fleet & FreezeByRef {
  const say = async (
    frozen: boolean,
    reason: string | null,
    { actor, correlationId }: Caller,
    commit: string | null = null,
  ): Promise<FleetState> => {
    await watch.look()
    if ((watch.current !== null) === frozen) return stateOf(watch.current)
    const now = store.clock.now()
    const said = commit ?? watch.current?.commit ?? null
    const row = {
      id: uuidv7(now.getTime()),
      frozen,
      actor,
      reason,
      correlation_id: correlationId,
      at: now,
      commit: said,
    }
    await transact(store, async (tx) => {
      await insertFreeze(tx, row)
      await appendEvents(tx, store, [
        {
          event_id: uuidv7(now.getTime()),
          event_name: (frozen ? 'stateward.fleet.frozen' : 'stateward.fleet.unfrozen') satisfies EventName,
          occurred_at: now,
          env_id: 'default',
          actor,
          correlation_id: correlationId,
          data: { reason, commit: said },
        },
      ])
    })
    await watch.look()
    wakes.send({ kind: 'froze' })
    return stateOf(watch.current)
  }
  return {
    async state() {
      await watch.look()
      return stateOf(watch.current)
    },
    freeze: (reason, caller) => say(true, reason, caller),
    unfreeze: (reason, caller) => say(false, reason, caller),
    byRef: (frozen, reason, caller, commit) => say(frozen, reason, caller, commit),
    assertGoing() {
      const row = watch.current
      if (row !== null) throw fail('SW_FROZEN', said(row))
    },
  }
}

function stateOf(row: FreezeRow | null): FleetState {
  if (row === null) return { frozen: false, by: null, reason: null, since: null, commit: null }
  return { frozen: true, by: row.actor, reason: row.reason, since: row.at, commit: row.commit }
}
