import type { RunGraphNode, Step } from '../../api/reads.ts'
import { type Tone, toneOf } from '../../components/status-tone.ts'

interface Standing {
  readonly word: string
  readonly tone: Tone
  readonly message: string | null
}

const WAITS: Readonly<Record<string, string>> = {
  WaitingForApproval: 'waits for approval',
  WaitingForEvent: 'waits for an event',
  WaitingForTime: 'waits for its time',
  WaitingForBudget: 'waits for budget',
  NoCapableAgent: 'waits for an agent',
  DatabaseHostRequired: 'waits for a host',
  Quarantined: 'outcome unknown',
  ProgressingWithRetry: 'tries again',
}

/** A step in a few words: what a running one waits for, or the failure of one that failed. */
export function standingOfStep(
  step: Pick<RunGraphNode | Step, 'status' | 'kind' | 'condition' | 'error' | 'next_attempt_at'>,
): Standing {
  const { status, condition, error } = step
  if (status === 'failed') return { word: 'failed', tone: 'bad', message: textOf(error?.['message']) }
  if (status === 'created') return { word: 'not begun', tone: 'idle', message: null }
  if (status !== 'running') return { word: status, tone: toneOf(status), message: null }
  const reason = condition?.['reason']
  const message = textOf(condition?.['message'])
  if (typeof reason === 'string' && WAITS[reason] !== undefined)
    return { word: WAITS[reason], tone: reason === 'ProgressingWithRetry' ? 'warn' : 'wait', message }
  if (step.next_attempt_at !== null) return { word: 'tries again', tone: 'warn', message: textOf(error?.['message']) }
  if (step.kind === 'gate') return { word: 'waits for approval', tone: 'wait', message }
  if (step.kind === 'wait') return { word: 'waits', tone: 'wait', message }
  return { word: 'running', tone: 'busy', message }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Paths hold brackets and dots, which addresses take as they are; a slash they never have. */
export function stepHref(runId: string, path: string): string {
  return `/runs/${runId}/steps/${encodeURIComponent(path)}`
}
