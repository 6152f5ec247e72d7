import { fail } from '../lib/error-catalogue.ts'
import { type InterventionEvent, nextIntervention } from '../lifecycle/intervention.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { daemonsToHearFrom, saveReceipt } from '../store/queries/intervention-receipts.ts'
import {
  type InterventionRow,
  interventionById,
  lockIntervention,
  moveIntervention,
} from '../store/queries/interventions.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { interventionEvent } from './events.ts'

/** What an instance says of an intervention: it has it, it has done as it says, or it will not. */
export type Answer = 'acknowledged' | 'applied' | 'rejected'

const EVENTS: Readonly<Record<Answer, InterventionEvent>> = {
  acknowledged: 'acknowledge',
  applied: 'apply',
  rejected: 'refuse',
}

/**
 * An instance answers. The intervention is acknowledged with the first answer, applied when every living instance says so,
 * rejected when one refuses; what the platform itself withholds does not depend on it. The same answer again changes
 * nothing. SW_NOT_FOUND for what is not this agent's, SW_CONFLICT when it is over or was answered otherwise.
 */
export async function answerIntervention(
  store: Store,
  instance: { readonly instanceId: string; readonly agentUid: string; readonly name: string },
  answer: { readonly interventionId: string; readonly state: Answer; readonly detail: string | null },
): Promise<InterventionRow> {
  const { interventionId: id, state, detail } = answer
  await transact(store, async (tx) => {
    const row = await lockIntervention(tx, id)
    if (row === null || row.agent_uid !== instance.agentUid)
      throw fail('SW_NOT_FOUND', `there is no intervention ${id} on ${instance.name}`)
    const at = store.clock.now()
    const { outcome } = nextIntervention(row.state, EVENTS[state])
    if (outcome === 'rejected')
      throw fail('SW_CONFLICT', `intervention ${id} is ${row.state}`, { details: { state: row.state } })
    await saveReceipt(tx, { interventionId: id, instanceId: instance.instanceId, state, at })
    if (outcome !== 'moved') return
    const waits = state === 'applied' && (await daemonsToHearFrom(tx, id, row.agent_uid)) > 0
    const to = waits ? 'acknowledged' : state
    const events: NewEvent[] = []
    if (await moveIntervention(tx, id, to, { at, actor: instance.name, detail }))
      events.push(interventionEvent(to, row, at, instance.name, { detail }))
    if (events.length > 0) await appendEvents(tx, store, events)
  })
  return (await interventionById(store.engine, id))!
}
