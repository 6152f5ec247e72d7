import type { Condition, ConditionTable, Reason } from '../kinds/conditions.ts'
import type { ObjectStatus } from '../kinds/resource.ts'
import { ConditionSet, type Statement } from './condition-set.ts'

/** What a reconcile came to, as far as the status is concerned. */
export interface Summary {
  readonly table: ConditionTable
  readonly generation: number
  readonly now: Date
  /** What the phases said. */
  readonly said: ConditionSet
  /** The status' own fields (`phase`, `instances` …). */
  readonly fields: Readonly<Record<string, unknown>>
  /** Ready when nothing speaks against it. */
  readonly ready: Statement
}

const MAX_MESSAGE = 4096

/**
 * The new status from the old one and what was said. The laws of kstatus hold whatever the phases forgot: Ready is always
 * there, Ready is never True beside a failing condition it is summed from, a negative condition that was not said is
 * gone, and a transition time moves only when the condition's status does. Pure.
 */
export function summarize(old: ObjectStatus, summary: Summary): ObjectStatus {
  const said = new ConditionSet()
  for (const [type, statement] of summary.said.entries())
    said.set(type, statement.status, statement.reason, statement.message)
  const ready = readyOfAll(summary)
  said.set('Ready', ready.status, ready.reason, ready.message)
  const before = new Map((old.conditions ?? []).map((condition) => [condition.type, condition]))
  const conditions = [...said.entries()]
    .filter(([type]) => summary.table.owned.includes(type))
    .map(([type, statement]) => condition(type, statement, before.get(type), summary))
    .sort((a, b) => order(summary.table, a.type) - order(summary.table, b.type))
  const { conditions: _old, ...kept } = old
  return { ...kept, ...summary.fields, observedGeneration: summary.generation, conditions }
}

/** What a phase says of Ready counts, unless it says True beside a failing condition. */
function readyOfAll(summary: Summary): Statement {
  const said = summary.said.get('Ready')
  if (said !== undefined && said.status !== 'True') return said
  return failing(summary) ?? said ?? summary.ready
}

/** The first failing condition of the table explains Ready; null when none fails. */
function failing(summary: Summary): Statement | null {
  for (const type of summary.table.readyFrom) {
    const statement = summary.said.get(type)
    if (statement === undefined) continue
    const bad = summary.table.negative.includes(type) ? statement.status !== 'False' : statement.status !== 'True'
    if (!bad) continue
    const unknown = type === 'Suspended' || statement.status === 'Unknown'
    return { status: unknown ? 'Unknown' : 'False', reason: statement.reason, message: statement.message }
  }
  return null
}

function condition(type: string, statement: Statement, before: Condition | undefined, summary: Summary): Condition {
  const moved = before === undefined || before.status !== statement.status
  return {
    type,
    status: statement.status,
    reason: statement.reason,
    message: storable(statement.message),
    observedGeneration: summary.generation,
    lastTransitionTime: moved ? summary.now.toISOString() : before.lastTransitionTime,
  }
}

/** Messages quote what others said: cut, and without what the database cannot hold. */
function storable(message: string): string {
  const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message
  return short.toWellFormed().replaceAll('\0', '\ufffd')
}

function order(table: ConditionTable, type: string): number {
  const at = table.owned.indexOf(type)
  return at === -1 ? table.owned.length : at
}

/** Ready of a status in one word; `Unknown` when it was never said. */
export function readyOf(status: ObjectStatus): Pick<Condition, 'status' | 'reason' | 'message'> {
  const ready = status.conditions?.find((found) => found.type === 'Ready')
  return ready ?? { status: 'Unknown', reason: 'Progressing' satisfies Reason, message: 'not reconciled yet' }
}
