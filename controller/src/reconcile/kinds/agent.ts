import type { AgentTarget } from '../../agents/agent-target.ts'
import type { AgentObservation } from '../../agents/observation.ts'
import type { AgentSpec, PodRuntime } from '../../kinds/agent/agent.schema.ts'
import { launchSpec } from '../../kinds/agent/launch-spec.ts'
import { isFromCluster } from '../../kinds/cluster-origin.ts'
import { API_VERSION } from '../../kinds/definition.ts'
import { keyOf } from '../../kinds/resource.ts'
import { digestOf } from '../../lib/digest.ts'
import { isObject, type JsonObject, valueAt } from '../../lib/json.ts'
import { done, type Outcome } from '../runtime/outcome.ts'
import type { KindReconciler, Phase, ReconcileContext } from '../runtime/reconciler.ts'
import type { World, WorldObject } from '../world.ts'

export interface AgentReconcilerDeps {
  readonly ensure: (target: AgentTarget) => Promise<AgentObservation>
  /** The tree id of a directory of the state repo at the revision the object was applied from; null when it is not there. */
  readonly treeOf: (object: WorldObject, path: string) => Promise<string | null>
  /** Keeps the instructions of an agent that is a model; false = the file is not in the state repo. */
  readonly keepPrompt: (object: WorldObject, path: string) => Promise<boolean>
  /** Which model would be asked first for an agent that is one, or why none is. */
  readonly whoAnswers: (
    object: WorldObject,
    spec: JsonObject,
  ) => { readonly text: string; readonly problem: string | null }
  /** Whether instances run under another OS user than the controller. */
  readonly isolated: boolean
  /** Somebody asked that what ended by itself is started again, whatever `driftMode` says. */
  readonly isEnforced: (agentUid: string) => boolean
}

const LOOK_AGAIN_MS = 5_000

function isModel(spec: JsonObject): boolean {
  return isObject(valueAt(spec, '/runtime/model'))
}

/** A model is asked by whoever has a task for it: nothing is started here; its instructions are kept where every process finds them. */
async function ensureModel(context: ReconcileContext, deps: AgentReconcilerDeps): Promise<Outcome> {
  const { object, spec, suspended, fields, conditions } = context
  const replicas = Number(spec['replicas'])
  const path = valueAt(spec, '/runtime/model/systemPromptFrom/path')
  if (typeof path === 'string' && !(await deps.keepPrompt(object, path)))
    return { kind: 'stalled', reason: 'ReferenceNotFound', message: `${path} is not there` }
  fields['phase'] = suspended ? 'Paused' : replicas === 0 ? 'Stopped' : 'Running'
  fields['replicas'] = replicas
  fields['readyReplicas'] = suspended ? 0 : replicas
  fields['instances'] = []
  const who = deps.whoAnswers(object, spec)
  const message =
    who.problem ?? `takes up to ${replicas === 1 ? '1 task' : `${replicas} tasks`} at once; ${who.text} answers`
  conditions.set(
    'Healthy',
    who.problem === null ? 'True' : 'False',
    who.problem === null ? 'Succeeded' : 'DependencyNotReady',
    message,
  )
  context.ready = { reason: 'Succeeded', message }
  return who.problem === null || suspended
    ? { kind: 'done', again: 60_000 }
    : { kind: 'waiting', reason: 'DependencyNotReady', message, after: LOOK_AGAIN_MS }
}

/** An agent: as many processes as wanted, of the wanted revision, and what they report. */
export function agentReconciler(deps: AgentReconcilerDeps): KindReconciler {
  const ensureInstances: Phase = async (context) => {
    const observation = await deps.ensure(await targetOf(context, deps))
    reportInstances(context, observation)
    reportIsolation(context, deps)
    return outcomeOf(observation)
  }
  return {
    kind: 'Agent',
    phases: [(context) => (isModel(context.spec) ? ensureModel(context, deps) : ensureInstances(context))],
    finalize: async (context) => {
      if (isModel(context.spec)) return done
      const observation = await deps.ensure(await targetOf(context, deps))
      reportInstances(context, observation)
      if (observation.gone) return done
      return { kind: 'waiting', reason: 'Terminating', message: observation.ready.message, after: 1_000 }
    },
  }
}

async function targetOf(
  { object, spec, suspended, world }: ReconcileContext,
  deps: AgentReconcilerDeps,
): Promise<AgentTarget> {
  const workdir = valueAt(spec, isPod(spec) ? '/runtime/pod/workdir' : '/runtime/process/workdir')
  const filesTree = typeof workdir === 'string' ? await deps.treeOf(object, workdir) : null
  return agentTargetOf(object, spec, { world, suspended, filesTree, isEnforced: deps.isEnforced(object.uid) })
}

/** An accepted agent as it is wanted; `spec` is the effective one. */
export function agentTargetOf(
  object: WorldObject,
  spec: JsonObject,
  {
    world,
    suspended,
    filesTree,
    isEnforced = false,
  }: Pick<AgentTarget, 'suspended' | 'filesTree'> & { readonly world: World; readonly isEnforced?: boolean },
): AgentTarget {
  const project = valueAt(spec, '/projectRef/name')
  const shared =
    typeof project === 'string' &&
    world.get(keyOf({ kind: 'Project', namespace: object.namespace, name: project }))?.spec['sharedFolder'] === true
  return {
    uid: object.uid,
    namespace: object.namespace,
    name: object.name,
    launchDigest: digestOf({ spec: launchSpec(spec), filesTree }),
    // What ended by itself is left as it is: only a commit changes it.
    spec: (isEnforced || driftMode(object) === 'enforce'
      ? spec
      : { ...spec, restartPolicy: 'Never' }) as unknown as AgentSpec,
    ...(isExternal(spec) ? externalPart(spec) : {}),
    ...(isPod(spec) ? podPart(spec) : {}),
    ...(isOwner(object, spec) ? { resource: ownerOf(object) } : {}),
    suspended,
    terminated: isTerminated(world, object),
    deleting: object.deleting,
    filesTree,
    ...(shared ? { projectSharedFolder: project as string } : {}),
  }
}

/** By an intervention; once Git itself says `replicas: 0` it is scaled to nothing like any other. */
function isTerminated(world: World, object: WorldObject): boolean {
  return world
    .overrides(keyOf(object))
    .some(({ path, value, intervention_id }) => path === '/spec/replicas' && value === 0 && intervention_id !== null)
}

function isExternal(spec: JsonObject): boolean {
  return isObject(valueAt(spec, '/runtime/external'))
}

function externalPart(spec: JsonObject): Pick<AgentTarget, 'spec' | 'external'> {
  const process = { command: [], mode: 'daemon', stdin: 'json' }
  return { spec: { ...spec, runtime: { process } } as unknown as AgentSpec, external: true }
}

/** What it makes goes with the custom resource that declares it, unless it is to stay. */
function isOwner({ file }: WorldObject, spec: JsonObject): boolean {
  return isFromCluster(file) && spec['deletionPolicy'] !== 'Orphan'
}

function ownerOf({ name, uid }: WorldObject) {
  return { apiVersion: API_VERSION, kind: 'Agent', name, uid }
}

function isPod(spec: JsonObject): boolean {
  return isObject(valueAt(spec, '/runtime/pod'))
}

/** Its environment, its mode and what its commands read are looked up like those of processes. */
function podPart(spec: JsonObject): Pick<AgentTarget, 'spec' | 'pod'> {
  const pod = valueAt(spec, '/runtime/pod') as unknown as PodRuntime
  const { mode, stdin, env } = pod
  const process = { command: [], mode, stdin, ...(env === undefined ? {} : { env }) }
  return { spec: { ...spec, runtime: { process } } as unknown as AgentSpec, pod }
}

function reportInstances(context: ReconcileContext, observation: AgentObservation): void {
  const { conditions, fields } = context
  const { phase, replicas, readyReplicas, instances, ready } = observation
  fields['phase'] = phase
  fields['replicas'] = replicas
  fields['readyReplicas'] = readyReplicas
  // Pids, times and counters change by themselves: readers get them from the instances, no status write carries them.
  fields['instances'] = instances.map(({ id, host }) => ({ id, host }))
  conditions.set('Healthy', ready.status, ready.reason, ready.message)
  context.ready = { reason: 'Succeeded', message: ready.message }
}

/** `enforce` (the default) brings back what ended, `warn` says so, `off` says nothing. */
export function driftMode({ annotations }: WorldObject): string {
  return annotations['stateward.dev/driftMode'] ?? 'enforce'
}

function reportIsolation({ conditions, spec }: ReconcileContext, deps: AgentReconcilerDeps): void {
  if (isPod(spec))
    conditions.set('Isolated', 'True', 'Succeeded', 'its pods run without root, capabilities and a writable image')
  else if (deps.isolated) conditions.set('Isolated', 'True', 'Succeeded', 'its processes run under a user of their own')
  else
    conditions.set(
      'Isolated',
      'False',
      'ProcessOwnUser',
      "its processes run under the controller's user and could read its files; docs/operations.md says what isolates them",
    )
}

function outcomeOf({ ready }: AgentObservation): Outcome {
  if (ready.status === 'True' || ready.reason === 'Suspended') return done
  return { kind: 'waiting', reason: ready.reason, message: ready.message, after: LOOK_AGAIN_MS }
}
