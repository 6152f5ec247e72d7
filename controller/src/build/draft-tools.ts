import type { DraftVerbs } from '../api/ports/drafts.ts'
import { fail } from '../lib/error-catalogue.ts'
import { getRun } from '../store/queries/runs.ts'
import type { Store } from '../store/store.ts'
import type { Wakes } from '../store/wakes.ts'
import type { DraftCaller, DraftDesk } from '../tools/ports.ts'
import { remoteVerbs } from './leader-requests.ts'
import type { Parts } from './parts.ts'

/** Drafts as tools do them: in the process that leads, wherever the call is made. */
export function draftsOfTools(store: Store, wakes: Wakes, parts: Parts): DraftDesk {
  const remote = remoteVerbs(store, wakes).drafts
  const verbs = (): DraftVerbs => parts.leader?.verbs.drafts ?? remote
  return {
    save: (draft, { actor, correlationId }) => verbs().save(draft, { actor, correlationId }),
    validate: (id, { actor, correlationId }) => verbs().validate(id, { actor, correlationId }),
    async promote(id, by) {
      await assertMayPromote(store, by)
      const { actor, correlationId } = by
      return verbs().promote(id, { actor, correlationId })
    },
  }
}

/**
 * Whoever may call a tool may not therefore land a change. A blueprint of the state repo may: it was reviewed. An agent may
 * that was given the capability. A person has the API, which asks for the right to approve.
 */
async function assertMayPromote({ engine }: Store, { actor, runId }: DraftCaller): Promise<void> {
  if (actor.startsWith('agent:')) return
  const run = runId === null ? null : await getRun(engine, runId)
  if (run !== null && run.blueprint_uid !== null) return
  throw fail('SW_FORBIDDEN', `${actor} promotes no draft by a call, or in a plan of its own`, {
    remedy: 'promote it as yourself: stateward drafts promote <draft>, or in a blueprint of the state repo',
  })
}
