import { fail } from '../../lib/error-catalogue.ts'
import type { Access, AuthMode, Principal } from './principal.ts'

/**
 * Lets a principal pass or throws SW_UNAUTHENTICATED (a credential would help) or SW_FORBIDDEN (this one does not).
 * An agent's token opens its own routes only, not even the ones anonymous may read.
 */
export function authorize(principal: Principal, access: Access, mode: AuthMode): void {
  if (access === 'public') return
  switch (principal.type) {
    case 'admin':
      if (access === 'agent')
        throw fail('SW_FORBIDDEN', 'only a running instance of an agent may do this, with its own token')
      return
    case 'agent':
      if (access !== 'agent')
        throw fail('SW_FORBIDDEN', `${principal.name} may use the routes of its own registration and tasks only`)
      return
    case 'anonymous':
      if (access !== 'read' || mode !== 'none') throw fail('SW_UNAUTHENTICATED', 'this needs a credential')
  }
}
