import { keyOf } from '../../kinds/resource.ts'
import type { ChangeSet } from '../change-set.ts'
import type { Effect } from './effect.ts'

/** How far a change goes. */
export interface Reach {
  /** Objects that change, and all there are. */
  readonly changed: number
  readonly objects: number
  /** Of those that change: only because of what they inherit, or of their files. */
  readonly through: number
  readonly namespaces: readonly string[]
  /** Agents whose instances are started, stopped or replaced. */
  readonly agents: readonly string[]
}

/** The blast radius of a plan. Pure. */
export function reachOf(set: Pick<ChangeSet, 'changes' | 'counts'>, effects: readonly Effect[]): Reach {
  const made = set.changes.filter(
    ({ action, held }) => action === 'create' || action === 'update' || action === 'delete' || held !== undefined,
  )
  const moved = effects.filter(
    ({ kind, effect }) => kind === 'Agent' && (effect === 'starts' || effect === 'stops' || effect === 'restarts'),
  )
  return {
    changed: made.length,
    objects: Object.values(set.counts).reduce((sum, count) => sum + count, 0),
    through: made.filter(({ reason, held }) => held === undefined && reason?.startsWith('cause: ') === true).length,
    namespaces: [...new Set(made.flatMap(({ namespace }) => (namespace === '' ? [] : [namespace])))].sort(),
    agents: [...new Set(moved.map(keyOf))].sort(),
  }
}

/** `3 of 41 objects in default, 1 through what it inherits; 2 agents start, stop or restart`. */
export function reachText({ changed, objects, through, namespaces, agents }: Reach): string {
  const where =
    namespaces.length === 0 ? '' : ` in ${namespaces.slice(0, 5).join(', ')}${namespaces.length > 5 ? ' …' : ''}`
  const inherited = through === 0 ? '' : `, ${through} through what ${through === 1 ? 'it inherits' : 'they inherit'}`
  const moved =
    agents.length === 0
      ? ''
      : `; ${agents.length} ${agents.length === 1 ? 'agent starts, stops or restarts' : 'agents start, stop or restart'}`
  return `${changed} of ${objects} ${objects === 1 ? 'object' : 'objects'}${where}${inherited}${moved}`
}
