import type { StatewardError } from '../../lib/errors.ts'
import type { ServedResource, ServedView } from './served-resource.ts'
import { statusOf } from './status.ts'
import { type Form, metadataOf, tableOf } from './table.ts'

export interface WatchLines {
  change(type: 'ADDED' | 'MODIFIED' | 'DELETED', view: ServedView): string
  bookmark(version: number): string
}

/** The lines of a watch in the form its client asked for. A table says what its columns are in its first row alone. */
export function watchLines(
  resource: ServedResource,
  { apiVersion, form }: { readonly apiVersion: string; readonly form: Form },
  now: () => Date,
): WatchLines {
  let isFirst = true
  const table = (views: readonly ServedView[], version: string, includes: 'None' | 'Metadata' | 'Object') => {
    const body = tableOf(resource, views, { resourceVersion: version }, { includes, now: now() })
    const written = isFirst ? body : { ...body, columnDefinitions: [] }
    isFirst = false
    return written
  }
  const written = (view: ServedView): unknown => {
    if (form.as === 'table') return table([view], view.metadata.resourceVersion, form.includes)
    return form.as === 'metadata' ? metadataOf(view) : view
  }
  return {
    change: (type, view) => `${JSON.stringify({ type, object: written(view) })}\n`,
    bookmark(version) {
      const metadata = { resourceVersion: String(version) }
      const object =
        form.as === 'table'
          ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: [], rows: [] }
          : { kind: resource.kind, apiVersion, metadata }
      return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`
    },
  }
}

export function errorLine(error: StatewardError): string {
  return `${JSON.stringify({ type: 'ERROR', object: statusOf(error) })}\n`
}
