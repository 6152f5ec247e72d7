import type { Reason } from '../../kinds/conditions.ts'
import { kindOf } from '../../kinds/registry.ts'
import { keyOf } from '../../kinds/resource.ts'
import { placeOf } from '../../lib/issue.ts'
import { isObject } from '../../lib/json.ts'
import { readyOf } from '../../status/summarize.ts'
import { missingReferences } from '../world.ts'
import type { Phase } from './reconciler.ts'

/** Phases every kind starts with, in this order. Each says one thing about the object's own standing. */

const DEPENDENCY_RETRY_MS = 30_000

/** A suspended object is left as it is; what that means for running things is the kind's business. */
export const reportSuspension: Phase = ({ suspended, conditions, world, key, object, spec, now }) => {
  if (!suspended) return null
  const override = world.overrides(key).find((row) => row.path === '/spec/suspend')
  conditions.set(
    'Suspended',
    'True',
    'Suspended',
    world.frozen !== null && object.kind === 'Agent'
      ? world.frozen
      : override === undefined
        ? whyInGit(spec['suspendUntil'], now)
        : `suspended by ${override.actor}${override.reason === null ? '' : `: ${override.reason}`}`,
  )
  return null
}

function whyInGit(until: unknown, now: Date): string {
  return typeof until === 'string' && Date.parse(until) > now.getTime() ? `until ${until}` : 'spec.suspend is true'
}

/** Of an issue that has a reason of its own. */
export const REASON_OF: Readonly<Record<string, Reason>> = {
  SW_DEPENDENCY_CYCLE: 'DependencyCycle',
  SW_SOURCE_CONFLICT: 'SourceConflict',
}

/** A newer revision of the object is broken or blocked: it keeps its last good one, and says so. */
export const reportBlockedRevision: Phase = ({ issues, conditions }) => {
  const [first] = issues.filter((issue) => issue.severity === 'error')
  if (first === undefined) return null
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  conditions.set(
    'Ready',
    'False',
    REASON_OF[first.code] ?? 'ValidationFailed',
    `${placeOf(first)}: ${first.message}; ${first.hint}${more}`,
  )
  return null
}

const HELD = ['ApprovalRequired', 'PolicyDenied', 'OutsideWindow'] as const

/** A newer revision waits for somebody's word, or is denied: what is applied goes on as before. */
export const reportHeldRevision: Phase = ({ held, conditions }) => {
  if (held === null) return null
  const reason = HELD.find((each) => each === held.reason) ?? 'ApprovalRequired'
  conditions.set('Held', 'True', reason, held.message ?? '')
  return null
}

/** Something it names is gone from Git: what runs goes on, nothing new is started. */
export const resolveReferences: Phase = ({ world, object }) => {
  const missing = missingReferences(world, object)
  if (missing.length === 0) return null
  return {
    kind: 'stalled',
    reason: 'ReferenceNotFound',
    message: `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not exist`,
  }
}

/** `dependsOn`: waits until those are Ready, without holding a worker. */
export const awaitDependencies: Phase = ({ world, object, spec }) => {
  const dependsOn = spec['dependsOn']
  if (!Array.isArray(dependsOn)) return null
  for (const dependency of dependsOn) {
    if (!isObject(dependency)) continue
    const kind = String(dependency['kind'])
    const key = keyOf({
      kind,
      namespace: kindOf(kind)?.scope === 'Cluster' ? '' : object.namespace,
      name: String(dependency['name']),
    })
    const target = world.get(key)
    if (target !== undefined && readyOf(target.status).status === 'True') continue
    return { kind: 'waiting', reason: 'DependencyNotReady', message: `${key} is not Ready`, after: DEPENDENCY_RETRY_MS }
  }
  return null
}
