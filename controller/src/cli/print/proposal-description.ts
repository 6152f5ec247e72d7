import { ageOf } from '../../kinds/printer-cell.ts'
import type { ChangeProposal } from '../client/operations.ts'
import type { Colors } from '../terminal.ts'
import { renderFields, renderSection } from './fields.ts'
import { terminalText } from './inline-text.ts'

/** Who proposes what, and how it was checked; the plan comes below. */
export function renderProposal(proposal: ChangeProposal, colors: Colors, now: Date): string {
  const { state, reason, closed_by, landed, superseded_by } = proposal
  const others = proposal.contributors.filter((who) => who !== proposal.author)
  const commits = `${proposal.base.slice(0, 12)} → ${proposal.head.slice(0, 12)}`
  const labels = Object.entries(proposal.labels).map(([name, value]) => `${name}=${value}`)
  const ended = closed_by === null ? '' : ` by ${closed_by}${reason === null ? '' : `: ${reason}`}`
  return [
    renderFields(
      [
        ['Proposal', proposal.id],
        ['Title', proposal.title],
        ['State', `${state}${ended}`],
        ['Author', proposal.author],
        ['With', others.join(', ')],
        ['Branch', proposal.branch],
        ['Commits', commits],
        ['Run', proposal.run_id],
        ['Labels', labels.join(', ')],
        ['Opened', `${ageOf(proposal.opened_at, now)} ago`],
        ['Expires', state === 'open' ? proposal.expires_at : null],
        ['Landed', landed],
        ['Superseded by', superseded_by],
        ['Description', proposal.description],
      ],
      colors,
    ),
    renderSection('Checks', renderChecks(proposal, colors), colors),
    renderSection('Files', proposal.files.map((file) => `${terminalText(file)}\n`).join(''), colors),
  ].join('')
}

const SIGN = { passed: '✓', failed: '✗', waiting: '…' } as const

function renderChecks({ checks, check_error, checked_against }: ChangeProposal, colors: Colors): string {
  if (check_error !== null) return `${colors.red(terminalText(check_error))}\n`
  if (checked_against === null) return 'not checked yet\n'
  const width = Math.max(...checks.map(({ name }) => name.length))
  return checks
    .map(({ name, state, summary, problems }) => {
      const paint = state === 'failed' ? colors.red : state === 'waiting' ? colors.yellow : colors.green
      const lines = problems.map(({ file, line, message, hint, code }) => {
        const place = file === null ? '' : `${file}${line === null ? '' : `:${line}`} `
        return `    ${terminalText(`${place}${message}`)} ${colors.dim(`[${code}]`)}\n      ${terminalText(hint)}\n`
      })
      return `${paint(SIGN[state])} ${name.padEnd(width)}  ${terminalText(summary)}\n${lines.join('')}`
    })
    .join('')
}
