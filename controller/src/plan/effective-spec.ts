import { kindOf } from '../kinds/registry.ts'
import { keyOf, type Resource } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { mergePatch } from '../lib/merge-patch.ts'

/** What an effective spec is made from, besides the object itself. */
export interface Surroundings {
  /** A declared object by key; null when there is none. */
  readonly get: (key: string) => Resource | null
  /** The oid of a file or directory of the state repo at the planned revision; null when it is not there. */
  readonly fileOid: (path: string) => string | null
}

export interface EffectiveSpec {
  /** template ← object ← Environment.overrides, before defaults and live overrides. */
  readonly spec: JsonObject
  /** sha256 over that and the oids of the files it names: what a plan decides about. */
  readonly digest: string
  /** Files it names that are missing: path and the field that names it. */
  readonly missingFiles: readonly { readonly path: string; readonly pointer: string }[]
  /** Objects that took part: `AgentTemplate/default/engineer`, `Environment/prod`. */
  readonly from: readonly string[]
}

/** Merges what an object inherits (RFC 7396) and digests it. An object that inherits nothing keeps its own spec digest. */
export function effectiveSpec(resource: Resource, around: Surroundings): EffectiveSpec {
  const from: string[] = []
  let spec: JsonObject = resource.spec
  const template = templateOf(resource, around)
  if (template !== null) {
    from.push(keyOf(template))
    spec = mergePatch(template.spec, spec) as JsonObject
  }
  const environment =
    resource.namespace === ''
      ? null
      : around.get(keyOf({ kind: 'Environment', namespace: '', name: resource.namespace }))
  for (const patch of environment === null ? [] : overridesFor(environment, resource)) {
    from.push(keyOf(environment!))
    spec = mergePatch(spec, patch) as JsonObject
  }
  const files = (kindOf(resource.kind)?.files(spec) ?? [])
    .map((file) => ({ ...file, oid: around.fileOid(file.path) }))
    .filter(({ optional, oid }) => optional !== true || oid !== null)
  const missingFiles = files.filter((file) => file.oid === null).map(({ path, pointer }) => ({ path, pointer }))
  const digest =
    spec === resource.spec && files.length === 0
      ? resource.specDigest
      : digestOf({ spec, files: files.map(({ path, oid }) => ({ path, oid })) })
  return { spec, digest, missingFiles, from }
}

function templateOf(resource: Resource, around: Surroundings): Resource | null {
  if (resource.kind !== 'Agent') return null
  const reference = resource.spec['templateRef']
  if (!isObject(reference) || typeof reference['name'] !== 'string') return null
  return around.get(keyOf({ kind: 'AgentTemplate', namespace: resource.namespace, name: reference['name'] }))
}

function overridesFor(environment: Resource, resource: Resource): JsonObject[] {
  const overrides = environment.spec['overrides']
  if (!Array.isArray(overrides)) return []
  return overrides.flatMap((override) => {
    if (!isObject(override) || !isObject(override['target']) || !isObject(override['patch'])) return []
    const { kind, name } = override['target']
    return kind === resource.kind && (name === undefined || name === resource.name)
      ? [override['patch'] as JsonObject]
      : []
  })
}
