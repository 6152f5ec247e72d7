import rateLimit from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import type { Api } from './typed.ts'

/** Requests a second; 0 = no limit. */
export interface RateLimits {
  /** Of one principal: an agent, a key, a person; without a credential, of one address. */
  readonly perPrincipal: number
  readonly total: number
  /** For tests: how long a "second" is, in milliseconds. */
  readonly windowMs?: number
}

export interface RateLimiter {
  /** Throws SW_RATE_LIMITED when all callers together ask too often. */
  countAll(request: FastifyRequest): Promise<void>
  /** Throws SW_RATE_LIMITED when this caller does. */
  countCaller(request: FastifyRequest): Promise<void>
}

const UNLIMITED: RateLimiter = { async countAll() {}, async countCaller() {} }

/** Counts requests in this process. Each process has its own limits: several of them let through as many times more. */
export async function createRateLimiter(app: Api, limits: RateLimits | undefined): Promise<RateLimiter> {
  if (limits === undefined) return UNLIMITED
  await app.register(rateLimit, { global: false })
  const timeWindow = limits.windowMs ?? 1_000
  const limiter = (max: number, keyGenerator: (request: FastifyRequest) => string, who: (key: string) => string) => {
    if (max === 0) return async () => {}
    const count = app.createRateLimit({ max, timeWindow, keyGenerator })
    return async (request: FastifyRequest): Promise<void> => {
      const counted = await count(request)
      if (counted.isAllowed || !counted.isExceeded) return
      throw fail('SW_RATE_LIMITED', `${who(counted.key)} sent more than ${max} requests a second`, {
        details: { retry_after_seconds: Math.max(1, counted.ttlInSeconds), limit: max },
      })
    }
  }
  return {
    countAll: limiter(
      limits.total,
      () => 'all',
      () => 'all callers together',
    ),
    countCaller: limiter(limits.perPrincipal, callerOf, (key) => key),
  }
}

function callerOf({ principal, ip }: FastifyRequest): string {
  if (principal.type === 'agent') return `${principal.name} ${principal.instanceId}`
  return principal.type === 'anonymous' ? `anonymous at ${ip}` : principal.name
}
