import type { Tx } from '../store/database.ts'
import type { NewEvent } from '../store/ports.ts'
import { endIntervention, type InterventionEnd, moveIntervention } from '../store/queries/interventions.ts'
import { interventionEvent } from './events.ts'

/**
 * Interventions that are not in force any more, whatever ended them; the events go to the log last, with those of the
 * caller. What was merged still holds, by Git, so an agent that has not answered is still asked; everything else is over for it.
 */
export async function endInterventions(
  tx: Tx,
  ends: readonly { readonly id: string; readonly why: InterventionEnd }[],
  by: { readonly at: Date; readonly actor: string },
): Promise<NewEvent[]> {
  const events: NewEvent[] = []
  for (const { id, why } of ends) {
    const row = await endIntervention(tx, id, { at: by.at, why })
    if (row === null) continue
    events.push(interventionEvent('ended', row, by.at, by.actor, { why }))
    if (why === 'merged') continue
    if (await moveIntervention(tx, id, 'expired', { ...by, detail: null }))
      events.push(interventionEvent('expired', row, by.at, by.actor, { detail: null }))
  }
  return events
}
