import type { Agents } from '../agents/agents.ts'
import type { Assignment, Assignments, Renewal } from '../agents/joined/control-plane.ts'
import type { HostService, HostStanding } from '../api/ports/hosts.ts'
import { cordonHost, drainHost, removeHost, uncordonHost } from '../hosts/cordon.ts'
import { type HostFacts, hostFacts } from '../hosts/host-facts.ts'
import { joinHost } from '../hosts/join.ts'
import { beginSession, heartbeatHost, leaveHost } from '../hosts/sessions.ts'
import { createHostToken, revokeToken } from '../hosts/tokens.ts'
import { digestOf, sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import { hasLogRequests, insertLogPiece, takeLogRequests } from '../store/queries/host-logs.ts'
import { listHostTokens } from '../store/queries/host-tokens.ts'
import { type HostRow, hostByCredential, hostByName } from '../store/queries/hosts.ts'
import { liveInstancesOfHost } from '../store/queries/instances.ts'
import { assignmentsOf, committedByHost } from '../store/queries/placements.ts'
import { agentsWithQueuedTasks } from '../store/queries/tasks.ts'
import { treeArchive } from '../store/queries/tree-archives.ts'
import { transact } from '../store/transact.ts'
import type { Core } from './core.ts'
import { hostLedger } from './host-ledger.ts'
import { everyHost, hostSpecOf } from './hosts.ts'
import { hostLeaseOf } from './roles.ts'

/** Placements and logs are looked for this often while a host waits. */
const LOOK_MS = 400
const NOBODY = '00000000-0000-0000-0000-000000000000'
/** A reader that has not come back by then has gone. */
const READER_GONE_MS = 30_000
const TOKENS_SHOWN_MS = 7 * 86_400_000

/** Hosts as the API serves them. */
export function hostService(core: Core, agents: Agents): HostService {
  const { store, world, announce } = core
  const specOf = hostSpecOf(world)
  const leaseMs = hostLeaseOf(core.config)
  const changed = (host: string) => announce.object(`Host/${host}`)
  const ledgers = hostLedger(core, agents)
  const renewal = async (host: string): Promise<Renewal> => {
    const facts = hostFacts(host, await hostByName(store.engine, host), specOf(host))
    return {
      lease_ms: leaseMs,
      server_time: store.clock.now().toISOString(),
      shortage: facts.reason === 'BelowMinimums' ? facts.message : null,
    }
  }
  return {
    async authenticate(token) {
      const row = await hostByCredential(store.engine, sha256(token))
      return row === null ? null : { type: 'host', name: `host:${row.name}`, host: row.name }
    },
    createToken: (wanted, caller) => createHostToken(store, wanted, caller),
    listTokens: () => listHostTokens(store.reader, new Date(store.clock.now().getTime() - TOKENS_SHOWN_MS)),
    revokeToken: (token, caller) => revokeToken(store, token, caller),
    join: (request, correlationId) => joinHost(store, request, correlationId),
    list: () => standings(core),
    async get(name) {
      const found = (await standings(core)).find(({ facts }) => facts.name === name)
      if (found === undefined) throw fail('SW_NOT_FOUND', `there is no host ${name}`)
      return found
    },
    async cordon(name, caller) {
      await cordonHost(store, name, caller)
      changed(name)
    },
    async uncordon(name, caller) {
      await uncordonHost(store, specOf, name, caller)
      changed(name)
    },
    async drain(name, caller) {
      await drainHost(store, name, caller)
      changed(name)
    },
    async remove(name, caller) {
      await removeHost(store, name, caller)
      changed(name)
    },
    async begin(host, request) {
      const begun = await beginSession(store, host, { ...request, hardware: { ...request.hardware } }, leaseMs)
      changed(host)
      return { ...begun, ...(await renewal(host)) }
    },
    async heartbeat(host, session, report) {
      const { phaseReached } = await heartbeatHost(store, host, session, leaseMs, {
        metrics: report.metrics as JsonObject,
        phase: report.phase,
        message: report.message,
        bootDurationMs: report.boot_duration_ms,
      })
      if (phaseReached) changed(host)
      return renewal(host)
    },
    async leave(host, session) {
      await leaveHost(store, host, session)
      changed(host)
    },
    assignments: (host, request) => waitForAssignments(core, agents, host, request),
    ledger: (host, session, request) => ledgers.answer(host, session, request),
    async tree(host, tree) {
      const assigned = await assignmentsOf(store.engine, host)
      const archive = assigned.some(({ target }) => target['filesTree'] === tree)
        ? await treeArchive(store.engine, tree)
        : null
      if (archive === null) throw fail('SW_NOT_FOUND', `host ${host} has nothing with the files ${tree}`)
      return archive
    },
    async logPiece(host, requestId, { session, n, text, is_last: isLast }) {
      await assertCurrent(core, host, session)
      const readAfter = new Date(store.clock.now().getTime() - READER_GONE_MS)
      return transact(store, (tx) => insertLogPiece(tx, host, { requestId, n, text, isLast, readAfter }))
    },
  }
}

async function standings({ store, world }: Core): Promise<HostStanding[]> {
  const committed = await committedByHost(store.reader, NOBODY)
  return Promise.all(
    (await everyHost(store, world)).map(async ({ facts, row }) => {
      const live = await liveInstancesOfHost(store.reader, facts.name)
      return {
        facts,
        row,
        slotsUsed: live.reduce((sum, { slots }) => sum + slots, 0),
        memoryClaimed: committed.find(({ host }) => host === facts.name)?.memory ?? 0,
        instances: live.length,
      }
    }),
  )
}

/** A look without a lock: what it lets through changes nothing. */
async function assertCurrent({ store }: Core, host: string, session: string): Promise<HostRow> {
  const row = await hostByName(store.engine, host)
  if (row === null || row.session !== session) throw fail('SW_CONFLICT', `this session of host ${host} is over`)
  return row
}

async function waitForAssignments(
  core: Core,
  agents: Agents,
  host: string,
  request: Parameters<HostService['assignments']>[1],
): Promise<Assignments> {
  const { store } = core
  const until = store.clock.monotonicMs() + request.waitMs
  const queued = new Set<string>()
  let wake = (): void => {}
  const unsubscribe = agents.fleet.notifier.onTask((namespace, agent) => {
    queued.add(`${namespace}/${agent}`)
    wake()
  })
  try {
    for (let first = true; ; first = false) {
      const row = await assertCurrent(core, host, request.session)
      const now = await assignments(core, host, hostFacts(host, row, hostSpecOf(core.world)(host)))
      const logs = await waitingLogs(core, host)
      const mine = now.agents.filter(({ target }) => queued.has(`${target.namespace}/${target.name}`))
      const isNew = now.digest !== request.known
      const left = until - store.clock.monotonicMs()
      if (isNew || logs.length > 0 || mine.length > 0 || left <= 0 || request.signal.aborted) {
        const asked = first ? await agentsWithQueuedTasks(store.engine) : []
        const tasks = [...asked, ...mine.map(({ target }) => ({ namespace: target.namespace, agent: target.name }))]
        return { digest: now.digest, slots: now.slots, agents: isNew ? now.agents : null, queued: tasks, logs }
      }
      queued.clear()
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          request.signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(left, LOOK_MS))
        request.signal.addEventListener('abort', done, { once: true })
        wake = done
      })
    }
  } finally {
    unsubscribe()
  }
}

async function assignments({ store }: Core, host: string, { slots }: HostFacts) {
  const rows = await assignmentsOf(store.engine, host)
  const agents = rows.map(
    ({ target, ordinals, elsewhere }) => ({ target: target as unknown, ordinals, elsewhere }) as Assignment,
  )
  return { digest: digestOf({ agents: agents as unknown as JsonObject[], slots }), slots, agents }
}

/** Hosts ask all the time, and seldom is there a log to read. */
async function waitingLogs({ store }: Core, host: string): Promise<Assignments['logs']> {
  return (await hasLogRequests(store.engine, host)) ? transact(store, (tx) => takeLogRequests(tx, host)) : []
}
