import { parse as parseArray } from 'postgres-array'

/**
 * The arrays of the types that the store uses. The driver would ask each new connection for them (`fetch_types`) in a
 * promise that nobody holds: a connection lost at that moment is an unhandled rejection, and the end of the process.
 * Numbers as in pg_type.dat, which never change.
 */
const ARRAYS: readonly { readonly element: number; readonly array: number }[] = [
  { element: 16, array: 1000 }, // bool
  { element: 19, array: 1003 }, // name
  { element: 20, array: 1016 }, // int8
  { element: 21, array: 1005 }, // int2
  { element: 23, array: 1007 }, // int4
  { element: 25, array: 1009 }, // text
  { element: 26, array: 1028 }, // oid
  { element: 701, array: 1022 }, // float8
  { element: 1043, array: 1015 }, // varchar
  { element: 1184, array: 1185 }, // timestamptz
  { element: 2950, array: 2951 }, // uuid
  { element: 3802, array: 3807 }, // jsonb
]

/** How a pool reads and writes values, by the number of their type; the driver's types leave out that these are tables. */
interface TypeTables {
  readonly parsers: Record<number, ((text: string) => unknown) | undefined>
  readonly serializers: Record<number, ((value: unknown) => unknown) | undefined>
}

/** Teaches a pool, before its first query, to read and write arrays of the types that it knows. */
export function addArrayTypes(sql: { readonly options: object }): void {
  const { parsers, serializers } = sql.options as TypeTables
  for (const { element, array } of ARRAYS) {
    const parse = parsers[element] ?? String
    const serialize = serializers[element] ?? String
    parsers[array] = (text) => parseArray(text, parse)
    serializers[array] = (value) => (Array.isArray(value) ? arrayText(value, serialize) : value)
  }
}

/** One dimension, in the text format of Postgres (§8.15.6): NULL or a quoted element. */
function arrayText(values: readonly unknown[], serialize: (value: unknown) => unknown): string {
  const elements = values.map((value) => {
    if (value === null) return 'NULL'
    if (value === undefined) throw new TypeError('undefined is not a value of an array; null is')
    return `"${String(serialize(value)).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${elements.join(',')}}`
}
