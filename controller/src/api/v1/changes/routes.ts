import type { Route } from '../../http/route.ts'
import { approveChange, rejectChange } from './decide-change.ts'
import { listChanges } from './list-changes.ts'

/** Changes of the state repo that wait for somebody's word, or are denied. */
export const CHANGE_ROUTES: readonly Route[] = [listChanges, approveChange, rejectChange]
