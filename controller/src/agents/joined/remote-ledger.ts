import type { NewInstance } from '../../store/queries/instances.ts'
import type { TaskRow } from '../../store/queries/tasks.ts'
import type { Claim, Ledger, LostProcess, Queue, Standing } from '../ledger.ts'
import { instanceOfWire, type LedgerRequest, taskOfWire, type WireInstance } from '../ledger-wire.ts'

/** Asks the control plane; throws when it cannot be reached, or says no. */
export type AskLedger = (request: LedgerRequest) => Promise<unknown>

/** The ledger of a joined host: every method is one request, answered from the same transactions as next to the database. */
export function remoteLedger(ask: AskLedger, canStart: () => boolean): Ledger {
  const tasks = (rows: unknown) => (rows as TaskRow[]).map(taskOfWire)
  return {
    canStart,
    async look(agentUid, replicas) {
      const { live, endings, tasks: held } = (await ask({ op: 'look', agent_uid: agentUid, replicas })) as Standing
      return { live: live.map(instanceOfWire), endings: endings.map(instanceOfWire), tasks: tasks(held) }
    },
    async living() {
      return ((await ask({ op: 'living' })) as Standing['live']).map(instanceOfWire)
    },
    lost: async () => (await ask({ op: 'lost' })) as LostProcess[],
    usedSlots: async () => (await ask({ op: 'used_slots' })) as number,
    tasksOf: async (ids) => (ids.length === 0 ? [] : tasks(await ask({ op: 'tasks_of', instance_ids: ids }))),
    queue: async (ids) => (await ask({ op: 'queue', instance_ids: ids })) as Queue,
    endedBefore: async (ids, before) =>
      (await ask({ op: 'ended_before', instance_ids: ids, before: before.toISOString() })) as string[],
    insert: async (row) => (await ask({ op: 'insert', row: wireOf(row) })) as 'inserted' | 'taken' | 'full',
    async claim(row) {
      const claim = (await ask({ op: 'claim', row: wireOf(row) })) as Claim
      return claim.type === 'claimed' ? { type: 'claimed', task: taskOfWire(claim.task) } : claim
    },
    started: async (id, { pid, start }) => void (await ask({ op: 'started', id, pid, start })),
    adopted: async (id, { pid, start }) => void (await ask({ op: 'adopted', id, pid, start })),
    draining: async (id, reason) => void (await ask({ op: 'draining', id, reason })),
    notStarted: async (id, message) => void (await ask({ op: 'not_started', id, message: message.slice(0, 4096) })),
    ended: async (id, { exitCode, reason, pid }) =>
      tasks(await ask({ op: 'ended', id, exit_code: exitCode, reason, pid })),
    commandEnded: async (id, { exitCode, reason, attempt, verdict }) =>
      void (await ask({ op: 'command_ended', id, exit_code: exitCode, reason, attempt, verdict })),
  }
}

/** Its members by name: a row may carry more than is asked for. */
function wireOf(row: NewInstance): WireInstance {
  const { id, agentUid, namespace, agent, ordinal, mode, slots, launchDigest, tokenSha256, restartCount, crashCount } =
    row
  return {
    id,
    agentUid,
    namespace,
    agent,
    ordinal,
    mode,
    slots,
    launchDigest,
    tokenSha256,
    restartCount,
    crashCount,
  }
}
