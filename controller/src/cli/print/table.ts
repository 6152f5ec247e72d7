import Table from 'cli-table3'
import stringWidth from 'string-width'
import { inlineText } from './inline-text.ts'

export interface TableColumn {
  readonly head: string
  /** Gives way first when the lines are too long for the terminal. */
  readonly shrinks?: boolean
}

export interface TableOptions {
  /** Characters in a line; null = as long as needed. */
  readonly width: number | null
  /** Widths to keep at least, so that rows printed later stand under the first ones. */
  readonly minWidths?: readonly number[]
  readonly withHead?: boolean
  /** Colours a finished cell. */
  readonly style?: (text: string, column: number, isHead: boolean) => string
}

const GAP = 3
const SMALLEST = 12
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
}

/** Columns separated by blanks, without borders, as kubectl prints them; wide characters take two places. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string {
  const head = columns.map((column) => column.head.toUpperCase())
  const cells = rows.map((row) => row.map((cell) => inlineText(cell)))
  const widths = fitWidths(columns, columnWidths(columns, cells, options.minWidths), options.width)
  const lines = options.withHead === false ? cells : [head, ...cells]
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  })
  for (const [index, line] of lines.entries()) {
    const isHead = options.withHead !== false && index === 0
    table.push(
      line.map((cell, column) => {
        const text = truncate(cell, widths[column]!)
        const padding = column === line.length - 1 ? '' : ' '.repeat(widths[column]! - stringWidth(text))
        return (options.style?.(text, column, isHead) ?? text) + padding
      }),
    )
  }
  const text = table.toString()
  return text === '' ? '' : `${text.replaceAll(/ +$/gm, '')}\n`
}

/** What each column needs: for `minWidths` of rows that follow. */
export function columnWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  minWidths: readonly number[] = [],
): number[] {
  return columns.map((column, index) =>
    Math.max(
      stringWidth(column.head),
      minWidths[index] ?? 0,
      ...rows.map((row) => stringWidth(inlineText(row[index] ?? ''))),
    ),
  )
}

function fitWidths(
  columns: readonly TableColumn[],
  widths: readonly number[],
  available: number | null,
): readonly number[] {
  if (available === null) return widths
  const fitted = [...widths]
  let excess = fitted.reduce((sum, width) => sum + width + GAP, -GAP) - available
  for (const [index, column] of columns.entries()) {
    if (excess <= 0) break
    if (column.shrinks !== true) continue
    const smaller = Math.max(Math.min(SMALLEST, fitted[index]!), fitted[index]! - excess)
    excess -= fitted[index]! - smaller
    fitted[index] = smaller
  }
  return fitted
}

function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}
