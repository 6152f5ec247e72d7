import type { Route } from '../../http/route.ts'
import { completeTask } from './complete-task.ts'
import { heartbeatAgent } from './heartbeat-agent.ts'
import { pickupTasks } from './pickup-tasks.ts'
import { registerAgent } from './register-agent.ts'

/** The daemon protocol: what a running instance of an agent calls with its own token. */
export const AGENT_ROUTES: readonly Route[] = [registerAgent, heartbeatAgent, pickupTasks, completeTask]
