import { placeOf } from '../../lib/issue.ts'
import type { JsonObject } from '../../lib/json.ts'
import { done } from '../runtime/outcome.ts'
import type { KindReconciler, Phase } from '../runtime/reconciler.ts'
import type { SourceSync } from '../sync/source-sync.ts'

export interface SourceReconcilerDeps {
  readonly sync: (name: string) => SourceSync | null
  /** Whether heads have to be signed. */
  readonly verifies: boolean
  /** What keeps a cluster from being read, and its custom resources from having their status; null where none are read. */
  readonly cluster?: (() => { readonly fetch: string | null; readonly status: string | null }) | null
  /** What keeps status from being written to Git; null when it is. */
  readonly statusProblem: () => {
    readonly reason: 'StatusPublishFailed' | 'AnotherController'
    readonly message: string
  } | null
}

const MAX_ISSUES = 100

/** The state repo as an object: what was read, how far it is applied, what is wrong with it, and whether all of it is Ready. */
export function sourceReconciler(deps: SourceReconcilerDeps): KindReconciler {
  const phases: Phase[] = [
    function reportFetch({ object, conditions, fields }) {
      const state = deps.sync(object.name)?.state
      if (state === undefined)
        return {
          kind: 'stalled',
          reason: 'FetchFailed',
          message: 'only the source of the configuration is read by this version',
        }
      if (state.failure?.code === 'SW_COMMIT_UNVERIFIED') {
        conditions.set('Fetched', 'True', 'Succeeded', 'the head was found')
        conditions.set('Verified', 'False', 'CommitUnverified', `${state.failure.message} (${state.failure.remedy})`)
      } else if (state.failure !== null)
        conditions.set(
          'Fetched',
          'False',
          'FetchFailed',
          `${state.failure.message} (${state.failure.remedy}) [${state.failure.code}]`,
        )
      else if (state.head !== null) {
        conditions.set('Fetched', 'True', 'Succeeded', `read ${short(state.head.commit)}`)
        if (deps.verifies) conditions.set('Verified', 'True', 'Succeeded', 'the head may be applied')
      }
      if (state.head !== null) fields['lastAttemptedRevision'] = state.head.commit
      return null
    },
    function reportStatusPublishing({ conditions }) {
      const problem = deps.statusProblem()
      if (problem === null) conditions.set('StatusPublished', 'True', 'Succeeded', 'status and notes are written')
      else conditions.set('StatusPublished', 'False', problem.reason, problem.message)
      return null
    },
    function reportCluster({ conditions }) {
      const state = deps.cluster?.()
      if (state === undefined) return null
      const { fetch, status } = state
      if (fetch === null) conditions.set('ClusterFetched', 'True', 'Succeeded', 'custom resources are watched')
      else conditions.set('ClusterFetched', 'False', 'FetchFailed', `${fetch}; what was read last stays in force`)
      if (status === null)
        conditions.set('ClusterStatusPublished', 'True', 'Succeeded', 'status is written to custom resources')
      else conditions.set('ClusterStatusPublished', 'False', 'StatusPublishFailed', status)
      return null
    },
    function reportRevision({ object, conditions, fields }) {
      const sync = deps.sync(object.name)
      const last = sync?.state.sync
      if (last == null) return null
      fields['issues'] = last.issues.slice(0, MAX_ISSUES) as unknown as JsonObject[]
      fields['issueCount'] = last.issues.length
      fields['ignored'] = last.ignored
      fields['counts'] = { ...last.counts }
      fields['objects'] = sync?.desired?.size ?? 0
      if (last.outcome === 'observed')
        conditions.set(
          'Ready',
          'Unknown',
          'ObserveOnly',
          `planned ${short(last.to_revision)}, nothing is applied (mode: observe)`,
        )
      return null
    },
    function reportObjects({ object, conditions, world }) {
      const isUnread = ['Fetched', 'Verified'].some((type) => conditions.get(type)?.status === 'False')
      if (conditions.get('Ready') !== undefined || isUnread) return null
      const last = deps.sync(object.name)?.state.sync
      if (last == null) return null
      const errors = last.issues.filter((issue) => issue.severity === 'error')
      const waiting = world.notReady()
      if (last.outcome === 'partial') {
        const [first] = errors
        const held = last.changes.find(({ action, message }) => action === 'blocked' && message !== undefined)
        const what =
          first === undefined
            ? `${last.counts.blocked} objects are blocked${held === undefined ? '' : `: ${held.message}`}`
            : `${placeOf(first)}: ${first.message}; ${first.hint}`
        const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
        conditions.set('Ready', 'False', errors.length > 0 ? 'ValidationFailed' : 'PartiallyApplied', what + more)
      } else if (waiting.size > 0) {
        const named = waiting.values().take(3).toArray().join(', ')
        conditions.set(
          'Ready',
          'False',
          'DependencyNotReady',
          `not Ready yet: ${named}${waiting.size > 3 ? ` and ${waiting.size - 3} more` : ''}`,
        )
      }
      return null
    },
    function sayApplied(context) {
      const head = deps.sync(context.object.name)?.state.head
      if (head != null) {
        context.ready = { reason: 'Succeeded', message: `applied ${short(head.commit)}` }
        const last = deps.sync(context.object.name)?.state.sync
        const applied = last?.outcome === 'observed' ? last.from_revision : (last?.to_revision ?? head.commit)
        if (applied !== null) context.fields['lastAppliedRevision'] = applied
      }
      return null
    },
  ]
  return { kind: 'Source', phases, finalize: () => done }
}

function short(revision: string): string {
  return revision
    .split('+')
    .map((part) => part.slice(0, part.indexOf('@') + 13))
    .join('+')
}
