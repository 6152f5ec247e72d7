import type { Route } from '../../http/route.ts'
import { blameCosts, forecastCosts } from './foresee-costs.ts'
import { listCosts, summarizeCosts } from './read-costs.ts'
import { recordCost } from './record-cost.ts'

/** The ledger of what was spent. */
export const COST_ROUTES: readonly Route[] = [recordCost, listCosts, summarizeCosts, forecastCosts, blameCosts]
