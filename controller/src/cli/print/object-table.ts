import type { KindRow } from '../../kinds/kind-row.ts'
import { cellOf } from '../../kinds/printer-cell.ts'
import type { ObjectView } from '../../kinds/resource.ts'
import type { Colors } from '../terminal.ts'
import { columnWidths, renderTable, type TableColumn } from './table.ts'

export interface ObjectTableOptions {
  readonly wide: boolean
  readonly withNamespace: boolean
  /** `agent/sre` instead of `sre`: several kinds stand below each other. */
  readonly withKind: boolean
  readonly now: Date
  readonly width: number | null
  readonly colors: Colors
}

/** A table of objects of one kind; the same shape prints later rows of a watch under the first ones. */
export class ObjectTable {
  readonly #kind: KindRow
  readonly #options: Omit<ObjectTableOptions, 'now'>
  readonly #columns: readonly TableColumn[]
  #widths: readonly number[] = []
  #started = false

  constructor(kind: KindRow, options: Omit<ObjectTableOptions, 'now'>) {
    this.#kind = kind
    this.#options = options
    this.#columns = [
      ...(options.withNamespace ? [{ head: 'Namespace' }] : []),
      { head: 'Name' },
      ...this.#printed().map((column) => ({ head: column.name, shrinks: isProse(column.name) })),
    ]
  }

  /** The head before the first rows, then rows alone. */
  render(objects: readonly ObjectView[], now: Date): string {
    const rows = objects.map((object) => this.#row(object, now))
    this.#widths = columnWidths(this.#columns, rows, this.#widths)
    const withHead = !this.#started
    this.#started = true
    return renderTable(this.#columns, rows, {
      width: this.#options.width,
      minWidths: this.#widths,
      withHead,
      style: (text, column, isHead) => (isHead ? text : this.#color(text, column)),
    })
  }

  #printed() {
    return this.#kind.columns.filter((column) => column.priority === 0 || this.#options.wide)
  }

  #row(object: ObjectView, now: Date): string[] {
    const name = this.#options.withKind ? `${this.#kind.singular}/${object.metadata.name}` : object.metadata.name
    const deleting = object.metadata.deletionTimestamp !== undefined
    return [
      ...(this.#options.withNamespace ? [object.metadata.namespace ?? '-'] : []),
      name,
      ...this.#printed().map((column) => {
        const text = cellOf(object, column, now)
        return deleting && column.name === 'Status' ? `Terminating: ${text}` : text
      }),
    ]
  }

  #color(text: string, column: number): string {
    const { colors } = this.#options
    const head = this.#columns[column]!.head
    if (head === 'Ready')
      return text === 'True' ? colors.green(text) : text === 'False' ? colors.red(text) : colors.yellow(text)
    if (head === 'Status' && this.#kind.kind === 'Run') return colorOfPhase(text, colors)
    return text
  }
}

function isProse(name: string): boolean {
  return name === 'Status' || name === 'Message' || name === 'Description'
}

/** Colours the word for where a run or a step is. */
export function colorOfPhase(text: string, colors: Colors): string {
  if (text === 'completed') return colors.green(text)
  if (text === 'failed') return colors.red(text)
  if (text === 'running') return colors.cyan(text)
  return text === 'skipped' || text === 'created' || text === 'cancelled' ? colors.dim(text) : text
}
