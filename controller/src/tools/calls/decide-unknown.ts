import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import type { NewEvent } from '../../store/ports.ts'
import { pauseLoop } from '../../store/queries/model-loops.ts'
import { endToolCall, repeatToolCall, type ToolCallRow } from '../../store/queries/tool-calls.ts'
import { callError } from './call-error.ts'
import { endEvent, toolEvent } from './call-events.ts'

/** What a person says of a call whose end a crash hid. */
export type UnknownAnswer =
  /** It took no effect: call the tool again. */
  | { readonly answer: 'retry' }
  /** It took effect, with this output. */
  | { readonly answer: 'done'; readonly output: Json }

interface Decided {
  readonly actor: string
  readonly at: Date
  readonly envId: string
  /** The writer that calls the tool again. */
  readonly owner: string
}

/**
 * Decides on a call that nobody knows the end of: `retry`, `done`, or null, which gives it up. The time of whoever waits for it
 * stood still meanwhile. Returns what is to be appended to the log.
 */
export async function decideUnknown(
  tx: Tx,
  row: ToolCallRow,
  answer: UnknownAnswer | null,
  { actor, at, envId, owner }: Decided,
): Promise<readonly NewEvent[]> {
  if (row.task_id !== null) await pauseLoop(tx, row.task_id, row.quarantined_at ?? at, at)
  const end = { log: row.log, at }
  if (answer === null) {
    const error = callError(
      fail('SW_EFFECT_UNKNOWN', `${actor} gave up ${row.tool}; nobody knows whether the call took effect`),
    )
    const ended = await endToolCall(tx, row.id, { ...end, state: 'failed', output: null, error })
    return [endEvent(ended!, envId, at, actor)]
  }
  if (answer.answer === 'done') {
    const ended = await endToolCall(tx, row.id, { ...end, state: 'succeeded', output: answer.output, error: null })
    return [endEvent(ended!, envId, at, actor)]
  }
  // What became of the call before stays unknown, and paid: this one has a reservation and an undo of its own.
  const operationId = `${row.operation_id}/${at.getTime()}`
  await repeatToolCall(tx, row.id, { owner, at, operationId })
  return [toolEvent('started', { ...row, operation_id: operationId }, { envId, at, actor })]
}
