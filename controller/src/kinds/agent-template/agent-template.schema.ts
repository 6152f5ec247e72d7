import { statusOf } from '../status-parts.ts'

export { agentTemplateSpec } from '../agent/agent.schema.ts'

export const agentTemplateStatus = statusOf({})
