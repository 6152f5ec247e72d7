import type { Route } from '../../http/route.ts'
import { listPolicyDecisions, listPolicyVersions } from './read-policies.ts'

/** What policies there were, and what they decided. */
export const POLICY_ROUTES: readonly Route[] = [listPolicyVersions, listPolicyDecisions]
