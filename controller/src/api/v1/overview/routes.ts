import type { Route } from '../../http/route.ts'
import { readOverview } from './read-overview.ts'

/** What the page shows first. */
export const OVERVIEW_ROUTES: readonly Route[] = [readOverview]
