import type { Route } from '../../http/route.ts'
import { readCapabilities } from './capabilities.ts'
import { executeAction } from './execute-action.ts'
import { queryRuntime } from './query.ts'
import { simulateRuntime } from './simulate.ts'

/** What can be done, what it would cost, how things stand, and doing one thing now. */
export const RUNTIME_ROUTES: readonly Route[] = [readCapabilities, simulateRuntime, queryRuntime, executeAction]
