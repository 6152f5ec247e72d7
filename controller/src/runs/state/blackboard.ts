import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { cleanJson } from '../../store/journal/clean.ts'
import type { EffectRow, StepRow } from '../../store/journal.ts'

/** Bytes of one value, and of all values with their keys, as JSON. */
const MAX_VALUE_BYTES = 64 * 1024
const MAX_BYTES = 1024 * 1024
const MAX_KEYS = 1000

/** What the steps of a run tell each other. A value is the row of the step that set it, so nothing else has to be stored. */
export interface Blackboard {
  /** What expressions read as `blackboard.<key>`; one object for all frames of the run. */
  readonly values: Record<string, Json>
  /** Counts what was set: of two values of a key, the higher one counts. */
  version: number
  bytes: number
}

export const SET = 'blackboard.set'
const GET = 'blackboard.get'

/** Whether an action only works on the run itself, by its name or alias. */
export function isBlackboardAction(action: string): boolean {
  return /^blackboard[._](get|set)$/.test(action)
}

/** From the rows: whoever takes the run over reads what its last owner wrote. */
export function blackboardOf(steps: readonly StepRow[], effects: readonly EffectRow[]): Blackboard {
  const wrote = new Set(
    effects
      .filter(({ tool, state }) => tool === SET && state === 'succeeded')
      .map(({ path, attempt }) => `${path} ${attempt}`),
  )
  const board: Blackboard = { values: Object.create(null) as Record<string, Json>, version: 0, bytes: 0 }
  if (wrote.size === 0) return board
  const versionOf = ({ outputs }: StepRow): number => Number((outputs as { version?: Json } | null)?.version ?? 0)
  const rows = steps.filter(({ path, attempt, outputs }) => wrote.has(`${path} ${attempt}`) && outputs !== null)
  for (const row of rows.toSorted((one, other) => versionOf(one) - versionOf(other))) {
    const { key, value = null } = row.inputs as { key: string; value?: Json }
    put(board, key, value)
    board.version = versionOf(row)
  }
  return board
}

/** What one of the two tools answers, given parameters that fit its schema. SW_BLACKBOARD_FULL: `set` beyond the limits. */
export function useBlackboard(board: Blackboard, tool: string, parameters: JsonObject): JsonObject {
  const { key, value, default: otherwise } = parameters as { key: string; value?: Json; default?: Json }
  if (tool === GET) {
    const found = Object.hasOwn(board.values, key)
    return { key, value: found ? board.values[key]! : (otherwise ?? null), found }
  }
  const clean = cleanJson(value ?? null).value
  assertRoom(board, key, clean)
  put(board, key, clean)
  board.version += 1
  return { key, version: board.version }
}

function assertRoom(board: Blackboard, key: string, value: Json): void {
  const bytes = sizeOf(key, value)
  const full = (message: string) =>
    fail('SW_BLACKBOARD_FULL', message, {
      details: { key, bytes, max_value_bytes: MAX_VALUE_BYTES, max_bytes: MAX_BYTES },
    })
  if (bytes > MAX_VALUE_BYTES) throw full(`the value of ${key} has ${bytes} bytes, more than ${MAX_VALUE_BYTES}`)
  const isNew = !Object.hasOwn(board.values, key)
  if (isNew && Object.keys(board.values).length >= MAX_KEYS) throw full(`the blackboard has ${MAX_KEYS} keys already`)
  const all = board.bytes + bytes - (isNew ? 0 : sizeOf(key, board.values[key]!))
  if (all > MAX_BYTES) throw full(`with ${key} the blackboard would have ${all} bytes, more than ${MAX_BYTES}`)
}

function put(board: Blackboard, key: string, value: Json): void {
  if (Object.hasOwn(board.values, key)) board.bytes -= sizeOf(key, board.values[key]!)
  board.values[key] = value
  board.bytes += sizeOf(key, value)
}

function sizeOf(key: string, value: Json): number {
  return key.length + Buffer.byteLength(JSON.stringify(value))
}
