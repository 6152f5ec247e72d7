import { setTimeout as delay } from 'node:timers/promises'
import { measureAgent, measureTool } from '../store/queries/breaker-metrics.ts'
import {
  type BreakerEffect,
  type BreakerKind,
  type BreakerRow,
  breakerOf,
  breakersOpenedBy,
  openBreakers,
} from '../store/queries/breakers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { reset, trip } from './breakers.ts'
import { type Metric, tripReason } from './judge.ts'

/** A Breaker as it was accepted, with the targets that its selector means now. */
export interface DeclaredBreaker {
  readonly namespace: string
  readonly name: string
  readonly kind: BreakerKind
  readonly targets: readonly string[]
  readonly metric: Metric
  readonly threshold: number
  readonly windowMs: number
  readonly effect: BreakerEffect
  /** Null = it stays open until it is reset. */
  readonly cooldownSeconds: number | null
}

export interface DeclaredBreakersDeps {
  readonly store: Store
  readonly declared: () => readonly DeclaredBreaker[]
  /** An agent has less, or more, to do than before. */
  readonly wake: (namespace: string, agent: string) => void
  /** Ends the processes of an agent and keeps them ended; the same again changes nothing. */
  readonly terminate: (agent: AgentName, reason: string) => Promise<void>
  /** Takes that back; nothing where it was not us. */
  readonly revive: (agent: AgentName) => Promise<void>
}

type AgentName = { readonly namespace: string; readonly name: string }

const ACTOR = 'system:breakers'
const LOOK_MS = 1000
/** What a Breaker ended that is not declared any more is looked for this rarely, in looks. */
const FORGOTTEN_EVERY = 10
/** So bad, that it takes the place of another one that is open. */
const SEVERITY: Readonly<Record<BreakerEffect, number>> = { notify: 0, throttle: 1, pause: 2, terminate: 3 }

/**
 * Opens what Breakers say by what is measured of their targets. Closing is that of any breaker: one is tried after the
 * cooldown, or somebody resets it. Level-triggered; while none is declared it next to never looks. The leader's alone.
 */
export function watchDeclaredBreakers(deps: DeclaredBreakersDeps): { start(): void; stop(): Promise<void> } {
  const stopping = new AbortController()
  const { store } = deps
  /** Agents that were ended by a breaker, as they were seen last. */
  let ended: ReadonlyMap<string, AgentName> = new Map()
  let working: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    for (let looks = 0; !stopping.signal.aborted; looks++) {
      try {
        const declared = deps.declared()
        for (const breaker of declared) for (const name of breaker.targets) await look(deps, breaker, name)
        if (declared.length > 0 || ended.size > 0 || looks % FORGOTTEN_EVERY === 0)
          ended = await enforceTermination(deps, ended)
      } catch (error) {
        store.log.warn({ err: error }, 'declared breakers could not be looked after; it is tried again')
      }
      await delay(LOOK_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    start() {
      working = run()
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}

async function look({ store, wake }: DeclaredBreakersDeps, breaker: DeclaredBreaker, name: string): Promise<void> {
  const { kind, namespace, windowMs, effect, cooldownSeconds } = breaker
  const target = { kind, namespace, name }
  const row = await breakerOf(store.engine, target)
  const isClosed = row === null || row.state === 'closed'
  if (!isClosed && SEVERITY[row.effect] >= SEVERITY[effect]) return
  const now = store.clock.now()
  // What opened it before does not open it again.
  const since = new Date(Math.max(now.getTime() - windowMs, row?.closed_at?.getTime() ?? 0))
  const measure = kind === 'Agent' ? measureAgent : measureTool
  const reason = tripReason(breaker, await measure(store.reader, target, since))
  if (reason === null) return
  const why = { reason, actor: ACTOR, cooldownSeconds, effect, declaredBy: breaker.name }
  await transact(store, (tx) => trip(tx, store, target, why))
  if (kind === 'Agent') wake(namespace, name)
}

/** Ends what is to be ended, and takes it back when its breaker lets one through or is closed, whoever did that. */
async function enforceTermination(
  { store, terminate, revive }: DeclaredBreakersDeps,
  before: ReadonlyMap<string, AgentName>,
): Promise<ReadonlyMap<string, AgentName>> {
  const rows = (await openBreakers(store.engine, 'Agent')).filter(({ effect }) => effect === 'terminate')
  const now = new Map(rows.filter(({ state }) => state === 'open').map((row) => [`${row.namespace}/${row.name}`, row]))
  for (const row of now.values()) await terminate(row, row.reason)
  for (const row of rows.filter(({ state }) => state === 'half_open')) await revive(row)
  for (const [key, agent] of before) if (!now.has(key)) await revive(agent)
  return now
}

/** How a Breaker stands: the worst of its targets. */
export function stateOf(rows: readonly BreakerRow[]) {
  const open = rows.filter(({ state }) => state !== 'closed')
  return {
    state: open.some(({ state }) => state === 'open') ? 'open' : open.length > 0 ? 'half_open' : 'closed',
    targets: open.slice(0, 100).map((row) => ({
      kind: row.kind,
      name: row.name,
      state: row.state,
      reason: row.reason,
      openedAt: row.opened_at.toISOString(),
      ...(row.probe_at === null ? {} : { probeAt: row.probe_at.toISOString() }),
    })),
    trips: rows.reduce((sum, { trips }) => sum + trips, 0),
  }
}

/** Closes everything that a Breaker opened, because it is gone. */
export async function closeOpenedBy(store: Store, namespace: string, name: string): Promise<void> {
  await transact(store, async (tx) => {
    for (const row of await breakersOpenedBy(tx, namespace, name))
      if (row.state !== 'closed') await reset(tx, store, row, ACTOR)
  })
}
