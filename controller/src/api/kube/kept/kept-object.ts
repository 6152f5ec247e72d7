import type { PrinterColumn } from '../../../kinds/definition.ts'
import { formatAge } from '../../../lib/duration.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { valuesAtPath } from '../../../lib/json-path.ts'
import type { ServedResource, ServedView } from '../served-resource.ts'
import { cellOf, type IncludedObject } from '../table.ts'

/** A served object as the JSON it is answered with: what was made once is not made again until it changes. */
export interface KeptObject {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly generation: number
  /** As it was stored. */
  readonly stored: string
  /** Of it, the metadata. */
  readonly metadata: string
  /** JSON of the live status that `cells` holds; '' = none. */
  readonly live: string
  /** JSON of its cells, cut where an age stands: the numbers are times, in milliseconds. */
  readonly cells: readonly (string | number)[]
}

type Columns = Pick<ServedResource, 'columns' | 'isNamed'>

export function keptObject(resource: Columns, view: ServedView): KeptObject {
  const { apiVersion, kind, metadata, ...rest } = view
  const before = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":`
  const written = JSON.stringify(metadata)
  const parts = JSON.stringify(rest)
  const stored = `${before}${written}${parts === '{}' ? '}' : `,${parts.slice(1)}`}`
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    generation: metadata.generation ?? 0,
    stored,
    // A part of the text before: no copy of it.
    metadata: stored.slice(before.length, before.length + written.length),
    live: '',
    cells: cellsOf(resource, view),
  }
}

/** The same object with what changes by itself. */
export function withLiveStatus(resource: Columns, object: KeptObject, live: string): KeptObject {
  return { ...object, live, cells: cellsOf(resource, viewOf({ ...object, live })) }
}

function viewOf({ stored, live }: KeptObject): ServedView {
  const view = JSON.parse(stored) as ServedView & { readonly status?: JsonObject }
  return live === ''
    ? view
    : ({ ...view, status: { ...view.status, ...(JSON.parse(live) as JsonObject) } } as ServedView)
}

function cellsOf({ columns, isNamed }: Columns, view: ServedView): (string | number)[] {
  const cells: (string | number)[] = []
  let text: string[] = isNamed === false ? [] : [JSON.stringify(view.metadata.name)]
  let before = '['
  for (const column of columns) {
    const time = timeOf(view, column)
    if (time === null) {
      text.push(JSON.stringify(cellOf(view, column, NEVER)))
      continue
    }
    // Joined, not added up: what is kept for long is one text.
    cells.push([before, ...text.flatMap((cell) => [cell, ',']), '"'].join(''), time)
    before = '",'
    text = []
  }
  const after = text.length === 0 && before !== '[' ? '"]' : `${before}${text.join(',')}]`
  return [...cells, after]
}

function timeOf(view: ServedView, column: PrinterColumn): number | null {
  if (column.type !== 'date') return null
  const [value, ...more] = valuesAtPath(view, column.jsonPath)
  const time = typeof value === 'string' && more.length === 0 ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? null : time
}

/** Of what is no time nothing is an age. */
const NEVER = new Date(0)

/** The JSON of a plain object. */
export function objectText(object: KeptObject): string {
  return object.live === '' ? object.stored : JSON.stringify(viewOf(object))
}

/** The JSON of PartialObjectMetadata. */
export function metadataText({ metadata }: KeptObject): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":${metadata}}`
}

/** The JSON of rows of a table. */
export function rowTexts(objects: readonly KeptObject[], includes: IncludedObject, now: Date): string[] {
  const ages = new Map<number, string>()
  const age = (time: number): string => {
    let text = ages.get(time)
    if (text === undefined) {
      text = formatAge(now.getTime() - time)
      ages.set(time, text)
    }
    return text
  }
  return objects.map((object) => {
    let text = '{"cells":'
    for (const cell of object.cells) text += typeof cell === 'string' ? cell : age(cell)
    if (includes === 'None') return `${text}}`
    return `${text},"object":${includes === 'Object' ? objectText(object) : metadataText(object)}}`
  })
}
