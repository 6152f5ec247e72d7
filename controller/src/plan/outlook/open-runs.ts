import { keyOf, type ObjectKey, type ObjectRef } from '../../kinds/resource.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { ActualState } from '../actual-state.ts'
import type { Effect } from '../effects/effect.ts'
import { objectsOf } from '../effects/spec-parts.ts'
import type { Moved } from './moved.ts'

/** Runs that were open when status was last observed, and that a change overtakes. */
export interface SupersededRuns extends ObjectRef {
  /** How many there are. */
  readonly total: number
  /** Names of the first of them. */
  readonly runs: readonly string[]
  readonly message: string
}

interface OpenRuns {
  readonly total: number
  readonly names: readonly string[]
}

/** What runs are compiled from: of the rest of a blueprint they take nothing. */
const COMPILED = ['plan', 'inputs', 'outputs', 'limits'] as const
const SHOWN = 5

/**
 * Runs keep the plan they began with: a blueprint that changes, or one that it calls, leaves its open runs on the former one.
 * An agent that stops or restarts gives back what it is doing for them. Pure.
 */
export function supersededBy(
  moved: readonly Moved[],
  effects: readonly Effect[],
  actual: ActualState,
  observed: ReadonlyMap<ObjectKey, JsonObject>,
): SupersededRuns[] {
  const openOf = (key: ObjectKey) => openRunsOf(observed.get(key))
  return moved.flatMap((change): SupersededRuns[] => {
    if (!overtakes(change, effects)) return []
    const { kind, namespace, name, key } = change
    const keys =
      kind === 'Blueprint'
        ? [key, ...blueprintsNaming(actual, observed, namespace, 'ref', name)]
        : blueprintsNaming(actual, observed, namespace, 'agent', name)
    const found = together(keys.map(openOf))
    if (found.total === 0) return []
    const runs = found.names.slice(0, SHOWN)
    const more = found.total > runs.length ? ` and ${found.total - runs.length} more` : ''
    const message = `${wordsOf(change, found.total)}: ${runs.join(', ')}${more}`
    return [{ kind, namespace, name, total: found.total, runs, message }]
  })
}

/** Whether runs that are open go on with something else than what is declared afterwards. */
export function overtakes({ kind, key, before, after }: Moved, effects: readonly Effect[]): boolean {
  if (before === null) return false
  if (kind === 'Blueprint') return after === null || COMPILED.some((field) => !same(before[field], after[field]))
  if (kind !== 'Agent') return false
  const ends = (effect: Effect) =>
    keyOf(effect) === key && (effect.effect === 'restarts' || effect.effect === 'program')
  return after === null || effects.some(ends)
}

function wordsOf({ kind, after }: Moved, total: number): string {
  const [runs, go, give] = total === 1 ? ['1 open run', 'goes', 'gives'] : [`${total} open runs`, 'go', 'give']
  if (kind === 'Blueprint')
    return after === null
      ? `${runs} ${go} on without it`
      : `${runs} ${total === 1 ? 'is' : 'are'} superseded and ${go} on with the former plan`
  return after === null
    ? `${runs} that ${give} it work ${total === 1 ? 'waits' : 'wait'} for somebody else who can do it`
    : `what it is doing begins again for ${runs} that ${give} it work`
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null)
}

/** Blueprints of which something was observed, with a step that gives work to an agent, or calls a blueprint. */
function blueprintsNaming(
  actual: ActualState,
  observed: ReadonlyMap<ObjectKey, JsonObject>,
  namespace: string,
  field: 'agent' | 'ref',
  name: string,
): ObjectKey[] {
  return [...observed.keys()].filter((key) => {
    const object = actual.get(key)
    return object?.kind === 'Blueprint' && object.namespace === namespace && names(object.spec['plan'], field, name)
  })
}

function names(plan: Json | undefined, field: 'agent' | 'ref', name: string): boolean {
  return objectsOf(plan).some((step) => {
    const named = field === 'agent' || step['kind'] === 'blueprint' ? step[field] : undefined
    return named === name || names(step['plan'], field, name)
  })
}

function openRunsOf(status: JsonObject | undefined): OpenRuns {
  const open = status?.['openRuns']
  if (!isObject(open)) return { total: 0, names: [] }
  const { total, names: list } = open
  return { total: typeof total === 'number' ? total : 0, names: Array.isArray(list) ? list.map(String) : [] }
}

function together(all: readonly OpenRuns[]): OpenRuns {
  return { total: all.reduce((sum, { total }) => sum + total, 0), names: all.flatMap(({ names: each }) => each) }
}
