import type { BootPhase } from '../lifecycle/boot-phases.ts'
import { appendEvents } from '../store/log.ts'
import {
  endDrains,
  endLateSessions,
  type HostRow,
  hasLateSessions,
  instancesWithoutHost,
  listHosts,
  setBootPhase,
  upsertLocalHost,
} from '../store/queries/hosts.ts'
import { liveInstancesOfHost } from '../store/queries/instances.ts'
import { agentsOnHost } from '../store/queries/placements.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Machine } from '../telemetry/machine.ts'
import { hostEvent } from './events.ts'
import { hostFacts } from './host-facts.ts'
import type { EndWithHost, HostSpecOf, LookAgain } from './ports.ts'

const TICK_MS = 500
/** While no machine has joined. */
const ALONE_TICK_MS = 2_000
const MEASURE_EVERY_MS = 10_000

export interface HostWatchDeps {
  readonly store: Store
  /** Name of the host that is this machine. */
  readonly local: string
  readonly machine: Machine
  readonly specOf: HostSpecOf
  readonly endWithHost: EndWithHost
  readonly lookAgain: LookAgain
  /** What models of this machine that are always to be there lack; null = nothing. */
  readonly modelProblem: () => string | null
}

/**
 * What the leader does about hosts: it measures its own machine, ends the sessions of hosts whose lease is over together
 * with what they ran, notices the ends of drains, and has agents looked at again when a host changed in what it takes.
 */
export class HostWatch {
  readonly #deps: HostWatchDeps
  readonly #known = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #ticking: Promise<void> = Promise.resolve()
  #stopped = false
  #joined = false
  #startedMs = 0
  #phase: BootPhase = 'HardwareCheck'
  #shown: { readonly phase: BootPhase | null; readonly lacks: string | null } = { phase: null, lacks: null }
  #measuredAt = Number.NEGATIVE_INFINITY

  constructor(deps: HostWatchDeps) {
    this.#deps = deps
  }

  /** The first look is done when it resolves: this machine is known from then on. */
  async start(): Promise<void> {
    this.#startedMs = this.#deps.store.clock.monotonicMs()
    await this.#measure()
    await this.reach('HardwareCheck')
    await this.#tellChanges(await listHosts(this.#deps.store.engine))
    this.#schedule()
  }

  /** How far the start of this machine is. While models lack that are always to be there, it is the phase AIRuntime, and no instance begins here. */
  async reach(phase: BootPhase): Promise<void> {
    const { store, local } = this.#deps
    this.#phase = phase
    const lacks = phase === 'HardwareCheck' ? null : this.#deps.modelProblem()
    const shown = lacks === null ? phase : 'AIRuntime'
    if (this.#shown.phase === shown && this.#shown.lacks === lacks) return
    this.#shown = { phase: shown, lacks }
    const took = shown === 'Autonomy' ? Math.round(store.clock.monotonicMs() - this.#startedMs) : null
    await transact(store, (tx) => setBootPhase(tx, local, { phase: shown, message: lacks, tookMs: took }))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#ticking
  }

  /** One look; one query while there is nothing to do. */
  async tick(): Promise<void> {
    await this.#measure()
    if (this.#shown.lacks !== null) await this.reach(this.#phase)
    const hosts = await listHosts(this.#deps.store.engine)
    this.#joined = hosts.some(({ connection }) => connection === 'joined')
    if (this.#joined) await this.#endLost(hosts)
    if (hosts.some((row) => row.draining_since !== null && row.drained_at === null)) await this.#endDrains()
    await this.#tellChanges(hosts)
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(
      () => {
        this.#ticking = this.tick()
          .catch((error: unknown) => {
            if (!this.#deps.store.writer.isLost)
              this.#deps.store.log.warn({ err: error }, 'could not look after hosts; it is tried again')
          })
          .finally(() => this.#schedule())
      },
      this.#joined || this.#shown.lacks !== null ? TICK_MS : ALONE_TICK_MS,
    )
    this.#timer.unref()
  }

  async #measure(): Promise<void> {
    const { store, local, machine } = this.#deps
    const now = store.clock.monotonicMs()
    if (now - this.#measuredAt < MEASURE_EVERY_MS) return
    this.#measuredAt = now
    const measured = { hardware: { ...(await machine.hardware()) }, metrics: { ...(await machine.metrics()) } }
    await transact(store, (tx) => upsertLocalHost(tx, { name: local, ...measured, at: store.clock.now() }))
  }

  async #endLost(hosts: readonly HostRow[]): Promise<void> {
    const { store, endWithHost } = this.#deps
    // Looked for first, so that a look which finds nothing writes nothing.
    if (await hasLateSessions(store.engine)) {
      const lost = await transact(store, async (tx) => {
        const late = await endLateSessions(tx)
        const events = []
        for (const { name } of late) {
          const session = hosts.find((host) => host.name === name)?.session ?? null
          const instances = (await liveInstancesOfHost(tx, name)).length
          events.push(hostEvent('lease.expired', name, store.clock.now(), { host: name, session, instances }))
        }
        if (events.length > 0) await appendEvents(tx, store, events)
        return late
      })
      for (const { name } of lost) store.log.warn({ host: name }, 'a host is lost: its lease is over')
    }
    for (const instance of await instancesWithoutHost(store.engine)) await endWithHost(instance)
  }

  async #endDrains(): Promise<void> {
    const { store } = this.#deps
    await transact(store, async (tx) => {
      const at = store.clock.now()
      const drained = await endDrains(tx, at)
      const events = drained.map(({ name }) => hostEvent('drain.completed', name, at, { host: name }))
      if (events.length > 0) await appendEvents(tx, store, events)
    })
  }

  /** Whoever has something on a host that changed, or waits for one, is looked at again. */
  async #tellChanges(rows: readonly HostRow[]): Promise<void> {
    const { store, specOf, lookAgain } = this.#deps
    const gone = new Set(this.#known.keys())
    for (const row of rows) {
      gone.delete(row.name)
      const now = JSON.stringify(hostFacts(row.name, row, specOf(row.name)))
      const before = this.#known.get(row.name)
      this.#known.set(row.name, now)
      if (before === undefined || before === now) continue
      const agents = await agentsOnHost(store.engine, row.name)
      lookAgain([`Host/${row.name}`, ...agents.map(({ namespace, name }) => `Agent/${namespace}/${name}`)])
    }
    for (const name of gone) {
      this.#known.delete(name)
      const agents = await agentsOnHost(store.engine, name)
      lookAgain([`Host/${name}`, ...agents.map((agent) => `Agent/${agent.namespace}/${agent.name}`)])
    }
  }
}
