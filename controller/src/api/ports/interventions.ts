import type { JsonObject } from '../../lib/json.ts'
import type { InterventionAction, InterventionRow } from '../../store/queries/interventions.ts'
import type { AgentIdentity } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'

export interface InterventionVerbs {
  /**
   * Pauses, resumes, terminates, redirects or constrains an agent; it counts when this resolves, in every process. SW_NOT_FOUND:
   * no such agent. SW_CONFLICT: nothing to resume, or the tasks cannot go there.
   */
  intervene(
    agent: { readonly namespace: string; readonly name: string },
    request: {
      readonly action: InterventionAction
      /** Of redirect {to?, goal?}, of constrain {constraints}. */
      readonly params: JsonObject
      readonly reason: string
      readonly expiresAt: Date | null
      readonly merge: boolean
    },
    caller: Caller,
  ): Promise<{ readonly interventionId: string }>
}

export interface InterventionAnswers {
  /** What an instance says of an intervention on its agent. SW_NOT_FOUND, SW_CONFLICT when it is over or was answered otherwise. */
  answer(
    agent: AgentIdentity,
    answer: {
      readonly interventionId: string
      readonly state: 'acknowledged' | 'applied' | 'rejected'
      readonly detail: string | null
    },
  ): Promise<InterventionRow>
}
