import type { EventName } from '../../../events/catalogue.ts'
import type { LoggedEvent } from '../../../store/ports.ts'

/** Alerts, what waits for somebody's decision and how it was decided, and what stops agents: by the beginning of the name. */
const FOR_OPERATORS = [
  'stateward.alert.',
  'stateward.approval.',
  'stateward.change.',
  'stateward.run.gate.',
  'stateward.proposal.',
  'stateward.intervention.',
  'stateward.breaker.',
  'stateward.budget.',
] as const

const ONE_BY_ONE: ReadonlySet<string> = new Set<EventName>([
  'stateward.source.deletions.approved',
  'stateward.source.history_rewritten',
  'stateward.run.step.quarantined',
  'stateward.message.dead_lettered',
  'stateward.bus.restarted',
])

/** Items of the work graph that are for people. */
const ESCALATED: ReadonlySet<unknown> = new Set(['escalation', 'human_decision'])

/** Conditions that a person has to do something about: an approval is missing, or a limit is reached. */
const BLOCKED: ReadonlySet<unknown> = new Set(['ApprovalRequired', 'BlastRadius', 'OverBudget'])

/** What the stream of the operator (or founder) carries of the log: alerts, approvals, escalations. Pure. */
export function isForOperators({ event_name: name, data }: Pick<LoggedEvent, 'event_name' | 'data'>): boolean {
  if (!name.startsWith('stateward.')) return false
  if (ONE_BY_ONE.has(name) || FOR_OPERATORS.some((prefix) => name.startsWith(prefix))) return true
  if (name.startsWith('stateward.work.')) return ESCALATED.has(data['type'])
  return name === 'stateward.object.status_changed' && BLOCKED.has(data['reason'])
}
