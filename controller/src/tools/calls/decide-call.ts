import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ApprovalRequirement } from '../../policy/evaluate/verdict.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import { taskById } from '../../store/queries/tasks.ts'
import {
  addApprover,
  beginToolCall,
  endToolCall,
  isUndecided,
  lockToolCall,
  type ToolCallRow,
  toolCallById,
} from '../../store/queries/tool-calls.ts'
import { transact } from '../../store/transact.ts'
import { callError } from './call-error.ts'
import { endEvent, toolEvent } from './call-events.ts'
import { decideUnknown, type UnknownAnswer } from './decide-unknown.ts'
import type { ToolCallDeps } from './ports.ts'

const OPEN: ReadonlySet<string> = new Set(['queued', 'leased'])

export interface Decision {
  readonly approved: boolean
  readonly actor: string
  readonly reason: string | null
  /** Of a call whose end nobody knows, with its approval. */
  readonly answer?: UnknownAnswer
}

/**
 * What a person says of a call that waits, or of one whose end a crash hid. An agent decides nothing, and nobody approves his own call. The same again
 * changes nothing. Throws SW_NOT_FOUND, SW_CONFLICT (it does not wait any more), SW_FORBIDDEN.
 */
export async function decideCall(deps: ToolCallDeps, id: string, decision: Decision): Promise<ToolCallRow> {
  const { store } = deps
  const { actor, approved } = decision
  if (actor.startsWith('agent:')) throw fail('SW_FORBIDDEN', 'an agent decides about no call')
  if (approved) deps.assertGoing()
  await transact(store, async (tx) => {
    const row = await lockToolCall(tx, id)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no call ${id}`)
    if (isUndecided(row)) {
      const { answer } = decision
      if (approved && answer === undefined)
        throw fail(
          'SW_VALIDATION_FAILED',
          `nobody knows whether ${row.tool} took effect: the answer has to say retry or done`,
        )
      if (approved) await assertWanted(tx, row)
      const by = { actor, at: store.clock.now(), envId: deps.envId(row.namespace), owner: store.writer.id }
      await appendEvents(tx, store, [...(await decideUnknown(tx, row, approved ? answer! : null, by))])
      return
    }
    if (decision.answer !== undefined)
      throw fail('SW_CONFLICT', `the call is ${row.state}: nobody has to say what became of it`)
    if (row.state !== 'waiting') throw fail('SW_CONFLICT', `the call is ${row.state}: nobody waits for a decision`)
    if (approved && actor === row.actor) throw fail('SW_FORBIDDEN', 'nobody approves what he asked for himself')
    const at = store.clock.now()
    const scope = { envId: deps.envId(row.namespace), at, actor }
    if (!approved) {
      const why = `${actor} rejected the call of ${row.tool}${decision.reason === null ? '' : `: ${decision.reason}`}`
      const error = callError(fail('SW_GATE_REJECTED', why))
      const ended = await endToolCall(tx, id, { state: 'refused', output: null, error, log: [], at })
      await appendEvents(tx, store, [endEvent(ended!, scope.envId, at, actor)])
      return
    }
    if (row.approved_by.includes(actor)) return
    await assertWanted(tx, row)
    const asked = row.approvals.map(requirementOf)
    const before = row.approved_by
    if (!asked.some((one) => counts(deps, one, row.namespace, actor)))
      throw fail('SW_FORBIDDEN', `the word of ${actor} is not one that is asked for`, {
        details: { approvals: asked },
      })
    const approvers = [...before, actor]
    const events = [toolEvent('approved', row, scope, { approvals: approvers.length })]
    if (asked.every((one) => deps.policies.meets(one, row.namespace, approvers))) {
      await beginToolCall(tx, id, { actor, owner: store.writer.id, at })
      events.push(toolEvent('started', row, { envId: scope.envId, at }))
    } else await addApprover(tx, id, actor)
    await appendEvents(tx, store, events)
  })
  return (await toolCallById(store.engine, id))!
}

/** A call is made for its task: once that has ended, it is not wanted any more. SW_CONFLICT. */
async function assertWanted(tx: Tx, { id, task_id: taskId }: ToolCallRow): Promise<void> {
  if (taskId === null) return
  const task = await taskById(tx, taskId)
  if (task !== null && !OPEN.has(task.status))
    throw fail('SW_CONFLICT', `the call was made for task ${taskId}, which is ${task.status}`, {
      remedy: `stateward tool reject ${id}`,
    })
}

function requirementOf(value: JsonObject): ApprovalRequirement {
  return value as unknown as ApprovalRequirement
}

/** Whether one person is among those whose word counts. */
function counts(deps: ToolCallDeps, approval: ApprovalRequirement, namespace: string, actor: string): boolean {
  return deps.policies.meets({ ...approval, min: 1 }, namespace, [actor])
}
