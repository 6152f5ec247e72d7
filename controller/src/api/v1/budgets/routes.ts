import type { Route } from '../../http/route.ts'
import { listBudgets, listReservations, raiseBudget, readBudget } from './budget-routes.ts'

/** How much may be spent, and how much of it is gone. */
export const BUDGET_ROUTES: readonly Route[] = [listBudgets, readBudget, listReservations, raiseBudget]
