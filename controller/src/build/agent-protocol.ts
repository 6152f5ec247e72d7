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
import { bindExternal, unbindExternal } from '../agents/external.ts'
import type { AgentIdentity } from '../api/auth/principal.ts'
import type { Caller } from '../api/caller.ts'
import type { AgentProtocol, BindRequest } from '../api/ports/agent-protocol.ts'
import type { ProposalVerbs } from '../api/ports/proposals.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { type JsonObject, valueAt } from '../lib/json.ts'
import type { World } from '../reconcile/world.ts'

export interface RegistrationDeps {
  readonly world: World
  readonly proposals: Pick<ProposalVerbs, 'create'>
}

/** The daemon protocol as the API serves it. */
export function agentProtocol({ fleet }: Agents, { world, proposals }: RegistrationDeps): AgentProtocol {
  const instanceOf = async (agent: AgentIdentity) => {
    const instance = await findInstance(fleet, agent.instanceId)
    if (instance === null) throw fail('SW_UNAUTHENTICATED', 'this instance has ended')
    return instance
  }
  const propose = ({ namespace, agent: name, spec }: BindRequest, caller: Caller) => {
    const environment = world.get(`Environment/${namespace}`)
    const allowed =
      environment !== undefined &&
      !environment.deleting &&
      valueAt(world.effective(environment), '/registration/allowUndeclared') === true
    if (!allowed)
      throw fail('SW_NOT_FOUND', `there is no agent ${name} in namespace ${namespace}`, {
        remedy: `declare it with runtime: {external: {}}, or have environment ${namespace} say registration: {allowUndeclared: true}`,
      })
    const object = {
      ...{ kind: 'Agent', namespace, name },
      spec: { ...spec, runtime: { external: {} } },
      annotations: { 'stateward.dev/origin': 'registered' },
    }
    const reason = `A process registered as ${name}, which is not declared.`
    return proposals.create(object, { folder: 'agents', reason, merge: false }, caller)
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
    async bind(request, caller) {
      const { namespace, agent: name } = request
      const object = world.get(`Agent/${namespace}/${name}`)
      if (object === undefined || object.deleting) return { proposal: await propose(request, caller) }
      const { instanceId, host } = request
      const bound = await bindExternal(fleet, { agentUid: object.uid, instanceId, host }, caller.actor)
      return {
        agent_id: object.uid,
        instance_id: bound.instance.id,
        token: bound.token,
        heartbeat_seconds: parseDuration(String(valueAt(world.effective(object), '/heartbeat/interval'))) / 1000,
        spec: world.effective(object),
        isNew: bound.isNew,
      }
    },
    async unbind(agent) {
      await unbindExternal(fleet, await instanceOf(agent))
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
