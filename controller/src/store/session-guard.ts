import { setImmediate } from 'node:timers/promises'
import postgres from 'postgres'
import { isConnectionLoss } from './database-errors.ts'
import type { Sql, Tx } from './sql.ts'

/**
 * Keeps the driver from sending anything in a transaction whose connection is gone. It would write to a socket that no
 * longer exists, outside of every promise: an uncaught exception that ends the process (postgres.js 3.4, issue 1208).
 * Also its own ROLLBACK and COMMIT would, so a lost transaction never settles inside the driver; `begin` rejects
 * nevertheless, because the driver tells it of the closed connection separately.
 *
 * `closures` counts the pool's closed connections. Which one closed is not said, so after any of them a transaction waits
 * a turn of the event loop, in which `begin` learns whether it was its own.
 */
export function guardTransactions(sql: Sql, closures: { readonly count: number }): Sql {
  const begin = sql.begin.bind(sql)
  const guarded = async (...call: [string, Work] | [Work]): Promise<unknown> => {
    const [options, work] = call.length === 2 ? call : (['', call[0]] as const)
    const session: Session = { lost: false, closures, seen: closures.count }
    try {
      return await begin(options, (tx) => settle(session, work(guard(tx, session))))
    } catch (error) {
      session.lost = true
      throw error
    }
  }
  return Object.assign(sql, { begin: guarded as Sql['begin'] })
}

type Work = (tx: Tx) => unknown

interface Session {
  lost: boolean
  readonly closures: { readonly count: number }
  seen: number
}

/** What the driver's queries are inside: a promise that hands itself to `handler` when somebody waits for it. */
interface DriverQuery {
  handler: (query: DriverQuery) => void
  reject: (error: unknown) => void
}

/** The work's outcome, or nothing ever when there is no connection to COMMIT or ROLLBACK on. */
async function settle(session: Session, outcome: unknown): Promise<unknown> {
  try {
    return await outcome
  } finally {
    if (await isLost(session)) await new Promise<never>(() => {})
  }
}

async function isLost(session: Session): Promise<boolean> {
  while (!session.lost && session.seen !== session.closures.count) {
    session.seen = session.closures.count
    await setImmediate()
  }
  return session.lost
}

function guard(tx: Tx, session: Session): Tx {
  return new Proxy(tx, {
    apply: (target, self, parameters) => watch(Reflect.apply(target, self, parameters), session),
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (name === 'unsafe' || name === 'file') {
        return (...parameters: unknown[]) => watch(Reflect.apply(member as () => unknown, target, parameters), session)
      }
      if (name === 'savepoint') {
        return async (...parameters: [string, Work] | [Work]) => {
          const [label, work] = parameters.length === 2 ? parameters : ([undefined, parameters[0]] as const)
          const inner = (nested: Tx) => settle(session, work(guard(nested, session)))
          // The driver sends the SAVEPOINT itself, past the guard.
          if (await isLost(session)) throw connectionClosed()
          return label === undefined ? target.savepoint(inner) : target.savepoint(label, inner)
        }
      }
      return member
    },
  })
}

/** Queries are refused once the connection is gone, and say so when they learn it. Other values pass as they are. */
function watch(made: unknown, session: Session): unknown {
  if (!isQuery(made)) return made
  const send = made.handler
  made.handler = (query) => {
    const reject = query.reject
    query.reject = (error) => {
      if (endsSession(error)) session.lost = true
      reject(error)
    }
    if (session.lost) query.reject(connectionClosed())
    else if (session.seen === session.closures.count) send(query)
    else void isLost(session).then((lost) => (lost ? query.reject(connectionClosed()) : send(query)))
  }
  return made
}

function isQuery(value: unknown): value is DriverQuery {
  return value instanceof Promise && 'handler' in value && 'reject' in value
}

/** FATAL and PANIC are followed by the server closing the connection. */
function endsSession(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return isConnectionLoss(error)
}

function connectionClosed(): Error {
  return Object.assign(new Error('the connection was closed during the transaction'), { code: 'CONNECTION_CLOSED' })
}
