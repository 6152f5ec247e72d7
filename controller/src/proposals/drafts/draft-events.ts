import type { EventName, VerbOf } from '../../events/catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { DraftRow } from '../../store/queries/drafts.ts'

type Told = Pick<DraftRow, 'draft_id' | 'proposal_id' | 'kind' | 'namespace' | 'name' | 'revision' | 'run_id'>

/** `stateward.draft.<verb>`. */
export function draftEvent(
  verb: VerbOf<'stateward.draft'>,
  row: Told,
  by: { readonly at: Date; readonly actor: string; readonly correlationId: string },
  more: JsonObject,
): NewEvent {
  const { draft_id: draft, proposal_id: proposal, kind, namespace, name, revision } = row
  return {
    event_id: uuidv7(by.at.getTime()),
    event_name: `stateward.draft.${verb}` satisfies EventName,
    occurred_at: by.at,
    env_id: namespace,
    actor: by.actor,
    correlation_id: by.correlationId,
    run_id: row.run_id,
    resource: { type: 'Draft', id: draft },
    data: { draft, kind, namespace, name, revision, proposal, ...more },
  }
}
