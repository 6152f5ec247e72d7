import type { SpecProblem } from '../kinds/definition.ts'
import { kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectRef, type Resource } from '../kinds/resource.ts'
import { fillDefaults, validateMerged, validateMetadata, validateSpec } from '../kinds/validate.ts'
import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { mergePatch } from '../lib/merge-patch.ts'
import { effectiveSpec } from '../plan/effective-spec.ts'
import { resourceOf, type World, type WorldObject } from '../reconcile/world.ts'

/** An object as it would be declared. */
export interface Declaration extends ObjectRef {
  readonly spec: JsonObject
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Throws SW_VALIDATION_FAILED with everything that a plan would refuse about it: metadata, spec, what it inherits, references. */
export function assertSound(world: World, object: Declaration): void {
  const kind = kindOf(object.kind)
  if (kind === undefined) throw fail('SW_NOT_FOUND', `there is no kind ${object.kind}`)
  const { name, namespace, labels, annotations } = object
  const metadata = { name, ...(namespace === '' ? {} : { namespace }), ...part({ labels }), ...part({ annotations }) }
  const problems = [...validateMetadata(metadata, kind.scope), ...specProblems(world, object)].filter(
    ({ severity }) => severity !== 'warning',
  )
  if (problems.length === 0) return
  const violations = problems.map(({ code, pointer, message, hint }) => ({
    path: `body${pointer}`,
    message,
    hint,
    code,
  }))
  throw fail(
    'SW_VALIDATION_FAILED',
    `the ${object.kind} is not sound: ${violations[0]!.path}: ${violations[0]!.message}`,
    {
      details: { violations },
    },
  )
}

/** What an object becomes by a JSON merge patch of its document. */
export function patched(object: WorldObject, patch: JsonObject): Declaration {
  const { kind, namespace, name, labels, annotations, spec } = object
  const metadata = mergePatch({ labels, annotations }, patch['metadata'] ?? {}) as Pick<
    Declaration,
    'labels' | 'annotations'
  >
  return { kind, namespace, name, ...metadata, spec: mergePatch(spec, patch['spec'] ?? {}) as JsonObject }
}

function part<T extends Readonly<Record<string, unknown>>>(record: T): Partial<T> {
  return Object.values(record)[0] === undefined ? {} : record
}

function specProblems(world: World, object: Declaration): SpecProblem[] {
  const { spec, kind, namespace, name } = object
  const raw = validateSpec(kind, spec)
  if (raw.some(({ severity }) => severity !== 'warning')) return raw
  const resource: Resource = {
    ...{ kind, namespace, name, spec },
    labels: object.labels ?? {},
    annotations: object.annotations ?? {},
    specDigest: digestOf(spec),
    origin: { file: '', document: 0 },
  }
  const inherited = effectiveSpec(resource, {
    get: (key) => {
      const other = world.get(key)
      return other === undefined || other.deleting ? null : resourceOf(other)
    },
    fileOid: () => null,
  }).spec
  return [...validateMerged(kind, fillDefaults(kind, inherited)), ...missingReferences(world, object)]
}

function missingReferences(world: World, { kind, namespace, spec }: Declaration): SpecProblem[] {
  const isThere = (kind: string, name: string) =>
    world.get(keyOf({ kind, namespace: kindOf(kind)?.scope === 'Cluster' ? '' : namespace, name }))?.deleting === false
  return (kindOf(kind)?.references(spec) ?? [])
    .filter(({ strength }) => strength === 'required')
    .filter(
      (reference) => ![reference.kind, ...(reference.alternatives ?? [])].some((each) => isThere(each, reference.name)),
    )
    .map((reference) => ({
      code: 'SW_REFERENCE_NOT_FOUND' as const,
      pointer: reference.pointer,
      message: `there is no ${reference.kind} ${reference.name}`,
      hint: 'declare it first, or name another one',
    }))
}
