import type { Route } from '../../http/route.ts'
import { acknowledgeIntervention } from './answer-intervention.ts'
import { constrainAgent, pauseAgent, redirectAgent, resumeAgent, terminateAgent } from './intervene.ts'
import { listInterventions, readIntervention } from './read-interventions.ts'

/** What is done to agents at once, what became of it, and what they say to it. */
export const INTERVENTION_ROUTES: readonly Route[] = [
  pauseAgent,
  resumeAgent,
  terminateAgent,
  redirectAgent,
  constrainAgent,
  listInterventions,
  readIntervention,
  acknowledgeIntervention,
]
