import type { ChangeProposal } from '../../api/reads.ts'
import type { Tone } from '../../components/status-tone.ts'

/** How a proposal stands, in a word: of an open one what its checks say. */
export function standingOf(proposal: Pick<ChangeProposal, 'state' | 'checks' | 'checked_against' | 'check_error'>): {
  readonly word: string
  readonly tone: Tone
} {
  switch (proposal.state) {
    case 'merged':
      return { word: 'merged', tone: 'good' }
    case 'rejected':
      return { word: 'rejected', tone: 'bad' }
    case 'expired':
    case 'superseded':
      return { word: proposal.state, tone: 'idle' }
    case 'open':
      if (proposal.check_error !== null) return { word: 'not checked', tone: 'bad' }
      if (proposal.checked_against === null) return { word: 'being checked', tone: 'busy' }
      if (proposal.checks.some(({ state }) => state === 'failed')) return { word: 'checks failed', tone: 'bad' }
      if (proposal.checks.some(({ state }) => state === 'waiting')) return { word: 'needs a word', tone: 'wait' }
      return { word: 'mergeable', tone: 'good' }
  }
}

export function riskTone(risk: string): Tone {
  return risk === 'high' ? 'bad' : risk === 'medium' ? 'warn' : 'good'
}
