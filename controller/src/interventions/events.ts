import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewEvent } from '../store/ports.ts'
import type { InterventionRow } from '../store/queries/interventions.ts'

/** Who acts when nobody else does. */
export const CONTROLLER = 'system:controller'

type Subject = Pick<
  InterventionRow,
  'intervention_id' | 'namespace' | 'agent' | 'action' | 'correlation_id' | 'issued_by'
>

/** `stateward.intervention.<verb>`. Its agent finds it by `data.agent` and `data.namespace`. */
export function interventionEvent(
  verb: VerbOf<'stateward.intervention'>,
  row: Subject,
  at: Date,
  actor: string,
  data: JsonObject = {},
): NewEvent {
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.intervention.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: row.namespace,
    actor,
    correlation_id: row.correlation_id,
    resource: { type: 'Intervention', id: row.intervention_id },
    data: {
      intervention_id: row.intervention_id,
      namespace: row.namespace,
      agent: row.agent,
      action: row.action,
      ...data,
    },
  }
}
