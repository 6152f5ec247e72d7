import { dump } from 'js-yaml'
import { API_VERSION } from '../kinds/definition.ts'
import { kindByPlural, kindOf } from '../kinds/registry.ts'
import type { ObjectStatus } from '../kinds/resource.ts'
import { isObject, pointerKeys } from '../lib/json.ts'

export interface StatusDocument {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly status: ObjectStatus
}

/** `default/agents/sre.yaml`; kinds without a namespace stand under `_cluster`. */
export function statusPath(object: Pick<StatusDocument, 'kind' | 'namespace' | 'name'>): string {
  const plural = kindOf(object.kind)?.plural ?? object.kind.toLowerCase()
  return `${object.namespace === '' ? '_cluster' : object.namespace}/${plural}/${object.name}.yaml`
}

/** Whether a path of the status branch is of the form {@link statusPath} gives. */
export function isStatusPath(path: string): boolean {
  const [folder, plural, file, ...more] = path.split('/')
  return (
    more.length === 0 &&
    folder !== '' &&
    file?.endsWith('.yaml') === true &&
    kindByPlural(plural ?? '')?.plural === plural
  )
}

/**
 * One object's status as YAML: the same bytes for the same status (keys sorted below `status`), without the fields the kind
 * marks as volatile, so that an idle fleet makes no commit.
 */
export function renderStatus(object: StatusDocument): string {
  const volatile = kindOf(object.kind)?.volatile ?? []
  const document = {
    apiVersion: API_VERSION,
    kind: object.kind,
    metadata: {
      name: object.name,
      ...(object.namespace === '' ? {} : { namespace: object.namespace }),
      uid: object.uid,
      generation: object.generation,
    },
    status: sorted(
      volatile.reduce<unknown>((status, pointer) => withoutPointer(status, pointerKeys(pointer)), object.status),
    ),
  }
  return dump(document, { lineWidth: -1, noRefs: true })
}

/** A copy without what the keys lead to; `*` is every item of a list. */
export function withoutPointer(value: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys
  if (key === undefined) return value
  if (key === '*' && Array.isArray(value)) return value.map((item) => withoutPointer(item, rest))
  if (!isObject(value) || !Object.hasOwn(value, key)) return value
  if (rest.length > 0) return { ...value, [key]: withoutPointer(value[key], rest) }
  const { [key]: _gone, ...kept } = value
  return kept
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .filter((key) => value[key] !== undefined)
      .map((key) => [key, sorted(value[key])]),
  )
}
