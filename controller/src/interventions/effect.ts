import { fail } from '../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { InterventionAction } from '../store/queries/interventions.ts'
import type { OverrideRow } from '../store/queries/overrides.ts'
import type { InterventionTarget, SpecEdit } from './ports.ts'

const SUSPEND = '/spec/suspend'
const REPLICAS = '/spec/replicas'
const CONSTRAINTS = '/spec/constraints'
const GOAL = '/spec/goal'

/** What an intervention changes at once. */
export interface Effect {
  readonly sets: readonly { readonly path: string; readonly value: Json; readonly base: Json }[]
  /** Overrides that are taken back. */
  readonly lifts: readonly OverrideRow[]
  /** What the record keeps. */
  readonly params: JsonObject
}

/** What a merged terminate left in Git: how many replicas there were before, null = the default. */
export interface MergedTermination {
  readonly replicas: number | null
}

/**
 * What an action does to the overrides of an agent. Pure. Throws SW_CONFLICT when there is nothing to resume.
 *
 * Resuming takes back everything that was set at once (pause, terminate, constrain), and overrides what of it has come to
 * Git by a merge meanwhile: `suspend: true`, and the `replicas: 0` of a terminate.
 */
export function effectOf(
  action: InterventionAction,
  params: JsonObject,
  target: InterventionTarget,
  overrides: readonly OverrideRow[],
  terminated: MergedTermination | null,
): Effect {
  const { spec } = target
  switch (action) {
    case 'pause':
      return { sets: [{ path: SUSPEND, value: true, base: spec['suspend'] ?? null }], lifts: [], params: {} }
    case 'terminate': {
      const base = spec['replicas'] ?? null
      return { sets: [{ path: REPLICAS, value: 0, base }], lifts: [], params: { replicas: base } }
    }
    case 'constrain': {
      const constraints = { ...target.constraints, ...(params['constraints'] as JsonObject) }
      const base = spec['constraints'] ?? null
      return { sets: [{ path: CONSTRAINTS, value: constraints, base }], lifts: [], params: { constraints } }
    }
    case 'redirect': {
      const { goal } = params
      if (goal === undefined) return { sets: [], lifts: [], params }
      return { sets: [{ path: GOAL, value: goal, base: spec['goal'] ?? null }], lifts: [], params }
    }
    case 'resume':
      return resumed(target, overrides, terminated)
  }
}

function resumed(
  { spec, namespace, name }: InterventionTarget,
  overrides: readonly OverrideRow[],
  terminated: MergedTermination | null,
): Effect {
  const lifts = overrides.filter((row) => row.intervention_id !== null || (row.path === SUSPEND && row.value === true))
  const undone = new Set(lifts.map(({ path }) => path))
  const gitStops = spec['replicas'] === 0 && terminated !== null && !undone.has(REPLICAS)
  // Git still says so: the operator's word counts until Git follows.
  const sets = [
    ...(spec['suspend'] === true ? [{ path: SUSPEND, value: false, base: true }] : []),
    ...(gitStops ? [{ path: REPLICAS, value: terminated.replicas ?? 1, base: 0 }] : []),
  ]
  const taken = lifts.filter(({ value, base }) => !isReturn(value, base))
  if (taken.length === 0 && sets.length === 0)
    throw fail('SW_CONFLICT', `agent ${namespace}/${name} is neither paused, terminated nor constrained`, {
      ...(spec['replicas'] === 0 ? { remedy: 'Git declares replicas: 0; raise it there' } : {}),
    })
  const stays = new Set(sets.map(({ path }) => path))
  return {
    sets,
    lifts: taken.filter(({ path }) => !stays.has(path)),
    params: gitStops ? { replicas: terminated.replicas } : {},
  }
}

/** An override that a resume itself has set. */
function isReturn(value: Json, base: Json | null): boolean {
  return (value === false && base === true) || (typeof value === 'number' && value > 0 && base === 0)
}

/** What a commit has to say so that Git says the same. Empty when it does already. */
export function editsOf(action: InterventionAction, params: JsonObject, spec: JsonObject): SpecEdit[] {
  switch (action) {
    case 'pause':
      return spec['suspend'] === true ? [] : [{ field: 'suspend', value: true }]
    case 'terminate':
      return spec['replicas'] === 0 ? [] : [{ field: 'replicas', value: 0 }]
    case 'constrain':
      return [{ field: 'constraints', value: params['constraints'] as JsonObject }]
    case 'redirect': {
      const { goal } = params
      return goal === undefined || goal === spec['goal'] ? [] : [{ field: 'goal', value: goal as string }]
    }
    case 'resume': {
      const { replicas } = params
      return [
        ...(spec['suspend'] === true ? [{ field: 'suspend', value: undefined }] : []),
        ...(spec['replicas'] === 0 && replicas !== undefined
          ? [{ field: 'replicas', value: (replicas as number | null) ?? undefined }]
          : []),
      ]
    }
  }
}
