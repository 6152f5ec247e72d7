import type { Run } from '../../api/reads.ts'
import type { Tone } from '../../components/status-tone.ts'

const WAITING: Readonly<Record<string, string>> = {
  WaitingForApproval: 'waits for approval',
  WaitingForEvent: 'waits for an event',
  WaitingForTime: 'waits for its time',
  WaitingForBudget: 'waits for budget',
  NoCapableAgent: 'waits for an agent',
  DatabaseHostRequired: 'waits for a host',
  QuotaExceeded: 'waits for a place',
}

/** A run in one word, or a few: what it waits for counts more than that it runs. */
export function standingOf({ status, condition }: Pick<Run, 'status' | 'condition'>): string {
  const reason = condition?.['reason']
  if (status !== 'running' && status !== 'created') return status
  return typeof reason === 'string' ? (WAITING[reason] ?? status) : status
}

export function toneOfRun(run: Pick<Run, 'status' | 'condition'>): Tone {
  switch (run.status) {
    case 'completed':
      return 'good'
    case 'failed':
      return 'bad'
    case 'cancelled':
      return 'idle'
    default: {
      const standing = standingOf(run)
      if (standing === 'waits for budget' || standing === 'waits for an agent') return 'warn'
      return standing.startsWith('waits') || run.status === 'created' ? 'wait' : 'busy'
    }
  }
}
