import type { JsonObject } from '../lib/json.ts'
import { type HostRow, listHosts } from '../store/queries/hosts.ts'
import { liveInstancesOfAgent } from '../store/queries/instances.ts'
import {
  committedByHost,
  forgetPlacement,
  type PlacementRow,
  placedDigest,
  placementsOf,
  replacePlacements,
} from '../store/queries/placements.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { hostFacts } from './host-facts.ts'
import { type PlaceableAgent, type PlaceableHost, type Placement, place } from './placement.ts'
import type { HoldsUp, HostSpecOf } from './ports.ts'

/** An agent that is to be placed. */
export interface Placing {
  readonly uid: string
  /** Of `target`: an agent that is wanted as before, and may stay where it is, is not written again. */
  readonly digest: string
  /** How it is wanted, for the hosts that run it. */
  readonly target: JsonObject
  readonly agent: PlaceableAgent
  /** It stays where it is until it has ended there. */
  readonly deleting: boolean
}

/**
 * Places agents on hosts, one after the other, and keeps where: who leads does this. What was decided is durable before
 * anybody acts on it, and a host starts only what is placed on it.
 */
export class Placer {
  readonly #store: Store
  readonly #specOf: HostSpecOf
  readonly #holdsUp: HoldsUp
  readonly #obstacles = new Map<string, NonNullable<Placement['obstacle']>>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: Store, specOf: HostSpecOf, holdsUp: HoldsUp) {
    this.#store = store
    this.#specOf = specOf
    this.#holdsUp = holdsUp
  }

  /** Where each replica is to run. */
  place(placing: Placing): Promise<ReadonlyMap<number, string>> {
    const result = this.#last.then(() => this.#place(placing))
    // The next one only waits for the end.
    this.#last = result.catch(() => {})
    return result
  }

  /** Why some replica of an agent has no host; null = each has one. */
  obstacleOf(agentUid: string): Placement['obstacle'] {
    return this.#obstacles.get(agentUid) ?? null
  }

  async forget(agentUid: string): Promise<void> {
    this.#obstacles.delete(agentUid)
    if ((await placedDigest(this.#store.engine, agentUid)) === null) return
    await transact(this.#store, (tx) => forgetPlacement(tx, agentUid))
  }

  async #place(placing: Placing): Promise<ReadonlyMap<number, string>> {
    const { engine } = this.#store
    const { uid, agent } = placing
    const [rows, digest, hosts, live] = await Promise.all([
      placementsOf(engine, uid),
      placedDigest(engine, uid),
      listHosts(engine),
      liveInstancesOfAgent(engine, uid),
    ])
    const current = new Map(rows.map(({ ordinal, host }) => [ordinal, host]))
    if (placing.deleting) {
      if (digest !== null && digest !== placing.digest) await this.#write(placing, rows)
      return current
    }
    const alive = new Map(live.map(({ ordinal, host }) => [ordinal, host]))
    const committed = await committedByHost(engine, uid)
    const { hosts: placed, obstacle } = place(agent, current, alive, this.#placeable(hosts, committed))
    if (obstacle === null) this.#obstacles.delete(uid)
    else this.#obstacles.set(uid, obstacle)
    const wanted = rowsOf(placing, placed)
    if (digest !== placing.digest || !sameRows(rows, wanted)) await this.#write(placing, wanted)
    return placed
  }

  #placeable(
    rows: readonly HostRow[],
    committed: readonly {
      readonly host: string
      readonly slots: number
      readonly memory: number
      readonly replicas: number
    }[],
  ): PlaceableHost[] {
    const holdsUp = this.#holdsUp()
    return rows.map((row) => ({
      ...hostFacts(row.name, holdsUp === null ? row : heldUp(row, holdsUp), this.#specOf(row.name)),
      committed: committed.find(({ host }) => host === row.name) ?? { slots: 0, memory: 0, replicas: 0 },
    }))
  }

  async #write({ uid, digest, target }: Placing, rows: readonly PlacementRow[]): Promise<void> {
    await transact(this.#store, (tx) => replacePlacements(tx, { uid, digest, target }, rows))
  }
}

/** What is declared may hold this machine up before its row says so. */
function heldUp(row: HostRow, message: string): HostRow {
  return row.connection === 'local' ? { ...row, boot_phase: 'AIRuntime', boot_message: message } : row
}

function rowsOf({ uid, agent }: Placing, placed: ReadonlyMap<number, string>): PlacementRow[] {
  const holds = agent.mode === 'daemon'
  return [...placed]
    .sort(([a], [b]) => a - b)
    .map(([ordinal, host]) => ({
      agent_uid: uid,
      ordinal,
      host,
      slots: holds ? agent.slots : 0,
      memory: holds ? agent.memory : 0,
    }))
}

function sameRows(a: readonly PlacementRow[], b: readonly PlacementRow[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, i) => {
      const other = b[i]!
      return (
        row.ordinal === other.ordinal &&
        row.host === other.host &&
        row.slots === other.slots &&
        row.memory === other.memory
      )
    })
  )
}
