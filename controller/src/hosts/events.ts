import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewEvent } from '../store/ports.ts'

/** Who acts when nobody else does. */
const CONTROLLER = 'system:controller'

/** Who asks for something, and the id that ties what follows together. */
export interface Caller {
  readonly actor: string
  readonly correlationId: string
}

/** `stateward.host.<verb>` about one host. */
export function hostEvent(
  verb: VerbOf<'stateward.host'>,
  host: string,
  at: Date,
  data: JsonObject,
  caller: Partial<Caller> = {},
): NewEvent {
  const id = uuidv7(at.getTime())
  return {
    event_id: id,
    event_name: `stateward.host.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: 'default',
    actor: caller.actor ?? CONTROLLER,
    correlation_id: caller.correlationId ?? id,
    resource: { type: 'Host', id: host },
    data,
  }
}
