import type { Route } from '../../http/route.ts'
import { listBreakers, readBreaker, resetBreaker, triggerBreaker } from './breaker-routes.ts'

/** Tools and agents that are not to be used for now. */
export const BREAKER_ROUTES: readonly Route[] = [listBreakers, readBreaker, triggerBreaker, resetBreaker]
