import { secretRefsOf } from '../agents/agent-target.ts'
import type { Agents } from '../agents/agents.ts'
import { secretAnswer } from '../agents/joined/remote-secrets.ts'
import type { Ledger } from '../agents/ledger.ts'
import type { LedgerRequest, WireInstance } from '../agents/ledger-wire.ts'
import { hostFacts } from '../hosts/host-facts.ts'
import { assertSession } from '../hosts/sessions.ts'
import type { AgentSpec } from '../kinds/agent/agent.schema.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { type HostRow, hostByName } from '../store/queries/hosts.ts'
import type { NewInstance } from '../store/queries/instances.ts'
import { assignmentsOf, isPlacedOn, setHostReport } from '../store/queries/placements.ts'
import { transact } from '../store/transact.ts'
import type { Core } from './core.ts'
import { hostSpecOf } from './hosts.ts'

/**
 * Answers what joined hosts ask of the ledger. A host sees and writes what is its own: processes on it, agents placed on it.
 * Everything that writes proves in its transaction that the session holds its lease.
 */
export function hostLedger(core: Core, agents: Agents) {
  const { store } = core
  return {
    async answer(host: string, session: string, request: LedgerRequest): Promise<unknown> {
      const row = await hostByName(store.engine, host)
      if (row === null || row.session !== session) throw fail('SW_CONFLICT', `this session of host ${host} is over`)
      const ledger = agents.ledgerOf(host, {
        guard: (tx) => assertSession(tx, host, session),
        mayPlace: (tx, wanted) => isPlacedOn(tx, wanted.agentUid, wanted.ordinal, host),
        ...(row.boot_id === null ? {} : { bootId: row.boot_id }),
      })
      return (await answer(core, ledger, row, session, request)) ?? null
    },
  }
}

async function answer(core: Core, ledger: Ledger, row: HostRow, session: string, asked: LedgerRequest) {
  switch (asked.op) {
    case 'look':
      return look(core, ledger, row.name, asked)
    case 'living':
      return ledger.living()
    case 'lost':
      return row.boot_id === null ? [] : ledger.lost(row.boot_id)
    case 'used_slots':
      return ledger.usedSlots()
    case 'tasks_of':
      return ledger.tasksOf(await ownOnly(ledger, asked.instance_ids))
    case 'queue':
      return ledger.queue(await ownOnly(ledger, asked.instance_ids))
    case 'ended_before':
      return ledger.endedBefore(asked.instance_ids, new Date(asked.before))
    case 'insert':
      return ledger.insert(rowOf(core, row, asked.row), capacity(core, row))
    case 'claim':
      return ledger.claim(rowOf(core, row, asked.row), capacity(core, row))
    case 'started':
      return ledger.started(asked.id, { pid: asked.pid, start: asked.start })
    case 'adopted':
      return ledger.adopted(asked.id, { pid: asked.pid, start: asked.start })
    case 'draining':
      return ledger.draining(asked.id, asked.reason)
    case 'not_started':
      return ledger.notStarted(asked.id, asked.message)
    case 'ended':
      return ledger.ended(asked.id, { exitCode: asked.exit_code, reason: asked.reason, pid: asked.pid })
    case 'command_ended': {
      const { id, exit_code: exitCode, reason, attempt, verdict } = asked
      return ledger.commandEnded(id, { exitCode, reason, attempt, verdict })
    }
    case 'report':
      return report(core, row.name, session, asked)
    case 'secret':
      return secretAnswer(() => secret(core, row.name, asked))
  }
}

/** Of other hosts it is told which replicas they have, not what they work on. */
async function look(core: Core, ledger: Ledger, host: string, asked: Extract<LedgerRequest, { op: 'look' }>) {
  const standing = await ledger.look(asked.agent_uid, asked.replicas)
  const own = new Set(standing.live.filter((row) => row.host === host).map(({ id }) => id))
  const isAssigned = (await assignmentsOf(core.store.engine, host)).some((one) => one.agent_uid === asked.agent_uid)
  if (!isAssigned && own.size === 0) return { live: [], endings: [], tasks: [] }
  return { ...standing, tasks: standing.tasks.filter(({ instance_id: id }) => id !== null && own.has(id)) }
}

async function ownOnly(ledger: Ledger, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const own = new Set((await ledger.living()).map(({ id }) => id))
  return ids.filter((id) => own.has(id))
}

function rowOf(core: Core, host: HostRow, row: WireInstance): NewInstance {
  return { ...row, host: host.name, bootId: host.boot_id ?? '', createdAt: core.store.clock.now() }
}

function capacity(core: Core, row: HostRow): number {
  return hostFacts(row.name, row, hostSpecOf(core.world)(row.name)).slots
}

async function report(
  { store, announce }: Core,
  host: string,
  session: string,
  { agent_uid: uid, report: said }: Extract<LedgerRequest, { op: 'report' }>,
): Promise<void> {
  await transact(store, async (tx) => {
    await assertSession(tx, host, session)
    await setHostReport(tx, host, uid, isObject(said) ? (said as JsonObject) : null)
  })
  const target = (await assignmentsOf(store.engine, host)).find((one) => one.agent_uid === uid)?.target
  if (target !== undefined) announce.object(`Agent/${String(target['namespace'])}/${String(target['name'])}`)
}

/** Only what an agent that is placed there declares. */
async function secret(
  core: Core,
  host: string,
  asked: Extract<LedgerRequest, { op: 'secret' }>,
): Promise<string | null> {
  const { name, key } = asked
  const wanted = (await assignmentsOf(core.store.engine, host)).find(({ target }) =>
    secretRefsOf(target['spec'] as unknown as AgentSpec).some((ref) => ref.name === name && ref.key === key),
  )
  if (wanted === undefined) throw fail('SW_FORBIDDEN', `no agent on host ${host} declares the secret ${name}/${key}`)
  const namespace = String(wanted.target['namespace'])
  const consumer = `agent:${namespace}/${String(wanted.target['name'])}`
  return core.secrets.read({ name, key }, { consumer, namespace })
}
