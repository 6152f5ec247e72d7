import postgres from 'postgres'
import { addArrayTypes } from './array-types.ts'
import { guardTransactions } from './session-guard.ts'
import type { Sql } from './sql.ts'

export type { Executor, Sql, Tx } from './sql.ts'

export interface DatabaseUrls {
  /** For the API's readers; may be a transaction pooler. */
  readonly url: string
  /** A session of its own: the log, claims, LISTEN. */
  readonly directUrl: string
  /** The owner of the schema: migrations only. */
  readonly ownerUrl: string
  /** False when `url` is a pooler that cannot keep prepared statements or startup parameters. */
  readonly namedStatements: boolean
}

export interface ConnectOptions {
  readonly max: number
  /** The role every session takes at its start; it owns nothing. */
  readonly role?: 'stateward_app'
  /**
   * Sessions of the engine: statements are prepared while tables are still empty, so a cached plan must never depend on
   * their size. Index scans and nested loops only, no JIT, and one plan for all parameters: made again for every batch, it
   * costs more than the batch.
   */
  readonly engine?: boolean
  /**
   * The server ends a session that stands still inside a transaction for this long: a process that was stopped there, or
   * whose machine is gone, would keep its locks, the one of the log's head among them, from everybody else.
   */
  readonly idleInTransactionMs?: number
  readonly applicationName: string
  readonly namedStatements: boolean
}

/** Between two attempts to connect: a lease of seconds has to outlast an outage of seconds. */
const LONGEST_BACKOFF_S = 0.5

/** Opens a pool; nothing is sent before the first query. */
export function connect(url: string, options: ConnectOptions): Sql {
  const closures = { count: 0 }
  const sql = postgres<{ int8: postgres.PostgresType<number> }>(url, {
    max: options.max,
    prepare: options.namedStatements,
    fetch_types: false,
    connect_timeout: 10,
    // A session closed by age in the middle of a night would only cost reconnects.
    max_lifetime: null,
    backoff: (retries: number) => (0.5 + Math.random() / 2) * Math.min(3 ** retries / 100, LONGEST_BACKOFF_S),
    onnotice: () => {},
    onclose: () => {
      closures.count += 1
    },
    types: { int8: { to: 20, from: [20], serialize: String, parse: parseInt8 } },
    connection: {
      application_name: options.applicationName,
      ...(options.role === undefined ? {} : { role: options.role }),
      ...(options.idleInTransactionMs === undefined
        ? {}
        : { idle_in_transaction_session_timeout: Math.ceil(options.idleInTransactionMs) }),
      ...(options.engine === true
        ? {
            jit: 'off',
            enable_seqscan: 'off',
            enable_hashjoin: 'off',
            enable_mergejoin: 'off',
            plan_cache_mode: 'force_generic_plan',
          }
        : {}),
    },
  })
  addArrayTypes(sql)
  return guardTransactions(sql, closures)
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond 2^53 and would lose digits`)
  return value
}
