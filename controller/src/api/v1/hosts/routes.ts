import type { Route } from '../../http/route.ts'
import { cordonHost, drainHost, removeHost, uncordonHost } from './change-host.ts'
import { awaitHostAssignments, fetchHostTree, sendHostLog } from './host-assignments.ts'
import { askHostLedger } from './host-ledger.ts'
import { beginHostSession, heartbeatHost, leaveHost } from './host-session.ts'
import { createHostToken, listHostTokens, revokeHostToken } from './host-tokens.ts'
import { listHosts, readHost, readHostCapacity } from './list-hosts.ts'
import { registerHost } from './register-host.ts'

/** Hosts for people, then what joined hosts say. */
export const HOST_ROUTES: readonly Route[] = [
  listHosts,
  readHost,
  readHostCapacity,
  cordonHost,
  uncordonHost,
  drainHost,
  removeHost,
  createHostToken,
  listHostTokens,
  revokeHostToken,
  registerHost,
  beginHostSession,
  heartbeatHost,
  leaveHost,
  awaitHostAssignments,
  fetchHostTree,
  sendHostLog,
  askHostLedger,
]
