import postgres from 'postgres'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'

/** What the driver and the operating system call a connection that failed. */
const CONNECTION_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])

/** SQLSTATE of a Postgres error, or null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof postgres.PostgresError ? error.code : null
}

/** Two transactions were in each other's way; the same work succeeds when it is tried again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** The server is away: not reachable, shutting down, starting, or out of connections. What was in flight is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== null) return state.startsWith('08') || state.startsWith('57P') || state === '53300'
  return error instanceof Error && 'code' in error && CONNECTION_CODES.has(String(error.code))
}

/** Turns a lost connection into SW_DATABASE_UNREACHABLE; every other error comes back as it is. */
export function mapConnectionLoss(error: unknown): unknown {
  if (!isConnectionLoss(error)) return error
  return fail('SW_DATABASE_UNREACHABLE', `the database did not answer: ${errorMessage(error)}`, { cause: error })
}
