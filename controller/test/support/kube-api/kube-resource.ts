import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { load } from 'js-yaml'
import { packageRoot } from '../../../src/lib/package-root.ts'

/** What is wrong with a part of an object. */
export interface Cause {
  readonly field: string
  readonly message: string
  /** In one word; `FieldValueInvalid` where none is given. */
  readonly reason?: string
}

/** A resource the server stores. */
export interface KubeResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** The status is written by itself, and a write of the rest leaves it alone. */
  readonly hasStatus: boolean
  /** It has replicas that can be set by themselves. */
  readonly hasScale: boolean
  /** What keeps an object from being stored. */
  readonly problems: (object: unknown) => readonly Cause[]
}

export const CORE: readonly KubeResource[] = [
  resource('', 'v1', 'Namespace', 'namespaces', { namespaced: false }),
  resource('events.k8s.io', 'v1', 'Event', 'events', { problems: eventProblems }),
]

export function resource(
  group: string,
  version: string,
  kind: string,
  plural: string,
  given: Partial<Pick<KubeResource, 'namespaced' | 'hasStatus' | 'hasScale' | 'problems'>> = {},
): KubeResource {
  return {
    group,
    version,
    kind,
    plural,
    namespaced: true,
    hasStatus: false,
    hasScale: false,
    problems: () => [],
    ...given,
  }
}

interface Crd {
  readonly spec: {
    readonly group: string
    readonly scope: string
    readonly names: { readonly kind: string; readonly plural: string }
    readonly versions: readonly {
      readonly name: string
      readonly subresources?: { readonly status?: object; readonly scale?: object }
      readonly schema: { readonly openAPIV3Schema: object }
    }[]
  }
}

/** The resources of the CRDs that are shipped, with the schemas they have there: what does not fit is refused as on a cluster. */
export function shippedCrds(): readonly KubeResource[] {
  const folder = join(packageRoot(), 'crds')
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => {
      const { spec } = load(readFileSync(join(folder, file), 'utf8')) as Crd
      return spec.versions.map((version) => {
        const fits = ajv.compile(version.schema.openAPIV3Schema)
        return resource(spec.group, version.name, spec.names.kind, spec.names.plural, {
          namespaced: spec.scope === 'Namespaced',
          hasStatus: version.subresources?.status !== undefined,
          hasScale: version.subresources?.scale !== undefined,
          problems(object) {
            if (fits(object)) return repeated(object)
            return (fits.errors ?? []).map((error) => ({
              field: error.instancePath.slice(1).replaceAll('/', '.'),
              message: error.message ?? 'does not fit',
            }))
          },
        })
      })
    })
}

/** `conditions` is a list by type: two of one type are refused. */
function repeated(object: unknown): readonly Cause[] {
  const { status } = object as { readonly status?: { readonly conditions?: readonly { readonly type: string }[] } }
  const types = (status?.conditions ?? []).map(({ type }) => type)
  const twice = types.filter((type, at) => types.indexOf(type) !== at)
  return twice.map((type) => ({ field: 'status.conditions', message: `Duplicate value: ${type}` }))
}

const EVENT_FIELDS = ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason', 'type'] as const

/** What the API server demands of an Event of events.k8s.io/v1. */
function eventProblems(object: unknown): readonly Cause[] {
  const event = object as Readonly<Record<string, unknown>> & {
    readonly metadata: { readonly namespace?: string }
    readonly regarding?: { readonly namespace?: string }
    readonly note?: string
    readonly reason?: string
    readonly series?: { readonly count?: number; readonly lastObservedTime?: string }
  }
  const missing = EVENT_FIELDS.filter((field) => typeof event[field] !== 'string' || event[field] === '')
  return [
    ...missing.map((field) => ({ field, message: 'Required value' })),
    ...(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(String(event['eventTime']))
      ? []
      : [{ field: 'eventTime', message: 'is no MicroTime' }]),
    ...(['Normal', 'Warning'].includes(String(event['type']))
      ? []
      : [{ field: 'type', message: 'must be Normal or Warning' }]),
    ...((event.note ?? '').length > 1024 ? [{ field: 'note', message: 'can have at most 1024 characters' }] : []),
    ...((event.reason ?? '').length > 128 ? [{ field: 'reason', message: 'can have at most 128 characters' }] : []),
    ...((event.regarding?.namespace ?? 'default') === event.metadata.namespace
      ? []
      : [{ field: 'regarding.namespace', message: 'does not match event.namespace' }]),
    ...(event.series !== undefined && (event.series.count ?? 0) < 2
      ? [{ field: 'series.count', message: 'should be at least 2' }]
      : []),
  ]
}
