import { mapShellParameters } from '../../expressions/shell-parameters.ts'
import { secretParameters } from '../../kinds/secret-ref.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { getRun } from '../../store/queries/runs.ts'
import type { ToolCallRow } from '../../store/queries/tool-calls.ts'
import type { ToolInfo } from '../ports.ts'
import { cleanText, mapTexts } from '../text.ts'
import { callError } from './call-error.ts'
import type { PaidThing, ToolCallDeps } from './ports.ts'

/** How a call ended, and what becomes of the money behind that record. */
export interface CallEnd {
  readonly state: 'succeeded' | 'failed' | 'unknown'
  readonly output: Json
  readonly error: JsonObject | null
  readonly log: readonly string[]
  readonly settle: () => Promise<void>
}

const NANO_A_CENT = 10_000_000n
/** Of a log that a row keeps. */
const MAX_LINES = 200
const LEASE_POLL_MS = 50
/** Errors that say that the tool was not called at all. */
const NOT_CALLED: readonly string[] = [
  'SW_BREAKER_OPEN',
  'SW_VALIDATION_FAILED',
  'SW_TOOL_UNKNOWN',
  'SW_TOOL_BUSY',
  'SW_OUTBOUND_DENIED',
]

/** Whoever calls a tool directly writes what its shell reads himself: there are no values in it. */
export function shellTexts(tool: ToolInfo, input: JsonObject): JsonObject {
  const whole = (value: Json): Json => (typeof value === 'string' ? { literal: value, args: [] } : value)
  return mapShellParameters(tool.inputSchema, input, whole) as JsonObject
}

/** Makes a call whose row is there. Never rejects. */
export async function makeCall(deps: ToolCallDeps, row: ToolCallRow, signal: AbortSignal): Promise<CallEnd> {
  const log: string[] = [...row.log]
  const write = (line: string): void => {
    if (log.length < MAX_LINES) log.push(cleanText(line))
  }
  const nothing = async (): Promise<void> => {}
  try {
    const tool = deps.tools.find(row.tool, row.namespace)
    if (tool === null) throw fail('SW_TOOL_UNKNOWN', `the tool ${row.tool} is not there any more`)
    const price = priceOf(tool)
    const settle = (kind: 'nothing' | 'as_declared' | 'unknown') => () =>
      price === 0n ? nothing() : deps.purse.settle(row.operation_id, { kind })
    if (price > 0n) await pay(deps, row, price)
    try {
      const output = await run(deps, row, tool, { signal, write })
      return { state: 'succeeded', output, error: null, log, settle: settle('as_declared') }
    } catch (error) {
      const wasCalled = !(error instanceof StatewardError && NOT_CALLED.includes(error.ref))
      const end = { state: 'failed', output: null, error: callError(error), log } as const
      return { ...end, settle: settle(wasCalled ? 'unknown' : 'nothing') }
    }
  } catch (error) {
    return { state: 'failed', output: null, error: callError(error), log, settle: nothing }
  }
}

async function run(
  deps: ToolCallDeps,
  row: ToolCallRow,
  tool: ToolInfo,
  { signal, write }: { readonly signal: AbortSignal; readonly write: (line: string) => void },
): Promise<Json> {
  const { store } = deps
  while (!store.writer.canStartEffects()) {
    signal.throwIfAborted()
    if (store.writer.isLost) throw fail('SW_CANCELLED', 'the process lost its lease')
    await new Promise((resolve) => setTimeout(resolve, LEASE_POLL_MS))
  }
  const workspace = await deps.workspace({
    namespace: row.namespace,
    agent: row.agent,
    run: row.run_id === null ? null : { id: row.run_id, step: row.step ?? '', attempt: row.attempt ?? 1 },
  })
  const output = await deps.tools.run(
    {
      tool: row.tool,
      with: shellTexts(tool, row.input),
      // A model reads what others wrote: what it asks for names no secret unless the agent may choose them.
      refs: row.agent === null || mayChooseSecrets(deps, row) ? secretParameters(row.input) : [],
      namespace: row.namespace,
      operationId: row.operation_id,
      correlationId: row.correlation_id,
      actor: row.actor,
      workspace,
      deadline: row.deadline,
    },
    { signal, log: write },
  )
  return mapTexts(output, cleanText)
}

/** An agent whose capabilities cover `secret.use`. */
function mayChooseSecrets({ agent }: ToolCallDeps, row: ToolCallRow): boolean {
  const { capabilities = [] } = agent(row.namespace, row.agent!) ?? {}
  return capabilities.some((word) => word === 'secret' || word === 'secret.use')
}

/** Nano-USD, by what the tool declares. */
function priceOf({ estimatedCents = 0, isRehearsal = false, paysItself = false }: ToolInfo): bigint {
  return isRehearsal || paysItself ? 0n : BigInt(estimatedCents) * NANO_A_CENT
}

/** Keeps the money, or throws SW_OVER_BUDGET. */
async function pay(deps: ToolCallDeps, row: ToolCallRow, amount: bigint): Promise<void> {
  const run = row.run_id === null ? null : await getRun(deps.store.engine, row.run_id)
  const thing: PaidThing = {
    id: row.operation_id,
    amount,
    namespace: row.namespace,
    agent: row.agent,
    blueprint: run?.blueprint ?? null,
    run: run === null ? null : { id: run.run_id, name: run.name, max: null },
    step: row.step,
    attempt: row.attempt,
    tool: row.tool,
    provider: null,
    model: null,
    revision: run?.revision ?? null,
    actor: row.actor,
    correlationId: row.correlation_id,
  }
  const reservation = await deps.purse.reserve(thing)
  if (reservation.granted) return
  // Nobody waits in the queue for it.
  await deps.purse.settle(row.operation_id, { kind: 'nothing' })
  throw fail('SW_OVER_BUDGET', `the call of ${row.tool} cannot be paid: ${reservation.message}`, {
    remedy: 'raise maxUsd of the budget by a commit, then call again',
  })
}
