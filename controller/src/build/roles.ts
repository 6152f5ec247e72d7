import type { Config } from '../config/schema.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { SHORTEST_HOST_LEASE_MS } from '../lifecycle/host-lease.ts'

export type Role = Config['roles'][number]
export type Roles = ReadonlySet<Role>

/** What one process that is alone has to do. */
const NEEDED: readonly Role[] = ['controller', 'api', 'worker']

/**
 * What this process does: `controller` stands by to lead (reconcile, start what events and schedules ask for, supervise
 * agents), `api` answers requests, `worker` moves runs, `ui` serves the page. Throws SW_CONFIG_INVALID when the embedded database is to be shared.
 */
export function rolesOf(config: Config): Roles {
  const roles = new Set(config.roles)
  if (config.database.url === null && !NEEDED.every((role) => roles.has(role)))
    throw fail(
      'SW_CONFIG_INVALID',
      `roles is ${config.roles.join(',')}, and the embedded database serves one process`,
      {
        remedy: 'name a Postgres that all processes share with DATABASE_URL, or leave the roles out',
      },
    )
  return roles
}

/** The process listens: for the API, or for the page with what it reads. */
export function listens(roles: Roles): boolean {
  return roles.has('api') || roles.has('ui')
}

/** A lease that is shorter could be over before it is renewed. */
const SHORTEST_LEASE_MS = 1000

/** In milliseconds. Throws SW_CONFIG_INVALID. */
export function leaseOf(config: Config): number {
  const leaseMs = parseDuration(config.lease)
  if (leaseMs < SHORTEST_LEASE_MS)
    throw fail('SW_CONFIG_INVALID', `lease is ${config.lease}, and must be 1s or more`, {
      remedy: 'give it as long as a pause of the process, or of its database, may take',
    })
  return leaseMs
}

/** How long a joined host may be silent before its agents start elsewhere. */
export function hostLeaseOf(config: Config): number {
  const leaseMs = parseDuration(config.hostLease)
  if (leaseMs < SHORTEST_HOST_LEASE_MS)
    throw fail('SW_CONFIG_INVALID', `hostLease is ${config.hostLease}, and must be 3s or more`, {
      remedy: 'give it as long as a network may be away without agents being moved',
    })
  return leaseMs
}

/** How many runs the process moves at once; 0 without the role. */
export function maxRunsOf(config: Config, roles: Roles): number {
  return roles.has('worker') ? config.maxRuns : 0
}
