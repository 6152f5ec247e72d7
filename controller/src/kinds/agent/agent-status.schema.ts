import Type from 'typebox'
import { anyObject, choice, integer, list, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

export const AGENT_PHASES = ['Pending', 'Starting', 'Running', 'Paused', 'Failed', 'Stopped'] as const
export type AgentPhase = (typeof AGENT_PHASES)[number]

const count = (description: string) => integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const instance = Type.Object(
  {
    id: text({ description: 'Id of the instance.' }),
    ordinal: Type.Optional(count('Which replica it is, from 0.')),
    host: text({ description: 'The host it runs on.' }),
    pid: Type.Optional(count('Its process id on that host.')),
    startedAt: Type.Optional(text({ description: 'When it was started.', maxLength: 64 })),
    lastHeartbeatTime: Type.Optional(text({ description: 'When it reported last.', maxLength: 64 })),
    restartCount: Type.Optional(count('How often this replica was started again.')),
    currentTask: Type.Optional(text({ description: 'The task it works on.' })),
  },
  { description: 'One instance.' },
)

export const agentStatus = statusOf({
  phase: Type.Optional(
    choice(AGENT_PHASES, { description: 'The state in one word, for people; programs read the conditions.' }),
  ),
  replicas: Type.Optional(count('Instances that exist.')),
  readyReplicas: Type.Optional(count('Instances that run and report.')),
  instances: Type.Optional(list(instance, { description: 'The instances.', maxItems: 100, unique: ['id'] })),
  usage: Type.Optional(anyObject({ description: 'Counters: tasksCompleted, tasksFailed.' })),
})
