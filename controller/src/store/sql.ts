import type postgres from 'postgres'

/**
 * Connections to Postgres with the types the whole store relies on:
 * `bigint` and `count(*)` come as numbers (beyond 2^53 they throw, never round), `timestamptz` as `Date` (DTO mappers call
 * `toISOString()`: UTC, milliseconds), `jsonb` as values, `bytea` as `Buffer`. Going in: JSON through `sql.json(value)`,
 * times as `Date`; an array parameter needs a cast (`${ids}::uuid[]`), and an array of times goes as ISO texts.
 */
export type SqlTypes = { int8: number }
export type Sql = postgres.Sql<SqlTypes>
export type Tx = postgres.TransactionSql<SqlTypes>
/** What a query takes first: a pool, or the transaction it belongs to. */
export type Executor = Sql | Tx
