import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { isUuid, uuidv7 } from '../../lib/ids.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import {
  endToolCall,
  insertToolCall,
  isUndecided,
  quarantineToolCall,
  type ToolCallRow,
  takeOrphanedToolCalls,
  toolCallById,
} from '../../store/queries/tool-calls.ts'
import { transact } from '../../store/transact.ts'
import type { ToolInfo } from '../ports.ts'
import { admit, newCall } from './admit.ts'
import { callEvent, endEvent } from './call-events.ts'
import { type Decision, decideCall } from './decide-call.ts'
import { leaveCalls } from './leave-calls.ts'
import { type CallEnd, makeCall } from './make-call.ts'
import type { ToolCallDeps, ToolInvocation } from './ports.ts'

export interface WaitFor {
  /** Milliseconds to wait for the end, approvals included. The call goes on after it. */
  readonly waitMs: number
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** Ends the call itself: the tool is told to stop, and that is recorded. */
  readonly cancel?: AbortSignal
}

export interface ToolCalls {
  /**
   * Calls a tool outside of a step, with everything a step's call has: its input is checked, the agent's capabilities and the
   * policies are asked, money is kept, breaker and limits are heeded, and a row is there before the tool is called. A crash
   * repeats nothing: an idempotent tool is called again under the same operation id, of any other the end is `unknown`; the
   * loop of a model waits then for a person to say what became of it, and the row has no end until then.
   * Answers the row as it is at the end of the waiting. Throws only where nothing was recorded: SW_TOOL_UNKNOWN,
   * SW_VALIDATION_FAILED, SW_CONFLICT (the id belongs to another call), SW_FROZEN.
   */
  invoke(invocation: ToolInvocation, wait: WaitFor): Promise<ToolCallRow>
  /** Approves or rejects a call that waits, or says what became of one. With the last approval the call is made. */
  decide(id: string, decision: Decision, wait: WaitFor): Promise<ToolCallRow>
  /** Nothing is to be decided of them any more: what they were made for has ended. */
  leave(tx: Tx, ids: readonly string[]): Promise<void>
  /** Looks after calls whose process went away. */
  recover(): Promise<void>
  /** Waits a little for what is under way, then tells it to stop. */
  stop(graceMs: number): Promise<void>
}

const POLL_MS = 250
/** How long a tool may take to end after it was told to. */
const OVERRUN_MS = 5_000

export function createToolCalls(deps: ToolCallDeps): ToolCalls {
  const { store } = deps
  /** What this process calls at this moment. */
  const here = new Map<string, Promise<void>>()
  const stopping = new AbortController()

  function begin(row: ToolCallRow, cancel?: AbortSignal): void {
    if (here.has(row.id)) return
    const signal = cancel === undefined ? stopping.signal : AbortSignal.any([stopping.signal, cancel])
    const work = makeCall(deps, row, signal)
      .then((end) => record(row, end))
      .catch((error: unknown) =>
        store.log.error({ err: error, tool_call: row.id }, 'the end of a call of a tool could not be recorded'),
      )
      .finally(() => here.delete(row.id))
    here.set(row.id, work)
  }

  async function record(row: ToolCallRow, { settle, ...end }: CallEnd): Promise<void> {
    const at = store.clock.now()
    for (;;) {
      try {
        await transact(store, async (tx) => {
          const ended = await endToolCall(tx, row.id, { ...end, at })
          if (ended !== null) await appendEvents(tx, store, [endEvent(ended, deps.envId(row.namespace), at)])
        })
        break
      } catch (error) {
        // What happened is known here and nowhere else, so it is kept until the database is back or the lease is gone.
        const isAway = error instanceof StatewardError && error.ref === 'SW_DATABASE_UNREACHABLE'
        if (!isAway || store.writer.isLost) throw error
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    }
    await settle()
  }

  /** The row when it has ended, or as it is when the waiting is over. */
  async function wait(id: string, { waitMs, signal }: WaitFor): Promise<ToolCallRow> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(Math.min(waitMs, 2 ** 31 - 1))])
    for (;;) {
      const own = here.get(id)
      if (own !== undefined) await Promise.race([own, aborted(until)])
      const row = await toolCallById(store.engine, id)
      if (row === null) throw fail('SW_NOT_FOUND', `there is no call ${id}`)
      if (row.ended_at !== null || isUndecided(row) || until.aborted) return row
      await Promise.race([new Promise((resolve) => setTimeout(resolve, POLL_MS)), aborted(until)])
    }
  }

  async function create(id: string, invocation: ToolInvocation, tool: ToolInfo): Promise<ToolCallRow | null> {
    const call = await newCall(deps, id, invocation, tool)
    const made = await transact(store, async (tx) => {
      if (!(await insertToolCall(tx, call))) return false
      await appendEvents(tx, store, [callEvent(call, deps.envId(call.namespace), call.created_at)])
      return true
    })
    return made ? await toolCallById(store.engine, id) : null
  }

  return {
    async invoke(invocation, waiting) {
      const id = invocation.id ?? uuidv7(store.clock.now().getTime())
      if (!isUuid(id)) throw fail('SW_BAD_REQUEST', `the id of a call is a UUID, not ${JSON.stringify(id)}`)
      let row = await toolCallById(store.engine, id)
      const { tool, digest } = admit(deps, invocation, row)
      if (row === null) {
        deps.assertGoing()
        row = await create(id, invocation, tool!)
        if (row?.state === 'running') begin(row, waiting.cancel)
        row ??= await toolCallById(store.engine, id)
      }
      if (row!.request_digest !== digest)
        throw fail('SW_CONFLICT', `${id} is the id of another call`, { remedy: 'choose a new id for a new call' })
      if (row!.state === 'running' && !here.has(id)) await recover()
      return await wait(id, waiting)
    },
    async decide(id, decision, waiting) {
      const row = await decideCall(deps, id, decision)
      if (row.state === 'running') begin(row, waiting.cancel)
      return row.state === 'waiting' ? row : await wait(id, waiting)
    },
    leave: (tx, ids) => leaveCalls(tx, deps, ids),
    recover,
    async stop(graceMs) {
      if (here.size === 0) return
      await within(graceMs, here.values())
      stopping.abort(fail('SW_CANCELLED', 'the process stops'))
      await within(OVERRUN_MS, here.values())
    },
  }

  /** Whoever made the call goes on with it: somebody has to say what became of it. */
  async function quarantine(row: ToolCallRow): Promise<void> {
    const { error, settle } = unknownEnd(deps, row)
    const at = store.clock.now()
    await transact(store, async (tx) => {
      const open = await quarantineToolCall(tx, row.id, { error: error!, at })
      if (open !== null) await appendEvents(tx, store, [endEvent(open, deps.envId(row.namespace), at)])
    })
    await settle()
  }

  async function recover(): Promise<void> {
    const rows = await transact(store, (tx) => takeOrphanedToolCalls(tx, store.writer.id))
    for (const row of rows) {
      if (row.idempotent) begin(row)
      else if (row.task_id !== null && row.turn !== null) await quarantine(row)
      else await record(row, unknownEnd(deps, row))
    }
  }
}

function unknownEnd(deps: ToolCallDeps, row: ToolCallRow): CallEnd {
  const error = fail(
    'SW_EFFECT_UNKNOWN',
    `the process went away during the call; nobody knows whether ${row.tool} took effect`,
  )
  return {
    state: 'unknown',
    output: null,
    error: { code: error.code, ref: error.ref, message: error.message, remedy: error.remedy, retryable: false },
    log: row.log,
    settle: () => deps.purse.settle(row.operation_id, { kind: 'unknown' }),
  }
}

/** Waits for all of them, and no longer. */
async function within(ms: number, work: Iterable<Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([Promise.all(work), over])
  clearTimeout(timer)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
