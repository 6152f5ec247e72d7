import type { Json } from '../../lib/json.ts'
import { cleanText, jsonText } from './clean.ts'

/**
 * How rows travel: one array a column, as text, unpacked by `unnest`. A table is a list of columns; the statement and the
 * parameters are both made from it, so they cannot differ.
 *
 * JSON travels as its texts with U+001F between them, which no JSON text has as it is, so that nothing in it needs another
 * escape; bytes travel as hex; everything else as an array literal, in which only a text may need quotes.
 */
export interface Column<Row> {
  readonly name: string
  /** Where it lands. */
  readonly type: 'uuid' | 'text' | 'integer' | 'boolean' | 'timestamptz' | 'jsonb' | 'bytea'
  readonly of: (row: Row) => Cell
}

/** What is sent of one value; null = SQL null. */
type Cell = string | null
/** A row ready to be sent: its cells in the order of the columns. */
export type Cells = readonly Cell[]

/** Needs neither quotes in an array nor cleaning. */
const PLAIN = /^[A-Za-z0-9_.:+-]+$/

export const text = <Row>(name: string, of: (row: Row) => string | null): Column<Row> => ({
  name,
  type: 'text',
  of: (row) => {
    const value = of(row)
    return value === null || PLAIN.test(value) ? value : cleanText(value)
  },
})

export const uuid = <Row>(name: string, of: (row: Row) => string | null): Column<Row> => ({ name, type: 'uuid', of })

export const integer = <Row>(name: string, of: (row: Row) => number): Column<Row> => ({
  name,
  type: 'integer',
  of: (row) => String(of(row)),
})

export const optionalInteger = <Row>(name: string, of: (row: Row) => number | null): Column<Row> => ({
  name,
  type: 'integer',
  of: (row) => of(row)?.toString() ?? null,
})

export const boolean = <Row>(name: string, of: (row: Row) => boolean): Column<Row> => ({
  name,
  type: 'boolean',
  of: (row) => (of(row) ? 't' : 'f'),
})

/** The last one: nearly all times of a batch are the same few. */
const iso = { ms: Number.NaN, text: '' }

function isoText(time: Date): string {
  const ms = time.getTime()
  if (ms !== iso.ms) {
    iso.text = time.toISOString()
    iso.ms = ms
  }
  return iso.text
}

export const time = <Row>(name: string, of: (row: Row) => Date | null): Column<Row> => ({
  name,
  type: 'timestamptz',
  of: (row) => {
    const value = of(row)
    return value === null ? null : isoText(value)
  },
})

export const json = <Row>(name: string, of: (row: Row) => Json | null): Column<Row> => ({
  name,
  type: 'jsonb',
  of: (row) => {
    const value = of(row)
    return value === null ? null : jsonText(value)
  },
})

/** JSON text that was made, and cleaned, before. */
export const jsonAsText = <Row>(name: string, of: (row: Row) => string): Column<Row> => ({ name, type: 'jsonb', of })

export const bytes = <Row>(name: string, of: (row: Row) => Buffer): Column<Row> => ({
  name,
  type: 'bytea',
  of: (row) => of(row).toString('hex'),
})

export function cellsOf<Row>(columns: readonly Column<Row>[], row: Row): Cells {
  return columns.map((column) => column.of(row))
}

/** `unnest($3::uuid[], …) WITH ORDINALITY AS alias (name, …, place)`, its parameters counted from `first`. */
export function unnest<Row>(columns: readonly Column<Row>[], first: number, alias: string): string {
  const arrays = columns.map(({ type }, i) => unpacked(type, `$${first + i}`))
  return `unnest(${arrays.join(', ')}) WITH ORDINALITY AS ${alias} (${columns.map(({ name }) => name).join(', ')}, place)`
}

function unpacked(type: Column<never>['type'], parameter: string): string {
  // A JSON text is never empty: that is the null. All of them null is no element at all, which `unnest` fills up with nulls.
  if (type === 'jsonb') return `string_to_array(${parameter}::text, chr(31), '')`
  return `${parameter}::${type === 'bytea' ? 'text' : type}[]`
}

/** The select list that turns what was sent into the columns' own types. */
export function selectList<Row>(columns: readonly Column<Row>[], alias: string): string {
  const landed = ({ name, type }: Column<Row>): string => {
    if (type === 'jsonb') return `${alias}.${name}::jsonb`
    return type === 'bytea' ? `decode(${alias}.${name}, 'hex')` : `${alias}.${name}`
  }
  return columns.map(landed).join(', ')
}

/** What is sent of each column. Written here, so that it needs no knowledge of array types from the server. */
export function arrays(columns: readonly Column<never>[], rows: readonly Cells[]): string[] {
  return columns.map(({ type }, i) => {
    const cells = rows.map((row) => row[i]!)
    if (type === 'jsonb') return cells.map((cell) => cell ?? '').join('\u001f')
    const literals = cells.map((cell) => (cell === null ? 'NULL' : type === 'text' ? quote(cell) : cell))
    return `{${literals.join()}}`
  })
}

function quote(cell: string): string {
  // NULL without quotes would be the SQL null.
  if (PLAIN.test(cell) && cell.length !== 4) return cell
  return `"${cell.replace(/["\\]/g, '\\$&')}"`
}
