import { API_VERSION, GROUP, type SpecProblem } from '../kinds/definition.ts'
import { KINDS, kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import { validateMetadata, validateSpec } from '../kinds/validate.ts'
import { closest } from '../lib/closest.ts'
import { digestOf } from '../lib/digest.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { checkJsonValues } from './json-values.ts'
import type { ParseLimits } from './limits.ts'
import type { FormerFormReader } from './ports.ts'

/** What one YAML document turned out to be. */
export type DocumentReading =
  | { readonly is: 'foreign' }
  | {
      readonly is: 'ours'
      /** null when it is broken. */
      readonly resource: Resource | null
      /** Who it is, when that can be read even though it is broken. */
      readonly key: ObjectKey | null
      /** Pointers are the file's own. */
      readonly problems: readonly SpecProblem[]
    }

export interface DocumentContext {
  readonly file: string
  readonly document: number
  /** Where the object stands in the document when that is a List: `/items/0`. */
  readonly base?: string
  readonly defaultNamespace: string
  readonly limits: ParseLimits
  readonly formerForm: FormerFormReader
}

const SERVER_METADATA = [
  'uid',
  'generation',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'managedFields',
  'selfLink',
]

/** Reads one document: ours (good or broken) or foreign. Never throws for what somebody wrote. */
export function readDocument(value: unknown, context: DocumentContext): DocumentReading {
  if (!isObject(value)) return { is: 'foreign' }
  const bad = checkJsonValues(value, context.limits)
  if (bad !== null) {
    return mentionsOurGroup(value) || context.formerForm.recognises(value)
      ? { is: 'ours', resource: null, key: identityOf(value, context), problems: [bad] }
      : { is: 'foreign' }
  }
  if (value['apiVersion'] === undefined && context.formerForm.recognises(value)) return readFormerForm(value, context)
  if (!mentionsOurGroup(value)) return { is: 'foreign' }
  return readOurs(value, context)
}

function readFormerForm(value: Readonly<Record<string, unknown>>, context: DocumentContext): DocumentReading {
  const normalised = context.formerForm.normalise(value)
  if (normalised.document === null) {
    const { identity } = normalised
    const key = identity === null ? null : keyOf({ ...identity, namespace: context.defaultNamespace })
    return { is: 'ours', resource: null, key, problems: normalised.problems }
  }
  const reading = readOurs(normalised.document, context)
  const relocated = reading.problems.map((problem) => ({
    ...problem,
    pointer: normalised.pointerInFile(problem.pointer),
  }))
  const problems = [...normalised.problems, ...relocated]
  return { ...reading, resource: problems.some(isError) ? null : reading.resource, problems }
}

function readOurs(
  value: Readonly<Record<string, unknown>>,
  context: DocumentContext,
): DocumentReading & { is: 'ours' } {
  const problems: SpecProblem[] = []
  const key = identityOf(value, context)
  const broken = (): DocumentReading & { is: 'ours' } => ({ is: 'ours', resource: null, key, problems })
  if (value['apiVersion'] !== API_VERSION) {
    problems.push(
      problem(
        'SW_UNKNOWN_VERSION',
        '/apiVersion',
        `${String(value['apiVersion'])} is not a version this controller knows`,
        `write ${API_VERSION}`,
      ),
    )
    return broken()
  }
  const kindName = value['kind']
  const kind = typeof kindName === 'string' ? kindOf(kindName) : undefined
  if (kind === undefined) {
    const names = KINDS.map((known) => known.kind)
    const near = typeof kindName === 'string' ? closest(kindName, names) : undefined
    const hint = near === undefined ? `kinds are: ${names.join(', ')}` : `did you mean ${near}?`
    problems.push(
      problem(
        'SW_UNKNOWN_KIND',
        '/kind',
        kindName === undefined ? 'kind is missing' : `there is no kind ${JSON.stringify(kindName)}`,
        hint,
      ),
    )
    return broken()
  }
  problems.push(...serverFields(value))
  const metadata = isObject(value['metadata']) ? without(value['metadata'], SERVER_METADATA) : value['metadata']
  if (metadata === undefined)
    problems.push(problem('SW_MISSING_FIELD', '/metadata', 'metadata is missing', 'add metadata with a name'))
  else problems.push(...validateMetadata(metadata, kind.scope))
  for (const field of Object.keys(value)) {
    if (['apiVersion', 'kind', 'metadata', 'spec', 'status'].includes(field)) continue
    const near = closest(field, ['metadata', 'spec'])
    problems.push(
      problem(
        'SW_UNKNOWN_FIELD',
        `/${field}`,
        `unknown field ${field}`,
        near === undefined ? 'fields stand under spec' : `did you mean ${near}?`,
      ),
    )
  }
  const spec = value['spec'] ?? {}
  problems.push(...validateSpec(kind.kind, spec))
  if (problems.some(isError) || !isObject(metadata) || !isObject(spec)) return broken()
  return {
    is: 'ours',
    key,
    problems,
    resource: resourceOf(kind.kind, kind.scope === 'Cluster', metadata, spec as JsonObject, context),
  }
}

function resourceOf(
  kind: string,
  clusterScoped: boolean,
  metadata: Record<string, unknown>,
  spec: JsonObject,
  context: DocumentContext,
): Resource {
  return {
    kind,
    namespace: clusterScoped ? '' : ((metadata['namespace'] as string | undefined) ?? context.defaultNamespace),
    name: metadata['name'] as string,
    labels: (metadata['labels'] as Record<string, string> | undefined) ?? {},
    annotations: (metadata['annotations'] as Record<string, string> | undefined) ?? {},
    spec,
    specDigest: digestOf(spec),
    origin: {
      file: context.file,
      document: context.document,
      ...(context.base === undefined || context.base === '' ? {} : { base: context.base }),
    },
  }
}

/** Who a document is, as far as it says so. */
function identityOf(value: Readonly<Record<string, unknown>>, context: DocumentContext): ObjectKey | null {
  const kind = typeof value['kind'] === 'string' ? kindOf(value['kind']) : undefined
  const metadata = value['metadata']
  if (kind === undefined || !isObject(metadata) || !canBeInKey(metadata['name'])) return null
  const namespace = metadata['namespace'] ?? context.defaultNamespace
  if (kind.scope === 'Cluster') return keyOf({ kind: kind.kind, namespace: '', name: metadata['name'] })
  return canBeInKey(namespace) ? keyOf({ kind: kind.kind, namespace, name: metadata['name'] }) : null
}

/** A name with a slash would be taken for another object's key. */
function canBeInKey(name: unknown): name is string {
  return typeof name === 'string' && /^[^/]+$/.test(name)
}

function mentionsOurGroup(value: Readonly<Record<string, unknown>>): boolean {
  const apiVersion = value['apiVersion']
  return typeof apiVersion === 'string' && (apiVersion === GROUP || apiVersion.startsWith(`${GROUP}/`))
}

function serverFields(value: Readonly<Record<string, unknown>>): SpecProblem[] {
  const metadata = value['metadata']
  const found = isObject(metadata)
    ? SERVER_METADATA.filter((field) => metadata[field] !== undefined).map((field) => `/metadata/${field}`)
    : []
  if (value['status'] !== undefined) found.push('/status')
  if (found.length === 0) return []
  const fields = found.map((pointer) => pointer.slice(1).replace('/', '.')).join(', ')
  return [
    {
      ...problem(
        'SW_SERVER_FIELD',
        found[0]!,
        `ignored, only the controller sets them: ${fields}`,
        'leave them out of the file',
      ),
      severity: 'warning',
    },
  ]
}

function without(record: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}

function problem(code: string, pointer: string, message: string, hint: string): SpecProblem {
  return { code, pointer, message, hint }
}

function isError(found: SpecProblem): boolean {
  return found.severity !== 'warning'
}
