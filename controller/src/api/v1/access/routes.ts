import type { Route } from '../../http/route.ts'
import { createPageLink } from '../page/create-link.ts'
import { createKey } from './create-key.ts'
import { listKeys } from './list-keys.ts'
import { listRoles } from './list-roles.ts'
import { revokeKey } from './revoke-key.ts'

/** Who may do what: API keys, roles, and links that sign browsers in. */
export const ACCESS_ROUTES: readonly Route[] = [createKey, listKeys, revokeKey, listRoles, createPageLink]
