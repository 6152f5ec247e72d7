import type { Route } from '../../http/route.ts'
import { readAgentMetrics, readAgentsSummary } from './agent-metrics.ts'
import { completeTask } from './complete-task.ts'
import { heartbeatAgent } from './heartbeat-agent.ts'
import { pickupTasks } from './pickup-tasks.ts'
import { createAgent, deleteAgent, updateAgent } from './propose-agent.ts'
import { listAgentHealth, listAgents, readAgent, readAgentHealth } from './read-agents.ts'
import { deregisterAgent, registerAgent } from './register-agent.ts'
import { endAgent, listSpawnedAgents, spawnAgent } from './spawn-agent.ts'

/** The daemon protocol, which a running instance of an agent speaks with its own token, and agents as those see them who want them. */
export const AGENT_ROUTES: readonly Route[] = [
  registerAgent,
  deregisterAgent,
  heartbeatAgent,
  pickupTasks,
  completeTask,
  listAgents,
  readAgent,
  listAgentHealth,
  readAgentHealth,
  readAgentMetrics,
  readAgentsSummary,
  spawnAgent,
  endAgent,
  listSpawnedAgents,
  createAgent,
  updateAgent,
  deleteAgent,
]
