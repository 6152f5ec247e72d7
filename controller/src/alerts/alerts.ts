import type { EventName, VerbOf } from '../events/catalogue.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { nextAlert } from '../lifecycle/alert.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import {
  type AlertRow,
  acknowledgeAlert,
  alertById,
  type NewAlert,
  raiseAlert,
  resolveAlert,
} from '../store/queries/alerts.ts'
import type { Store } from '../store/store.ts'

interface Caller {
  readonly actor: string
  readonly correlationId: string
}

/** What somebody says when he raises one himself. */
export type Raised = Pick<NewAlert, 'namespace' | 'agent' | 'severity' | 'title' | 'message'> & {
  /** Raised again under the same key, it is the same alert; null = always a new one. */
  readonly key: string | null
}

/** Somebody raises an alert: row and event together. */
export async function raise(tx: Tx, store: Store, said: Raised, { actor, correlationId }: Caller): Promise<AlertRow> {
  const now = store.clock.now()
  const id = uuidv7(now.getTime())
  const row = await raiseAlert(tx, {
    ...said,
    alert_id: id,
    // Under a name of their own, so that nobody resolves what a rule says.
    key: said.key === null ? `alert/${id}` : `manual/${said.namespace}/${said.key}`,
    rule: 'manual',
    raised_by: actor,
    raised_at: now,
    event_id: null,
    correlation_id: correlationId,
  })
  await appendEvents(tx, store, [alertEvent('raised', row, now, actor)])
  return row
}

/** The same again changes nothing. SW_NOT_FOUND, SW_CONFLICT when it is resolved. */
export function acknowledge(tx: Tx, store: Store, id: string, note: string | null, caller: Caller): Promise<AlertRow> {
  return move(tx, store, id, 'acknowledge', note, caller)
}

/** The same again changes nothing. SW_NOT_FOUND. */
export function resolve(tx: Tx, store: Store, id: string, note: string | null, caller: Caller): Promise<AlertRow> {
  return move(tx, store, id, 'resolve', note, caller)
}

async function move(
  tx: Tx,
  store: Store,
  id: string,
  event: 'acknowledge' | 'resolve',
  note: string | null,
  { actor }: Caller,
): Promise<AlertRow> {
  const at = store.clock.now()
  const by = { actor, at, note }
  const moved = event === 'resolve' ? await resolveAlert(tx, { id }, by) : await acknowledgeAlert(tx, id, by)
  if (moved !== null) {
    await appendEvents(tx, store, [alertEvent(event === 'resolve' ? 'resolved' : 'acknowledged', moved, at, actor)])
    return moved
  }
  const row = await alertById(tx, id)
  if (row === null) throw fail('SW_NOT_FOUND', `there is no alert ${id}`)
  if (nextAlert(row.state, event).outcome === 'rejected')
    throw fail('SW_CONFLICT', `alert ${id} is ${row.state}`, { details: { state: row.state } })
  return row
}

/** `stateward.alert.<verb>`. */
export function alertEvent(verb: VerbOf<'stateward.alert'>, row: AlertRow, at: Date, actor: string): NewEvent {
  const { alert_id, key, rule, namespace, agent, severity, title, message, count, note } = row
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.alert.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: namespace,
    actor,
    correlation_id: row.correlation_id,
    resource: { type: 'Alert', id: alert_id },
    data: { alert_id, key, rule, namespace, agent, severity, title, message, count, note },
  }
}
