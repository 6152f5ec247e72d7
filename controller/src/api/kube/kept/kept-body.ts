import type { Sql } from '../../../store/database.ts'
import { fixedOf, type ListRequest, largestPageOf, tooLarge } from '../list.ts'
import type { ServedResource } from '../served-resource.ts'
import { columnDefinitionsOf, type Form } from '../table.ts'
import { isKeepable, KeptList, MOST_KEPT } from './kept-list.ts'
import { type KeptObject, keptObject, metadataText, objectText, rowTexts } from './kept-object.ts'

/** A list of everything, or of everything of a namespace, as bytes; null = this one is not answered from memory. */
export type KeptBodies = (
  resource: ServedResource,
  request: ListRequest,
  written: { readonly apiVersion: string; readonly form: Form; readonly now: Date },
) => Promise<Buffer | null>

export function keptBodies(sql: Sql): KeptBodies {
  const lists = new Map<ServedResource, KeptList>()
  return async (resource, request, { apiVersion, form, now }) => {
    if (!isKeepable(resource) || !request.selector.everything || request.continue !== null) return null
    if ((largestPageOf(request.limit) ?? MOST_KEPT) < MOST_KEPT) return null
    const list = lists.get(resource) ?? new KeptList(sql, resource)
    lists.set(resource, list)
    const kept = await list.current()
    if (kept === null) return null
    if ((request.resourceVersion ?? 0) > kept.head) throw tooLarge(request.resourceVersion!, kept.head)
    const { namespace } = request
    const declared = namespace === null ? kept.objects : kept.objects.filter((object) => object.namespace === namespace)
    const fixed = await resource.withLive(await fixedOf(resource, namespace, declared))
    const objects = [...fixed.map((view) => keptObject(resource, view)), ...declared]
    const { before, items } = writtenAs(resource, objects, { apiVersion, form, now }, String(kept.head))
    return Buffer.from(`${before}[${items.join(',')}]}`)
  }
}

function writtenAs(
  resource: ServedResource,
  objects: readonly KeptObject[],
  { apiVersion, form, now }: Parameters<KeptBodies>[2],
  resourceVersion: string,
): { before: string; items: readonly string[] } {
  const listOf = (version: string, kind: string) =>
    `{"apiVersion":"${version}","kind":"${kind}","metadata":{"resourceVersion":"${resourceVersion}"},"items":`
  if (form.as === 'object')
    return { before: listOf(apiVersion, `${resource.kind}List`), items: objects.map(objectText) }
  if (form.as === 'metadata')
    return { before: listOf('meta.k8s.io/v1', 'PartialObjectMetadataList'), items: objects.map(metadataText) }
  const columns = JSON.stringify(columnDefinitionsOf(resource))
  const metadata = `"metadata":{"resourceVersion":"${resourceVersion}"}`
  return {
    before: `{"kind":"Table","apiVersion":"meta.k8s.io/v1",${metadata},"columnDefinitions":${columns},"rows":`,
    items: rowTexts(objects, form.includes, now),
  }
}
