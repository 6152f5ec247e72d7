import { HELD_KINDS, isFromCluster } from '../kinds/cluster-origin.ts'
import { kindOf } from '../kinds/registry.ts'
import { type ObjectKey, type ObjectStatus, refOf } from '../kinds/resource.ts'
import type { KubeObject } from '../kube-client/watch-lines.ts'
import type { Clock } from '../lib/clock.ts'
import type { Issue } from '../lib/issue.ts'
import { isObject, type JsonObject, pointerKeys } from '../lib/json.ts'
import { REASON_OF } from '../reconcile/runtime/guards.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World } from '../reconcile/world.ts'
import { ConditionSet } from '../status/condition-set.ts'
import { withoutPointer } from '../status/render-object.ts'
import { summarize } from '../status/summarize.ts'
import type { WantedResource } from '../status/writers/cluster-status-writer.ts'

interface Deps {
  readonly world: World
  readonly clock: Clock
  readonly sync: () => SourceSync
}

/** What a custom resource should say: the status of the object it is, or why it is not applied. */
export function wantedResource(deps: Deps, key: ObjectKey, object: KubeObject): WantedResource {
  const own = deps.world.get(key)
  const { uid, deletionTimestamp } = object.metadata
  const { kind } = refOf(key)
  if (own !== undefined && own.uid === uid && isFromCluster(own.file)) {
    const volatile = kindOf(kind)?.volatile ?? []
    const status = volatile.reduce<unknown>((rest, pointer) => withoutPointer(rest, pointerKeys(pointer)), own.status)
    return {
      status: own.status.conditions === undefined ? null : (JSON.parse(JSON.stringify(status)) as JsonObject),
      isHeld: HELD_KINDS.includes(kind),
    }
  }
  // Nothing of it is applied: there is nothing to wait for.
  return { status: deletionTimestamp === undefined ? refusal(deps, key, object) : null, isHeld: false }
}

/** Why it is not applied; null while that is not known. */
function refusal({ clock, sync }: Deps, key: ObjectKey, object: KubeObject): JsonObject | null {
  const { state } = sync()
  const [issue] = (state.issuesOf.get(key) ?? []).filter(({ severity }) => severity === 'error')
  const change = state.plan?.changes.find(({ kind, namespace, name }) => {
    const ref = refOf(key)
    return kind === ref.kind && namespace === ref.namespace && name === ref.name
  })
  const said = new ConditionSet()
  if (issue !== undefined) said.set('Ready', 'False', REASON_OF[issue.code] ?? 'ValidationFailed', describe(issue))
  else if (change?.held !== undefined) {
    const reason =
      change.reason === 'PolicyDenied' || change.reason === 'OutsideWindow' ? change.reason : 'ApprovalRequired'
    said.set('Held', 'True', reason, change.message ?? '')
    said.set('Ready', 'False', reason, change.message ?? 'it waits for an approval')
  } else if (change?.action === 'blocked')
    said.set(
      'Ready',
      'False',
      change.reason === 'BlastRadius' ? 'BlastRadius' : 'ValidationFailed',
      change.message ?? 'blocked',
    )
  else if (state.sync?.outcome === 'observed')
    said.set('Ready', 'Unknown', 'ObserveOnly', 'it is planned, and nothing is applied (mode: observe)')
  else return null
  const before = isObject(object['status']) ? (object['status'] as ObjectStatus) : {}
  const ready = said.get('Ready')!
  const status = summarize(
    { conditions: before.conditions ?? [] },
    {
      table: kindOf(refOf(key).kind)!.conditions,
      generation: object.metadata.generation ?? 1,
      now: clock.now(),
      said,
      // Nothing that moves with revisions: each would be written anew with every one.
      fields: {},
      ready,
    },
  )
  return JSON.parse(JSON.stringify(status)) as JsonObject
}

/** Lines of a resource mean nothing to whoever wrote it: the field does. */
function describe({ pointer, message, hint }: Issue): string {
  const field = pointerKeys(pointer ?? '').join('.')
  return `${field === '' || message.includes(field) ? '' : `${field}: `}${message}; ${hint}`
}
