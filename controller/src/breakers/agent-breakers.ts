import { setTimeout as delay } from 'node:timers/promises'
import { appendEvents } from '../store/log.ts'
import { type BreakerRow, breakerOf, lastTaskEnds, openBreakers, takeProbe } from '../store/queries/breakers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { breakerEvent, reset, trip } from './breakers.ts'
import type { BreakerSettings } from './tool-breakers.ts'

const ACTOR = 'system:breakers'
/** Between two looks, however much happens. */
const PAUSE_MS = 250
const RETRY_MS = 5_000
/** A task that is tried has no time of its own: it ends as tasks end. */
const NO_END = new Date('9999-01-01T00:00:00.000Z')
const BEGINNING = new Date(0)

export interface AgentBreakers {
  /** Something happened: a task may have ended. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Opens and closes the breakers of agents by how their tasks end. The queue heeds them by itself: an open one gives nothing
 * out, a half open one a single task. Level-triggered: a look decides from the rows alone. The leader's alone.
 */
export function watchAgentBreakers(
  store: Store,
  /** Agents that say when they are to be broken off. */
  declared: () => readonly { readonly namespace: string; readonly name: string; readonly settings: BreakerSettings }[],
  /** An agent may have something to do again. */
  wake: (namespace: string, agent: string) => void,
): AgentBreakers {
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  let wasOpen: ReadonlyMap<string, BreakerRow> = new Map()
  let timer: NodeJS.Timeout | null = null

  async function work(): Promise<void> {
    do {
      await pause(PAUSE_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        await look()
      } catch (error) {
        store.log.warn({ err: error }, 'breakers of agents could not be looked after; it is tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  async function look(): Promise<void> {
    const open = await openBreakers(store.engine, 'Agent')
    for (const row of open) await lookAt(row)
    const isOpen = new Map(open.map((row) => [`${row.namespace}/${row.name}`, row]))
    // Somebody reset it, in whatever process.
    for (const [key, row] of wasOpen) if (!isOpen.has(key)) wake(row.namespace, row.name)
    wasOpen = isOpen
    for (const agent of declared()) if (!isOpen.has(`${agent.namespace}/${agent.name}`)) await judge(agent)
    schedule(open)
  }

  /** So many tasks in a row have failed since it was closed last. */
  async function judge({ namespace, name, settings }: ReturnType<typeof declared>[number]): Promise<void> {
    const target = { kind: 'Agent' as const, namespace, name }
    const since = (await breakerOf(store.engine, target))?.closed_at ?? BEGINNING
    const ends = await lastTaskEnds(store.engine, target, since, settings.failures)
    if (ends.length < settings.failures || ends.includes('completed')) return
    const reason = `${settings.failures} tasks in a row failed`
    const { cooldownSeconds } = settings
    await transact(store, (tx) => trip(tx, store, target, { reason, actor: ACTOR, cooldownSeconds }))
  }

  async function lookAt(row: BreakerRow): Promise<void> {
    const now = store.clock.now()
    if (row.state === 'open') {
      if (row.probe_at === null || row.probe_at > now) return
      // Nothing was held back, so there is nothing to try.
      if (row.effect === 'notify') {
        await transact(store, (tx) => reset(tx, store, row, ACTOR))
        again = true
        return
      }
      await transact(store, async (tx) => {
        const taken = await takeProbe(tx, row, { at: now, until: NO_END })
        if (taken !== null) await appendEvents(tx, store, [breakerEvent('half_opened', taken, now, ACTOR)])
      })
      wake(row.namespace, row.name)
      return
    }
    const [end] = await lastTaskEnds(store.engine, row, row.half_open_at!, 1)
    if (end === undefined) return
    const { cooldown_seconds: cooldownSeconds } = row
    const { effect, declared_by: by } = row
    const declared = by === null ? {} : { declaredBy: by }
    const failed = { reason: 'the task that was tried failed', actor: ACTOR, cooldownSeconds, effect, ...declared }
    await transact(store, (tx) => (end === 'failed' ? trip(tx, store, row, failed) : reset(tx, store, row, ACTOR)))
    again = true
  }

  function schedule(open: readonly BreakerRow[]): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const times = open.flatMap(({ state, probe_at }) => (state === 'open' && probe_at !== null ? [probe_at] : []))
    if (times.length === 0 || stopping.signal.aborted) return
    const wait = Math.min(...times.map((time) => time.getTime())) - store.clock.now().getTime()
    timer = setTimeout(nudge, Math.min(Math.max(wait, 0), 2 ** 31 - 1))
    timer.unref()
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  function nudge(): void {
    again = true
    working ??= work().finally(() => {
      working = null
    })
  }

  return {
    nudge,
    async stop() {
      stopping.abort()
      if (timer !== null) clearTimeout(timer)
      await working
    },
  }
}
