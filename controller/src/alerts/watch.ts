import { uuidv7 } from '../lib/ids.ts'
import type { Tx } from '../store/database.ts'
import { consumeLog, type LogConsumer, PORTION } from '../store/log-consumer.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import { hasOpenAlert, raiseAlert, resolveAlert } from '../store/queries/alerts.ts'
import { readNamedBehind } from '../store/queries/consumers.ts'
import type { Store } from '../store/store.ts'
import { alertEvent } from './alerts.ts'
import { judge, RULED_EVENTS } from './rules.ts'

const ACTOR = 'system:alerts'
/** Raises and resolves alerts by what the log says; each event counts once. The leader's alone. */
export function watchForAlerts(store: Store): LogConsumer {
  return consumeLog(store, {
    name: 'alerts',
    failed: 'events could not be checked for alerts; it is tried again',
    async read(after) {
      const { head, events } = await readNamedBehind(store.engine, { after, names: RULED_EVENTS, limit: PORTION })
      const takeAll = async (tx: Tx) => {
        const written: NewEvent[] = []
        for (const event of events) written.push(...(await take(tx, store, event)))
        return written
      }
      return { head, events, write: (await changesAlerts(store, events)) ? takeAll : null }
    },
  })
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
