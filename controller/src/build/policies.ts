import type { EnvValue } from '../expressions/values.ts'
import type { PolicySpec } from '../kinds/policy/policy.schema.ts'
import type { JsonObject } from '../lib/json.ts'
import { type Autonomy, type AutonomyOfAgent, autonomyGate } from '../policy/autonomy.ts'
import type { PolicyVersion } from '../policy/evaluate/compile.ts'
import type { PolicyEnvironment, PolicyRequest, PolicySubject } from '../policy/evaluate/request.ts'
import { compileSubjects } from '../policy/evaluate/subjects.ts'
import { compileWindows, type SyncWindows } from '../policy/evaluate/sync-window.ts'
import type { Verdict } from '../policy/evaluate/verdict.ts'
import { PolicyBook } from '../policy/policy-book.ts'
import { createPolicyEngine, evaluatedEvent, type RecordingEngine } from '../policy/policy-engine.ts'
import type { TreasuryPolicy } from '../policy/treasury-watch.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import type { AutonomyCall, PolicyAnswer, PolicyQuestion, RunPolicies } from '../runs/ports.ts'
import type { DecisionRow } from '../store/journal.ts'
import type { Store } from '../store/store.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type People, peopleOf } from './people.ts'
import { standingOf } from './world-views.ts'

/** The policies of the accepted state, and what they need to know of who asks and of what it is about. */
export interface Policies {
  readonly engine: RecordingEngine
  readonly ofRuns: RunPolicies
  /** When changes are applied, as policies of type window say; null = there are none. */
  readonly windows: () => SyncWindows | null
  /** Those of type treasury, and since when they are in force. */
  readonly treasury: () => readonly TreasuryPolicy[]
  /** A question with everything in it that the world knows. */
  request(question: WorldQuestion): PolicyRequest
}

export type WorldQuestion = Omit<PolicyRequest, 'subject' | 'env' | 'resource'> & {
  readonly actor: string
  /** Of his credential, where it is known. */
  readonly roles?: readonly string[]
  readonly resource: Omit<PolicyRequest['resource'], 'labels'>
  /** Where it happens; default: the namespace of the resource. */
  readonly namespace?: string
  /** Of what does not exist yet. */
  readonly labels?: Readonly<Record<string, string>>
}

export function openPolicies(
  store: Store,
  world: World,
  environments: (namespace: string) => EnvValue,
  log: Logger,
): Policies {
  const book = new PolicyBook({ version: () => world.version, active: () => activePolicies(world, 'governance') }, log)
  const engine = createPolicyEngine(store, book)
  const people = peopleOf(world)
  const request = ({ actor, roles, resource, namespace, labels, ...rest }: WorldQuestion): PolicyRequest => ({
    ...rest,
    subject: subjectOf(people, actor, roles),
    resource: { ...resource, labels: labels ?? labelsOf(world, resource) },
    env: environmentOf(environments(namespace ?? resource.namespace ?? 'default')),
  })
  return {
    engine,
    request,
    windows: windowsOf(world),
    treasury: () => treasuryPolicies(world),
    ofRuns: policiesOfRuns(engine, request, world, people),
  }
}

/** The policies of a type that are in force. */
export function activePolicies(world: World, type: NonNullable<PolicySpec['type']>): PolicyVersion[] {
  return [...world.ofKind('Policy').values()]
    .filter((object) => !object.deleting && world.effective(object)['suspend'] !== true)
    .filter((object) => (object.spec['type'] ?? 'governance') === type)
    .map((object) => ({
      namespace: object.namespace,
      name: object.name,
      version: object.generation,
      uid: object.uid,
      spec: object.spec as unknown as PolicySpec,
    }))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
}

function treasuryPolicies(world: World): TreasuryPolicy[] {
  return activePolicies(world, 'treasury').map((policy) => {
    const object = world.get(`Policy/${policy.namespace}/${policy.name}`)
    return { ...policy, since: object?.specResourceVersion ?? 0 }
  })
}

/** When changes are applied; compiled when what was accepted has changed. */
export function windowsOf(world: World): () => SyncWindows | null {
  let version = -1
  let windows: SyncWindows | null = null
  return () => {
    if (version !== world.version) {
      version = world.version
      const policies = activePolicies(world, 'window')
      windows = policies.length === 0 ? null : compileWindows(policies)
    }
    return windows
  }
}

/**
 * Who asks, with the agents above an agent. The roles of a person are those of his Principal and of his credential; of one
 * whom neither says anything of, those of whoever holds the admin credential.
 */
function subjectOf(people: People, actor: string, ofCredential: readonly string[] = []): PolicySubject {
  const known = people.identities().standing(actor, ofCredential)
  const roles = known.roles.length + known.teams.length > 0 ? known.roles : standingOf(actor).roles
  const isAgent = actor.startsWith('agent:')
  return {
    principal: actor,
    roles: isAgent ? ['agent', ...roles] : roles,
    teams: known.teams,
    lineage: isAgent ? people.lineage([actor]).above : [],
  }
}

const KINDS: Readonly<Record<string, string>> = { blueprint: 'Blueprint', tool: 'Tool', agent: 'Agent', host: 'Host' }

function labelsOf(
  world: World,
  { type, namespace, name }: WorldQuestion['resource'],
): Readonly<Record<string, string>> {
  const kind = KINDS[type]
  if (kind === undefined) return {}
  return world.get(namespace === null ? `${kind}/${name}` : `${kind}/${namespace}/${name}`)?.labels ?? {}
}

function environmentOf({ id, stage, class: of }: EnvValue): PolicyEnvironment {
  return { id, stage: stage as PolicyEnvironment['stage'], class: of as PolicyEnvironment['class'] }
}

function policiesOfRuns(
  engine: RecordingEngine,
  request: (question: WorldQuestion) => PolicyRequest,
  world: World,
  people: People,
): RunPolicies {
  const facts = autonomyFacts(world)
  return {
    asks: (namespace) => engine.asks(namespace),
    ask(run, question, stepId, at) {
      const { resource, ...rest } = question
      const asked = request({ ...rest, actor: run.actor, resource: { ...resource, namespace: run.namespace }, at })
      const about = { correlationId: run.correlation_id, runId: run.run_id, stepId }
      const { verdict, row } = engine.ask(asked, about)
      const event = row === null || row.effect === 'allow' ? null : evaluatedEvent(row)
      return { answer: answerOf(question, verdict, row), record: row === null ? null : { row, event } }
    },
    meets({ min, fromAnyOf }, namespace, approvers) {
      const humans = approvers.filter((actor) => !actor.startsWith('agent:'))
      const isOne = fromAnyOf.length === 0 ? () => true : compileSubjects(fromAnyOf, namespace)
      return humans.filter((actor) => isOne(subjectOf(people, actor))).length >= min
    },
    autonomy: (run, call) => autonomyApproval(facts, run, call),
  }
}

function autonomyApproval(
  facts: AutonomyFacts,
  { namespace, actor }: { readonly namespace: string; readonly actor: string },
  { tool, name, agents }: AutonomyCall,
): ReturnType<RunPolicies['autonomy']> {
  const own = `agent:${namespace}/`
  const behind = [...agents(), ...(actor.startsWith(own) ? [actor.slice(own.length)] : [])]
  const environment = facts.environment(namespace)
  if (behind.length === 0 && environment === null) return null
  const gate = autonomyGate({
    tool: name === tool.name ? [name] : [tool.name, name],
    risk: tool.risk ?? 'high',
    sideEffects: tool.withoutEffects === true ? 'none' : (tool.sideEffects ?? 'irreversible'),
    environment,
    agents: [...new Set(behind)].map((agent) => facts.agent(namespace, agent)),
  })
  if (gate === null) return null
  const { by, reason, always } = gate
  const approvals = [{ min: 1, fromAnyOf: [] }]
  return { approval: { kind: 'approval', by, reason, question: `call ${tool.name}`, approvals }, always }
}

/** What environments and agents say of autonomy; read once for each change of what was accepted. */
interface AutonomyFacts {
  environment(namespace: string): Autonomy | null
  agent(namespace: string, name: string): AutonomyOfAgent
}

function autonomyFacts(world: World): AutonomyFacts {
  let version = -1
  const environments = new Map<string, Autonomy | null>()
  const agents = new Map<string, AutonomyOfAgent>()
  const look = (): void => {
    if (version === world.version) return
    version = world.version
    environments.clear()
    agents.clear()
  }
  return {
    environment(namespace) {
      look()
      let found = environments.get(namespace)
      if (found === undefined) {
        found = autonomyOf(world.get(`Environment/${namespace}`), world)
        environments.set(namespace, found)
      }
      return found
    },
    agent(namespace, name) {
      look()
      const key = `${namespace}/${name}`
      let found = agents.get(key)
      if (found === undefined) {
        const object = world.get(`Agent/${key}`)
        const globs = object === undefined ? undefined : world.effective(object)['requireApproval']
        const requireApproval = Array.isArray(globs) ? globs.map(String) : []
        found = { name, autonomy: autonomyOf(object, world), requireApproval }
        agents.set(key, found)
      }
      return found
    },
  }
}

function autonomyOf(object: WorldObject | undefined, world: World): Autonomy | null {
  if (object === undefined || object.deleting) return null
  return (world.effective(object)['autonomy'] as Autonomy | undefined) ?? null
}

function answerOf(question: PolicyQuestion, verdict: Verdict, row: DecisionRow | null): PolicyAnswer {
  const { effect, reason, requirements } = verdict
  const by = nameOf(verdict)
  if (effect === 'allow') return { kind: 'allow', by: verdict.policy === null ? null : by }
  if (effect === 'deny') {
    return { kind: 'deny', action: question.action, by, reason, details: detailsOf(verdict, row?.decision_id ?? null) }
  }
  return { kind: 'approval', by, reason, question: questionText(question), approvals: requirements.approvals }
}

/** `policy default/production (version 3), rule needs-owner`. */
export function nameOf({ policy, rule }: Verdict): string {
  return policy === null
    ? 'no policy'
    : `policy ${policy.namespace}/${policy.name} (version ${policy.version}), rule ${rule}`
}

export function detailsOf({ policy, rule }: Verdict, decisionId: string | null): JsonObject {
  return {
    policy: policy === null ? null : `${policy.namespace}/${policy.name}`,
    version: policy?.version ?? null,
    rule,
    decision_id: decisionId,
  }
}

function questionText({ point, action, resource }: PolicyQuestion): string {
  switch (point) {
    case 'run_admission':
      return `start a run of ${resource.name === '' ? 'a plan of its own' : resource.name}`
    case 'tool_call':
      return `call ${action}`
    default:
      return `begin ${action}`
  }
}
