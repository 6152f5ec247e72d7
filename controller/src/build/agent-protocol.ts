import type { Agents } from '../agents/agents.ts'
import {
  authenticate,
  complete,
  findInstance,
  heartbeat,
  PROTOCOL,
  pickup,
  register,
} from '../agents/daemon-protocol.ts'
import type { AgentIdentity } from '../api/auth/principal.ts'
import type { AgentProtocol } from '../api/ports.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'

/** The daemon protocol as the API serves it. */
export function agentProtocol({ fleet }: Agents): AgentProtocol {
  const instanceOf = async (agent: AgentIdentity) => {
    const instance = await findInstance(fleet, agent.instanceId)
    if (instance === null) throw fail('SW_UNAUTHENTICATED', 'this instance has ended')
    return instance
  }
  return {
    async authenticate(token) {
      const instance = await authenticate(fleet, token)
      if (instance === null) return null
      return {
        type: 'agent',
        name: `agent:${instance.namespace}/${instance.agent}`,
        instanceId: instance.id,
        agentUid: instance.agent_uid,
        namespace: instance.namespace,
        agent: instance.agent,
      }
    },
    async register(agent) {
      const { spec, ...rest } = await register(fleet, await instanceOf(agent), {
        instance_id: agent.instanceId,
        protocol: PROTOCOL,
      })
      return { ...rest, spec: spec as unknown as JsonObject }
    },
    async heartbeat(agent, report) {
      const answer = await heartbeat(fleet, await instanceOf(agent), { instance_id: agent.instanceId, ...report })
      return { interventions: answer.interventions as readonly JsonObject[], drain: answer.drain }
    },
    async pickup(agent, { max, waitMs, signal }) {
      const found = await pickup(
        fleet,
        await instanceOf(agent),
        { instance_id: agent.instanceId, max, wait_seconds: waitMs / 1000 },
        signal,
      )
      return found === null
        ? { interventions: [], tasks: [] }
        : { interventions: found.interventions as readonly JsonObject[], tasks: found.tasks }
    },
    async complete(agent, { taskId, error, ...report }) {
      return await complete(fleet, await instanceOf(agent), taskId, { ...report, ...(error === null ? {} : { error }) })
    },
  }
}
