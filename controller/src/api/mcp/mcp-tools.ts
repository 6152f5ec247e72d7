import type { Principal } from '../auth/principal.ts'

/** A tool of the MCP server: one route of the API under a name that every model provider takes. */
export interface McpTool {
  readonly name: string
  readonly operation: string
  /** It changes nothing. Default: what the method of its route says. */
  readonly readOnly?: boolean
  /** What it does cannot be undone by the same means. */
  readonly destructive?: boolean
  /** Parts of the request that follow from the credential of an agent; an agent is not asked for them. */
  readonly filled?: (agent: Extract<Principal, { type: 'agent' }>) => Readonly<Record<string, string>>
  /** What is answered where the route answers nothing (204). */
  readonly nothing?: Readonly<Record<string, unknown>>
}

/** In the order in which they are listed. Everything else about a tool is taken from its route. */
export const MCP_TOOLS: readonly McpTool[] = [
  { name: 'messages_send', operation: 'sendMessage' },
  { name: 'messages_read', operation: 'pollMessages' },
  { name: 'messages_ack', operation: 'ackMessage' },
  { name: 'messages_search', operation: 'searchMessages' },
  {
    name: 'tasks_pickup',
    operation: 'pickupTasks',
    filled: ({ agentUid, instanceId }) => ({ agent: agentUid, instance_id: instanceId }),
    nothing: { interventions: [], tasks: [] },
  },
  { name: 'tasks_report', operation: 'completeTask' },
  { name: 'tasks_create', operation: 'createTask' },
  { name: 'tasks_list', operation: 'listTasks' },
  { name: 'tasks_get', operation: 'readTask' },
  { name: 'proposals_propose', operation: 'createProposal' },
  { name: 'proposals_list', operation: 'listProposals' },
  { name: 'proposals_show', operation: 'readProposal' },
  { name: 'proposals_plan', operation: 'planOfProposal' },
  { name: 'runs_start', operation: 'startRun' },
  { name: 'runs_list', operation: 'listRuns' },
  { name: 'runs_get', operation: 'readRun' },
  { name: 'runs_steps', operation: 'listSteps' },
  { name: 'runs_cancel', operation: 'cancelRun', destructive: true },
  { name: 'work_list', operation: 'listWorkItems' },
  { name: 'work_get', operation: 'readWorkItem' },
  { name: 'work_create', operation: 'createWorkItem' },
  { name: 'artifacts_list', operation: 'listArtifacts' },
  { name: 'artifacts_get', operation: 'readArtifact' },
  { name: 'events_list', operation: 'listEvents' },
  { name: 'events_emit', operation: 'emitEvent' },
  { name: 'agents_list', operation: 'listAgents' },
  { name: 'alerts_list', operation: 'listAlerts' },
  { name: 'costs_list', operation: 'listCosts' },
  { name: 'costs_summary', operation: 'summarizeCosts' },
  { name: 'costs_record', operation: 'recordCost' },
  { name: 'why', operation: 'whyObject' },
]
