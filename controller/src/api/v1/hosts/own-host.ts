import { fail } from '../../../lib/error-catalogue.ts'
import type { Principal } from '../../auth/principal.ts'

/** The host a request speaks for, which its path has to name. Throws SW_FORBIDDEN for anybody else. */
export function ownHost(principal: Principal, name: string): string {
  if (principal.type !== 'host') throw fail('SW_FORBIDDEN', 'only a joined host may do this, with its own credential')
  if (principal.host !== name) throw fail('SW_FORBIDDEN', `the credential belongs to ${principal.name}`)
  return name
}
