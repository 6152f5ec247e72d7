import type { EventName } from '../../events/catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { sqlState } from '../../store/database-errors.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { EnvironmentOf } from '../ports.ts'
import { createRun } from '../start/create.ts'
import type { Triggered } from './trigger-match.ts'

/** Makes the run an event asks for, or says why not; the caller appends the event, last. */
export async function recordTriggered(
  tx: Tx,
  now: Date,
  one: Triggered,
  environmentOf: EnvironmentOf,
): Promise<{ readonly made: string | null; readonly event: NewEvent | null }> {
  if (one.kind === 'refused') {
    const { blueprint, trigger, event, problems } = one
    const data = {
      blueprint: blueprint.name,
      trigger,
      event_id: event.event_id,
      event_name: event.event_name,
      problems,
    }
    return {
      made: null,
      event: triggerEvent('refused', now, event, blueprint.uid, environmentOf(blueprint.namespace).id, data),
    }
  }
  const { request } = one
  const result = await createRun(tx, now, request)
  if (result.kind === 'created') return { made: result.runId, event: result.event }
  // The very same event came by before: that run is what this one asks for.
  if (result.why === 'trigger') return { made: null, event: null }
  const { blueprint, event, dedupeKey, trigger } = request
  const data = {
    blueprint: blueprint.name,
    trigger,
    event_id: event!.id,
    dedupe_key: dedupeKey,
    run: result.name,
    run_id: result.runId,
  }
  const cause = { actor: request.actor, correlation_id: request.correlationId }
  return { made: null, event: triggerEvent('deduplicated', now, cause, blueprint.uid, request.envId, data) }
}

export function triggerEvent(
  verb: 'refused' | 'deduplicated' | 'held',
  now: Date,
  cause: { readonly actor: string; readonly correlation_id: string },
  blueprintUid: string,
  envId: string,
  data: JsonObject,
): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.run.${verb}` satisfies EventName,
    occurred_at: now,
    env_id: envId,
    actor: cause.actor,
    correlation_id: cause.correlation_id,
    resource: { type: 'Blueprint', id: blueprintUid },
    data,
  }
}

/** The database will never take it: a value, a constraint, or a limit of its own is in the way. */
export function isUnstorable(error: unknown): boolean {
  const state = sqlState(error)
  return state !== null && ['22', '23', '54'].some((category) => state.startsWith(category))
}

/** What becomes of a run that cannot be stored. */
export function unstorable(one: Triggered, error: unknown): Triggered {
  if (one.kind === 'refused') return { ...one, problems: [{ message: errorMessage(error) }] }
  return {
    kind: 'refused',
    blueprint: one.request.blueprint,
    trigger: one.request.trigger,
    event: one.event,
    problems: [{ message: `the run could not be stored: ${errorMessage(error)}` }],
  }
}
