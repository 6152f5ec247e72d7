import { displayWidth, padEnd, truncate } from './display-width.ts'
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
  return lines
    .map((line, index) => {
      const isHead = options.withHead !== false && index === 0
      const row = line.map((cell, column) => {
        const text = truncate(cell, widths[column]!)
        const padding = padEnd(text, widths[column]!).slice(text.length)
        return (options.style?.(text, column, isHead) ?? text) + padding
      })
      return `${row.join(' '.repeat(GAP)).trimEnd()}\n`
    })
    .join('')
}

/** What each column needs: for `minWidths` of rows that follow. */
export function columnWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  minWidths: readonly number[] = [],
): number[] {
  return columns.map((column, index) =>
    Math.max(
      displayWidth(column.head),
      minWidths[index] ?? 0,
      ...rows.map((row) => displayWidth(inlineText(row[index] ?? ''))),
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
