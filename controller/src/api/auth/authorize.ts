import { fail } from '../../lib/error-catalogue.ts'
import type { Access, Principal } from './principal.ts'
import { rolesWith } from './roles.ts'
import { VERBS } from './verbs.ts'

/** Lets a principal pass or throws SW_UNAUTHENTICATED (a credential would help) or SW_FORBIDDEN (this one does not). */
export function authorize(principal: Principal, access: Access): void {
  if (access === 'public' || principal.verbs.has(access)) return
  if (principal.type === 'anonymous') throw fail('SW_UNAUTHENTICATED', 'this needs a credential')
  throw fail('SW_FORBIDDEN', `${principal.name} may not ${VERBS[access].description}`, {
    details: { verb: access, roles: rolesWith(access) },
  })
}
