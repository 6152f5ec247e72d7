import { isObject } from '../../lib/json.ts'
import { msBetween, tookText } from '../../lib/took.ts'
import type { StepDto } from '../client/dto.ts'
import { inlineText } from './inline-text.ts'
import { failureLine } from './run-failure.ts'

/** Where a step is, as people tell it: one that waits for a person, an agent or a time does not do anything. */
export type StepState = 'created' | 'running' | 'waiting' | 'completed' | 'failed' | 'skipped'

export function stateOf(step: StepDto): StepState {
  return step.status === 'running' && isObject(step.condition) ? 'waiting' : step.status
}

/** Whether a person has to decide it: a gate, or a call of which nobody knows what became of it. */
export function waitsForPeople(step: StepDto): boolean {
  return step.status === 'running' && step.condition?.['reason'] === 'WaitingForApproval'
}

/** How long it took, or takes until now; '' for one that has not begun. */
export function stepTook(step: StepDto, now: Date): string {
  if (step.started_at === null) return ''
  return tookText(msBetween(step.started_at, step.completed_at ?? now))
}

/** What there is to say about it in one line: its attempt, why it failed, what it waits for. */
export function stepNote(step: StepDto, ended: ReadonlySet<string>, now: Date): string {
  if (isObject(step.error)) return withAttempt(step, failureLine(step.error))
  if (isObject(step.condition)) {
    const message = inlineText(String(step.condition['message'] ?? step.condition['reason'] ?? ''))
    // Between two attempts the message tells which one follows.
    const next = step.next_attempt_at
    return next === null ? withAttempt(step, message) : `in ${tookText(msBetween(now.toISOString(), next))}: ${message}`
  }
  const open = step.status === 'created' ? step.waits_for.filter((path) => !ended.has(path)) : []
  return withAttempt(step, open.length === 0 ? '' : `after ${open.join(', ')}`)
}

function withAttempt({ attempt }: StepDto, text: string): string {
  return [attempt > 1 ? `attempt ${attempt}` : '', text].filter((part) => part !== '').join(': ')
}

export function endedSteps(steps: readonly StepDto[]): ReadonlySet<string> {
  return new Set(steps.filter(({ status }) => status === 'completed' || status === 'skipped').map(({ path }) => path))
}
