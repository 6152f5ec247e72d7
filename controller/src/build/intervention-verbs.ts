import type { Caller } from '../api/caller.ts'
import type { InterventionVerbs } from '../api/ports/interventions.ts'
import type { OverrideResult } from '../api/ports/objects.ts'
import { type InterventionRequest, issueIntervention } from '../interventions/issue.ts'
import { InterventionKeeper } from '../interventions/keeper.ts'
import type { InterventionTarget, ProposeEdits } from '../interventions/ports.ts'
import { proposeIntervention } from '../interventions/propose.ts'
import { keyOf, type ObjectRef } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import type { Controller } from '../reconcile/controller.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { interventionById } from '../store/queries/interventions.ts'
import { type ProposingDeps, proposeFor } from './object-proposals.ts'

export interface InterventionDeps extends ProposingDeps {
  readonly world: World
  readonly controller: Controller
  /** Wakes whoever waits for tasks of an agent, in every process. */
  readonly wake: (namespace: string, agent: string) => void
}

export interface LeadersInterventions extends InterventionVerbs {
  readonly keeper: InterventionKeeper
  /** The same as an intervention, in the words of `objects/resume`. */
  resumeAgent(ref: ObjectRef, options: { readonly merge: boolean }, caller: Caller): Promise<OverrideResult>
}

/** Interventions, as the leader makes them: at once in the database, then in the fleet, then as a commit. */
export function interventionVerbs(deps: InterventionDeps): LeadersInterventions {
  const { store, world, controller } = deps
  const propose: ProposeEdits = async (agent, { verb, edits, interventionId, expiresAt, ...options }) => {
    const trailers = [
      `Stateward-Intervention: ${interventionId}`,
      ...(expiresAt === null ? [] : [`Stateward-Expires: ${expiresAt.toISOString()}`]),
    ]
    const made = await proposeFor(deps, existing(world, agent), { verb, edits }, { ...options, trailers })
    return made ?? { branch: null, commit: null }
  }
  const targetOf: InterventionKeeperTarget = (agent) => {
    const object = world.get(keyOf({ kind: 'Agent', ...agent }))
    return object === undefined || object.deleting ? null : targetFrom(world, object)
  }
  const keeper = new InterventionKeeper({ store, targetOf, propose })
  const intervene = async (agent: AgentName, request: InterventionRequest, caller: Caller): Promise<string> => {
    const target = targetFrom(world, existing(world, agent))
    const { to } = request.params
    if (to !== undefined) checkReceiver(world, target, String(to))
    const row = await issueIntervention(store, target, request, caller)
    await controller.overridesChanged([keyOf({ kind: 'Agent', ...agent })])
    deps.wake(agent.namespace, agent.name)
    if (to !== undefined) deps.wake(agent.namespace, String(to))
    if (row.propose_at !== null) await proposeIntervention({ store, propose }, target, row)
    keeper.nudge()
    return row.intervention_id
  }
  return {
    keeper,
    intervene: async (agent, request, caller) => ({ interventionId: await intervene(agent, request, caller) }),
    async resumeAgent({ namespace, name }, { merge }, caller) {
      const request = { action: 'resume', params: {}, reason: 'resumed', expiresAt: null, merge } as const
      const id = await intervene({ namespace, name }, request, caller)
      const { branch, commit } = (await interventionById(store.engine, id))!
      return { branch, commit, merged: merge && commit !== null }
    },
  }
}

type AgentName = { readonly namespace: string; readonly name: string }
type InterventionKeeperTarget = (agent: AgentName) => InterventionTarget | null

function targetFrom(world: World, object: WorldObject): InterventionTarget {
  const { uid, namespace, name, spec } = object
  const { constraints } = world.effective(object)
  return { uid, namespace, name, spec, constraints: isObject(constraints) ? (constraints as JsonObject) : {} }
}

function existing(world: World, { namespace, name }: AgentName): WorldObject {
  const object = world.get(keyOf({ kind: 'Agent', namespace, name }))
  if (object === undefined || object.deleting) throw fail('SW_NOT_FOUND', `there is no agent ${namespace}/${name}`)
  return object
}

function checkReceiver(world: World, { namespace, name }: InterventionTarget, to: string): void {
  if (to === name) throw fail('SW_CONFLICT', 'the tasks of an agent cannot be redirected to itself')
  const receiver = existing(world, { namespace, name: to })
  const { suspend, replicas } = world.effective(receiver)
  if (suspend === true || replicas === 0)
    throw fail(
      'SW_CONFLICT',
      `agent ${namespace}/${to} takes no tasks: it is ${suspend === true ? 'paused' : 'stopped'}`,
    )
}
