import { writeFile } from 'node:fs/promises'
import type { Machine } from './machine.ts'

/** One row for scripts: a name, and figures in base units (seconds, bytes, documents) that their names say. */
export type Row = { readonly name: string } & { readonly [figure: string]: number | string | null }

export async function writeRows(file: string, machine: Machine, rows: readonly Row[]): Promise<void> {
  await writeFile(file, `${JSON.stringify({ machine, rows }, null, 2)}\n`)
}

/** Columns as wide as their widest cell; the first is aligned to the left, the others to the right. */
export function tableText(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  )
  const text = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [text(head), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(text)].join('\n')
}

export function milliseconds(seconds: number): string {
  const ms = seconds * 1000
  return `${ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`
}

export function megabytes(bytes: number | null): string {
  return bytes === null ? '?' : `${(bytes / 1_000_000).toFixed(0)} MB`
}
