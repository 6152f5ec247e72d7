import { kindOf } from '../kinds/registry.ts'
import { type ObjectKey, type Resource, refOf } from '../kinds/resource.ts'
import type { ActualObject } from './actual-state.ts'
import type { Change } from './change-set.ts'
import type { DesiredState } from './desired-state.ts'
import type { EffectiveSpec } from './effective-spec.ts'
import { fieldChanges } from './field-changes.ts'
import type { PlanInput } from './planned.ts'

/** An object with one declaration: create, update, skip, or null for unchanged. */
export function withDeclaration(
  resource: Resource,
  before: ActualObject | null,
  effective: EffectiveSpec,
  input: PlanInput,
): Change | null {
  const base = {
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    file: resource.origin.file,
    toDigest: effective.digest,
  }
  const notYet = kindOf(resource.kind)?.notYetEnforced === true ? { notYetEnforced: true } : {}
  if (before === null) return { ...base, ...notYet, action: 'create', fields: [], fromDigest: null }
  if (before.deleting) {
    return {
      ...base,
      action: 'skip',
      reason: 'Terminating',
      message: 'it is still being removed; it is created again afterwards',
      fields: [],
      fromDigest: before.effectiveDigest,
    }
  }
  if (resource.origin.uid !== undefined && resource.origin.uid !== before.uid) {
    return {
      ...base,
      action: 'delete',
      reason: 'Replaced',
      message: 'another object has its name now; that one is created when this one is gone',
      fields: [],
      fromDigest: before.effectiveDigest,
      toDigest: null,
    }
  }
  const fields = [
    ...fieldChanges(before.labels, resource.labels, '/metadata/labels'),
    ...fieldChanges(before.annotations, resource.annotations, '/metadata/annotations'),
    ...(before.specDigest === resource.specDigest ? [] : fieldChanges(before.spec, resource.spec, '/spec')),
  ]
  if (fields.length === 0 && before.effectiveDigest === effective.digest) return null
  if (resource.annotations['stateward.dev/reconcile'] === 'disabled') {
    return {
      ...base,
      action: 'skip',
      reason: 'Suspended',
      message: 'annotation stateward.dev/reconcile: disabled',
      fields,
      fromDigest: before.effectiveDigest,
    }
  }
  return {
    ...base,
    ...notYet,
    ...causeOf(resource, before, effective, input),
    action: 'update',
    fields,
    fromDigest: before.effectiveDigest,
  }
}

/** What made an object another one though its own document says the same: what it inherits from, or its files. */
function causeOf(
  resource: Resource,
  before: ActualObject,
  effective: EffectiveSpec,
  input: PlanInput,
): { reason?: string } {
  if (before.specDigest !== resource.specDigest || before.effectiveDigest === effective.digest) return {}
  const changed = effective.from.filter(
    (key) => input.actual.get(key)?.specDigest !== input.desired.get(key)?.resource.specDigest,
  )
  const files = (kindOf(resource.kind)?.files(effective.spec) ?? [])
    .filter(({ optional, path }) => optional !== true || input.fileOid(path) !== null)
    .map((file) => file.path)
  const causes = changed.length > 0 ? changed : files.length > 0 ? files : effective.from
  return causes.length === 0 ? {} : { reason: `cause: ${[...new Set(causes)].join(', ')}` }
}

/** An object no document declares: delete, or why not; null when there is nothing to do. */
export function withoutDeclaration(key: ObjectKey, before: ActualObject | null, desired: DesiredState): Change | null {
  const broken = [...desired.troubled()].find((file) => file.identified.includes(key))
  if (broken !== undefined) return { ...blocked(key, before, 'ValidationFailed', undefined), file: broken.path }
  if (before === null || before.deleting) return null
  const own = desired.file(before.file)
  if (own?.unidentified === true || own?.unreadable === true)
    return { ...blocked(key, before, 'ValidationFailed', `its file ${own.path} cannot be read`), file: own.path }
  // A broken file that mentions its name may be where this object moved to.
  const stranger = [...desired.troubled()].find((file) => file.unidentified && file.words?.has(before.name) !== false)
  if (stranger !== undefined) {
    return {
      ...blocked(
        key,
        before,
        'ValidationFailed',
        `not deleted while ${stranger.path} cannot be read: it may be declared there`,
      ),
      file: stranger.path,
    }
  }
  const base = { ...refOf(key), fields: [], fromDigest: before.effectiveDigest, toDigest: null, file: before.file }
  if (before.annotations['stateward.dev/prune'] === 'disabled') {
    return { ...base, action: 'skip', reason: 'Suspended', message: 'annotation stateward.dev/prune: disabled' }
  }
  return { ...base, action: 'delete' }
}

/** The object stays as it was applied last, and why. */
export function blocked(
  key: ObjectKey,
  before: ActualObject | null,
  reason: string,
  message: string | undefined,
  resource?: Resource,
): Change {
  return {
    ...refOf(key),
    action: 'blocked',
    reason,
    ...(message === undefined ? {} : { message }),
    ...(resource === undefined ? {} : { file: resource.origin.file }),
    fields: [],
    fromDigest: before?.effectiveDigest ?? null,
    toDigest: before?.effectiveDigest ?? null,
  }
}
