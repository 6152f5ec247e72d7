import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { bootId, identityOf, isAlive, pidNamespace } from '../lib/process-identity.ts'
import { type LeaseState, nextLease } from '../lifecycle/lease.ts'
import type { Sql } from './database.ts'
import type { Log } from './ports.ts'
import {
  deleteExpiredWriters,
  deleteWriters,
  extendLease,
  insertWriter,
  listWriters,
  type WriterRow,
} from './queries/writers.ts'

export const LEASE_MS = 30_000

/** Between the end of a lease and the look that takes it over; clocks and timers are not exact. */
const AFTER_EXPIRY_MS = 20

/**
 * This process's right to write: a row of `writers` with a lease. It is renewed every third of the lease; whoever finds
 * it expired may delete it, and from then on every transaction of this process writes nothing (see transact.ts).
 * Each renewal tells when the first of the other leases ends, and this process looks again just then: one that died is
 * taken over at once when its lease is over, whoever of the others comes first.
 */
export class Writer {
  readonly id: string
  readonly leaseMs: number
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #log: Log
  readonly #onLost: () => void
  readonly #stopped = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #renewedAt: number
  #halted = false
  #lease: 'held' | 'lost' | 'released' = 'held'
  #batches = 0
  #peers: number
  /** Counts the processes that said they are there: one may come while a renewal is on its way that did not see it. */
  #met = 0
  /** When the first lease of another process ends, on the monotonic clock. */
  #peersExpireAt: number | null = null
  /** Until then nobody is taken over; on the monotonic clock. */
  #patientUntil = Number.NEGATIVE_INFINITY
  readonly #takeOverListeners = new Set<() => void>()

  constructor(
    sql: Sql,
    id: string,
    renewedAt: number,
    options: { leaseMs: number; clock: Clock; log: Log; onLost: () => void; peers: number },
  ) {
    this.id = id
    this.leaseMs = options.leaseMs
    this.#sql = sql
    this.#clock = options.clock
    this.#log = options.log
    this.#onLost = options.onLost
    this.#renewedAt = renewedAt
    this.#peers = options.peers
  }

  /** Whether other processes write to this database, as far as is known; a new one says so itself (`metPeer`). */
  get hasPeers(): boolean {
    return this.#peers > 0
  }

  metPeer(): void {
    this.#met += 1
    this.#peers = Math.max(this.#peers, 1)
  }

  /** Calls back when this process took over from others: their runs and leaderships are free. */
  onTakeOver(listener: () => void): void {
    this.#takeOverListeners.add(listener)
  }

  /** The number of this writer's next batch in the log; a batch sent again after a lost connection keeps its number. */
  nextBatch(): number {
    this.#batches += 1
    return this.#batches
  }

  get isLost(): boolean {
    return this.#lease === 'lost'
  }

  #stateNow(): LeaseState {
    const behind = this.#clock.monotonicMs() - this.#renewedAt >= (this.leaseMs * 2) / 3
    return behind ? nextLease(this.#lease, 'fallBehind').state : this.#lease
  }

  /** False when the lease had ended before. */
  #end(event: 'take' | 'giveUp'): boolean {
    const { outcome, state } = nextLease(this.#lease, event)
    if (outcome !== 'moved') return false
    this.#lease = state === 'lost' ? 'lost' : 'released'
    return true
  }

  /** False from two thirds of the lease without renewal on: an effect started now might outlive our right to record it. */
  canStartEffects(): boolean {
    return !this.#halted && this.#stateNow() === 'held'
  }

  /** The whole fleet is halted: nothing new begins, whatever the lease says. */
  get isHalted(): boolean {
    return this.#halted
  }

  halt(halted: boolean): void {
    this.#halted = halted
  }

  /** Extends the lease, in a transaction of its own; false = the row is gone, and with it the right to write. */
  async renew(): Promise<boolean> {
    const sentAt = this.#clock.monotonicMs()
    const met = this.#met
    const peers = await extendLease(this.#sql, this.id, this.leaseMs)
    if (peers === null) {
      this.markLost()
      return false
    }
    const answeredAt = this.#clock.monotonicMs()
    // It was late itself: the machine slept or the database was away, and the others get the time to renew theirs.
    if (sentAt - this.#renewedAt > this.leaseMs / 2) this.#patientUntil = answeredAt + this.leaseMs / 3
    this.#renewedAt = sentAt
    this.#peers = Math.max(peers.count, this.#met === met ? 0 : 1)
    this.#peersExpireAt = peers.expireInMs === null ? null : answeredAt + peers.expireInMs
    return true
  }

  /**
   * Deletes writers whose lease expired; their runs and leaderships become free. Returns their ids. The own lease is
   * renewed and committed first: after the machine slept all leases are expired, and without this order processes delete
   * each other, or themselves. Nobody is taken over for a third of the lease after a renewal that was late. Throws
   * SW_LEASE_LOST when the own row is gone.
   */
  async takeOver(): Promise<readonly string[]> {
    if (!(await this.renew())) throw leaseLost()
    if (this.#clock.monotonicMs() < this.#patientUntil) return []
    const deleted = await deleteExpiredWriters(this.#sql, this.id)
    // Known anew from the next renewal on.
    this.#peersExpireAt = null
    if (deleted.length > 0) {
      this.#log.warn({ writers: deleted }, 'took over from writers whose lease expired')
      for (const listener of this.#takeOverListeners) listener()
    }
    return deleted
  }

  /** Called by whatever finds the row gone; tells the owner once. */
  markLost(): void {
    if (!this.#end('take')) return
    this.#log.error({ writer: this.id }, 'another process took over the lease; nothing more is written')
    this.#stopped.abort()
    this.#onLost()
  }

  startRenewing(): void {
    this.#loop = this.#renewUntilStopped()
  }

  async #renewUntilStopped(): Promise<void> {
    const { signal } = this.#stopped
    let pause = this.leaseMs / 3
    while (!signal.aborted) {
      // Aborted while it waits: the loop ends by its condition.
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return
      try {
        if (this.#peersExpireAt !== null && this.#peersExpireAt <= this.#clock.monotonicMs()) await this.takeOver()
        else await this.renew()
        pause = this.#untilNext()
      } catch (error) {
        pause = Math.min(1000, this.leaseMs / 10)
        this.#log.warn({ writer: this.id, err: error }, 'the lease could not be renewed; trying again')
      }
    }
  }

  /** A third of the lease, or less when the lease of another process may be over before that. */
  #untilNext(): number {
    const third = this.leaseMs / 3
    if (this.#peersExpireAt === null) return third
    const over = Math.max(this.#peersExpireAt, this.#patientUntil) - this.#clock.monotonicMs()
    return Math.min(third, Math.max(over, 0) + AFTER_EXPIRY_MS)
  }

  /** Stops renewing and deletes the row, so that others need not wait for the lease to expire. */
  async end(): Promise<void> {
    const isOurs = this.#end('giveUp')
    this.#stopped.abort()
    await this.#loop
    if (!isOurs) return
    try {
      await deleteWriters(this.#sql, this.id, [this.id])
    } catch (error) {
      // The database may already be away; then the lease expires by itself.
      this.#log.warn({ writer: this.id, err: error }, 'the lease could not be given up')
    }
  }
}

/** Inserts this process's row, then deletes writers that provably run no more. */
export async function registerWriter(
  sql: Sql,
  options: {
    readonly clock: Clock
    readonly roles: readonly string[]
    readonly host: string
    readonly dataDirLocked: boolean
    readonly onLeaseLost: () => void
    readonly log: Log
    readonly leaseMs?: number
    readonly maxRuns?: number
    readonly version?: string
  },
): Promise<Writer> {
  const identity = identityOf(process.pid)
  if (identity === null) throw fail('SW_INTERNAL', `the start time of the own process ${process.pid} cannot be read`)
  const id = uuidv7(options.clock.now().getTime())
  const leaseMs = options.leaseMs ?? LEASE_MS
  const renewedAt = options.clock.monotonicMs()
  await insertWriter(sql, {
    id,
    host: options.host,
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    pid: identity.pid,
    pidStart: identity.start,
    roles: options.roles,
    leaseMs,
    maxRuns: options.maxRuns ?? 0,
    version: options.version ?? '',
  })
  const others = (await listWriters(sql)).filter((row) => row.id !== id)
  const dead = deadWriters(others, options)
  if (dead.length > 0) {
    await deleteWriters(sql, id, dead)
    options.log.info({ writers: dead }, 'removed writers of processes that ended without saying so')
  }
  const writer = new Writer(sql, id, renewedAt, {
    leaseMs,
    clock: options.clock,
    log: options.log,
    onLost: options.onLeaseLost,
    peers: others.length - dead.length,
  })
  writer.startRenewing()
  return writer
}

/** Another machine, or another container, cannot be looked into: there only the lease decides. */
function deadWriters(others: readonly WriterRow[], options: { host: string; dataDirLocked: boolean }): string[] {
  if (options.dataDirLocked) return others.map((row) => row.id)
  return others
    .filter((row) => row.host === options.host && row.boot_id === bootId() && row.pid_namespace === pidNamespace())
    .filter((row) => !isAlive({ pid: row.pid, start: row.pid_start }))
    .map((row) => row.id)
}

export function leaseLost(): Error {
  return fail('SW_LEASE_LOST', 'the lease of this process was taken over; nothing was written')
}
