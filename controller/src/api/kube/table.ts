import type { PrinterColumn } from '../../kinds/definition.ts'
import { textOfValues } from '../../kinds/printer-cell.ts'
import { valuesAtPath } from '../../lib/json-path.ts'
import type { ServedResource, ServedView } from './served-resource.ts'

/** What a row of a table carries of its object: nothing, its metadata, or all of it (`?includeObject=`). */
export type IncludedObject = 'None' | 'Metadata' | 'Object'

/** How a client wants objects written: as they are, by their metadata alone, or as rows of a table. */
export type Form =
  | { readonly as: 'object' }
  | { readonly as: 'metadata' }
  | { readonly as: 'table'; readonly includes: IncludedObject }

/**
 * The first form a client accepts that there is: `application/json;as=Table;v=v1;g=meta.k8s.io` and the like. What it does
 * not know is passed over, as Kubernetes does: every client also reads plain objects.
 */
export function formOf(accept: string | undefined, includes: string | undefined): Form {
  for (const type of (accept ?? '').split(',')) {
    const [media, ...parameters] = type.split(';').map((part) => part.trim())
    if (media !== 'application/json' && media !== '*/*' && media !== 'application/*') continue
    const given = Object.fromEntries(parameters.map((parameter) => parameter.split('=', 2)))
    if (given['as'] === undefined) return { as: 'object' }
    if (given['g'] !== 'meta.k8s.io' || given['v'] !== 'v1') continue
    if (given['as'] === 'Table')
      return { as: 'table', includes: includes === 'None' || includes === 'Object' ? includes : 'Metadata' }
    if (given['as'] === 'PartialObjectMetadata' || given['as'] === 'PartialObjectMetadataList')
      return { as: 'metadata' }
  }
  return { as: 'object' }
}

const NAME = { name: 'Name', type: 'string', format: 'name', description: 'Its name.', priority: 0 }
const META = { apiVersion: 'meta.k8s.io/v1' }

/** metav1.Table of some objects: what kubectl prints, one column after the other. */
export function tableOf(
  resource: Pick<ServedResource, 'columns' | 'isNamed'>,
  views: readonly ServedView[],
  metadata: Readonly<Record<string, unknown>>,
  options: { readonly includes: IncludedObject; readonly now: Date },
): Record<string, unknown> {
  return {
    kind: 'Table',
    ...META,
    metadata,
    columnDefinitions: columnDefinitionsOf(resource),
    rows: views.map((view) => ({
      cells: [
        ...(resource.isNamed === false ? [] : [view.metadata.name]),
        ...resource.columns.map((column) => cellOf(view, column, options.now)),
      ],
      ...(options.includes === 'None' ? {} : { object: options.includes === 'Object' ? view : metadataOf(view) }),
    })),
  }
}

export function columnDefinitionsOf({ columns, isNamed }: Pick<ServedResource, 'columns' | 'isNamed'>): unknown[] {
  const written = columns.map(({ name, type, description, priority }) => ({
    ...{ name, type, format: '', description, priority },
  }))
  return isNamed === false ? written : [NAME, ...written]
}

/** metav1.PartialObjectMetadata. */
export function metadataOf(view: ServedView): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', ...META, metadata: view.metadata }
}

/** What a cell holds: a number, or a text. */
export function cellOf(view: ServedView, column: PrinterColumn, now: Date): unknown {
  const values = valuesAtPath(view, column.jsonPath)
  const [first] = values
  if (values.length === 1 && typeof first === 'number' && column.type !== 'date') return first
  const text = textOfValues(values, column, now)
  return text === '' ? '<none>' : text
}
