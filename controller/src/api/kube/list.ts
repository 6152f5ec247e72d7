import { fail } from '../../lib/error-catalogue.ts'
import type { Executor, Sql } from '../../store/database.ts'
import { logHead } from '../../store/log.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import type { Selector } from './selectors.ts'
import type { ServedResource, ServedView } from './served-resource.ts'
import { type Form, metadataOf, tableOf } from './table.ts'

const CHUNK = 2_000
/** kubectl asks for 500 at a time and then throttles itself to 5 requests a second: pages that small only cost it time. */
const KUBECTL_CHUNK = 500
const LARGE_PAGE = 20_000

/** How many a list holds whose client asked for so many; null = all. */
export function largestPageOf(limit: number | null): number | null {
  return limit !== null && limit >= KUBECTL_CHUNK ? Math.max(limit, LARGE_PAGE) : limit
}

export interface ListRequest {
  readonly namespace: string | null
  readonly selector: Selector
  readonly limit: number | null
  readonly continue: string | null
  /** The version that the caller has seen already; one above the head does not exist. */
  readonly resourceVersion: number | null
}

export interface Snapshot {
  readonly views: readonly ServedView[]
  /** Number of the newest event the snapshot holds. */
  readonly head: number
  readonly next: { readonly namespace: string; readonly name: string } | null
}

/** Everything that matches at one moment: rows and head of the log from one repeatable-read transaction. */
export async function readSnapshot(
  sql: Sql,
  resource: ServedResource,
  request: {
    readonly namespace: string | null
    readonly selector: Selector
    readonly limit: number | null
    readonly after: Snapshot['next']
  },
): Promise<Snapshot> {
  const snapshot = await sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', async (tx) => {
    const { seq: head } = await logHead(tx)
    return { head, ...(await collect(tx, resource, request)) }
  })
  return { ...snapshot, views: await resource.withLive(snapshot.views) }
}

async function collect(
  sql: Executor,
  resource: ServedResource,
  request: Parameters<typeof readSnapshot>[2],
): Promise<Omit<Snapshot, 'head'>> {
  const { namespace, selector, limit } = request
  const views: ServedView[] = []
  let { after } = request
  for (;;) {
    const rows = await resource.page(sql, {
      namespace,
      name: selector.name,
      after,
      fields: selector.fields,
      labels: selector.labels,
      limit: CHUNK,
    })
    for (const view of rows) {
      if (!selector.matches(view)) continue
      if (views.length === limit) return { views, next: after }
      views.push(view)
      after = placeOf(view)
    }
    if (rows.length < CHUNK) break
    after = placeOf(rows.at(-1)!)
  }
  if (request.after === null)
    views.unshift(...(await fixedOf(resource, namespace, views.map(placeOf))).filter(selector.matches))
  return { views, next: null }
}

type Place = Exclude<Snapshot['next'], null>

/** Built-in objects, unless a declared one of that name takes their place. */
export async function fixedOf(
  resource: ServedResource,
  namespace: string | null,
  declared: readonly Place[],
): Promise<readonly ServedView[]> {
  const fixed = await resource.fixed(namespace)
  if (fixed.length === 0) return fixed
  const taken = new Set(declared.map((place) => `${place.namespace}/${place.name}`))
  return fixed.filter(({ metadata }) => !taken.has(`${metadata.namespace ?? ''}/${metadata.name}`))
}

function placeOf(view: ServedView): Place {
  return { namespace: view.metadata.namespace ?? '', name: view.metadata.name }
}

/**
 * A Kubernetes list. Later pages carry the version of the first one: what changed since then comes again through a watch
 * from there, so nothing is missed although the pages are read at different moments.
 */
export async function listBody(
  sql: Sql,
  resource: ServedResource,
  request: ListRequest,
  { apiVersion, form, now }: { readonly apiVersion: string; readonly form: Form; readonly now: Date },
): Promise<Record<string, unknown>> {
  const position = request.continue === null ? null : decodeCursor(request.continue, ['number', 'string', 'string'])
  const after = position === null ? null : { namespace: position[1], name: position[2] }
  const limit = largestPageOf(request.limit)
  const { views, head, next } = await readSnapshot(sql, resource, {
    namespace: request.namespace,
    selector: request.selector,
    limit,
    after,
  })
  const version = position?.[0] ?? head
  if (version > head || (request.resourceVersion ?? 0) > head)
    throw tooLarge(Math.max(version, request.resourceVersion ?? 0), head)
  const metadata = {
    resourceVersion: String(version),
    ...(next === null ? {} : { continue: encodeCursor([version, next.namespace, next.name]) }),
  }
  if (form.as === 'table') return tableOf(resource, views, metadata, { includes: form.includes, now })
  if (form.as === 'metadata')
    return {
      apiVersion: 'meta.k8s.io/v1',
      kind: 'PartialObjectMetadataList',
      metadata,
      items: views.map(metadataOf),
    }
  return { apiVersion, kind: `${resource.kind}List`, metadata, items: views }
}

export function tooLarge(version: number, head: number): Error {
  return fail('SW_EXPIRED', `resourceVersion ${version} is above the newest one, ${head}`)
}
