import type { Route } from '../../http/route.ts'
import { adoptDrift, enforceDrift, listDrift, readDrift } from './drift-routes.ts'

/** Where live state is not what Git says, and both ways out of it. */
export const DRIFT_ROUTES: readonly Route[] = [listDrift, readDrift, enforceDrift, adoptDrift]
