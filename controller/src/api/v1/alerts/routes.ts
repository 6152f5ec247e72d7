import type { Route } from '../../http/route.ts'
import { acknowledgeAlert, raiseAlert, resolveAlert } from './change-alerts.ts'
import { listAlertRules, listAlerts, readAlert } from './read-alerts.ts'

/** What somebody should look at: raised by people, programs and rules. */
export const ALERT_ROUTES: readonly Route[] = [
  raiseAlert,
  listAlerts,
  listAlertRules,
  readAlert,
  acknowledgeAlert,
  resolveAlert,
]
