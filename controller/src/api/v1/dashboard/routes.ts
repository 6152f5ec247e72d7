import type { Route } from '../../http/route.ts'
import { readDashboard } from './read-dashboard.ts'

/** What somebody sees first. */
export const DASHBOARD_ROUTES: readonly Route[] = [readDashboard]
