import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { hasOpenAlert, raiseAlert, resolveAlert } from '../store/queries/alerts.ts'
import { consumerPosition, moveConsumer, readNamedBehind } from '../store/queries/consumers.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { alertEvent } from './alerts.ts'
import { judge, RULED_EVENTS } from './rules.ts'

const CONSUMER = 'alerts'
const ACTOR = 'system:alerts'
const BATCH = 500
/** Between two looks: a busy log moves thousands of times a second, and almost none of it concerns a rule. */
const PAUSE_MS = 250
const RETRY_MS = 5_000
/** The position is written when something was raised or resolved, else only when it is this far behind. */
const MAX_LAG = 10_000

export interface AlertWatch {
  /** The log has grown. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Raises and resolves alerts by what the log says: a durable consumer, whose position moves in the transaction that writes
 * the alerts, so that each event counts once. The leader's alone.
 */
export function watchForAlerts(store: Store): AlertWatch {
  const stopping = new AbortController()
  let working: Promise<void> | null = null
  let again = false
  let saved: number | null = null
  let position = 0

  async function work(): Promise<void> {
    do {
      await pause(PAUSE_MS)
      again = false
      if (stopping.signal.aborted) return
      try {
        while (await read()) if (stopping.signal.aborted) return
      } catch (error) {
        // Nothing was committed, or we do not know: the position is read again and tells.
        saved = null
        store.log.warn({ err: error }, 'events could not be checked for alerts; it is tried again')
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  /** True when there are more. */
  async function read(): Promise<boolean> {
    if (saved === null) {
      saved = await transact(store, (tx) => consumerPosition(tx, CONSUMER))
      position = saved
    }
    const { head, events } = await readNamedBehind(store.engine, { after: position, names: RULED_EVENTS, limit: BATCH })
    const more = events.length === BATCH
    const to = more ? events.at(-1)!.seq : head
    if ((await changesAlerts(store, events)) || to - saved > MAX_LAG) {
      const from = saved
      await transact(store, async (tx) => {
        if (!(await moveConsumer(tx, CONSUMER, from, to))) throw new Error(`consumer ${CONSUMER} was moved by another`)
        const written: NewEvent[] = []
        for (const event of events) written.push(...(await take(tx, store, event)))
        if (written.length > 0) await appendEvents(tx, store, written)
      })
      saved = to
    }
    position = to
    return more
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  return {
    nudge() {
      again = true
      working ??= work().finally(() => {
        working = null
      })
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}

/** Most of what could resolve an alert finds none that is open. */
async function changesAlerts(store: Store, events: readonly LoggedEvent[]): Promise<boolean> {
  const verdicts = events.flatMap((event) => judgedOf(event).map(({ verdict }) => verdict))
  if (verdicts.some(({ type }) => type === 'raise')) return true
  const keys = verdicts.map(({ key }) => key)
  return keys.length > 0 && (await hasOpenAlert(store.engine, keys))
}

function judgedOf(event: LoggedEvent) {
  return judge({
    name: event.event_name,
    env: event.env_id,
    actor: event.actor,
    resource: event.resource ?? null,
    data: event.data,
  })
}

async function take(tx: Tx, store: Store, event: LoggedEvent): Promise<NewEvent[]> {
  const at = store.clock.now()
  const events: NewEvent[] = []
  for (const { rule, verdict } of judgedOf(event)) {
    if (verdict.type === 'resolve') {
      const row = await resolveAlert(tx, { key: verdict.key }, { actor: ACTOR, at, note: verdict.why })
      if (row !== null) events.push(alertEvent('resolved', row, at, ACTOR))
      continue
    }
    const { type: _, ...said } = verdict
    const row = await raiseAlert(tx, {
      ...said,
      alert_id: uuidv7(at.getTime()),
      rule,
      raised_by: ACTOR,
      raised_at: at,
      event_id: event.event_id,
      correlation_id: event.correlation_id,
    })
    events.push(alertEvent('raised', row, at, ACTOR))
  }
  return events
}
