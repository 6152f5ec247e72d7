import { keyOf } from '../kinds/resource.ts'
import { formatIssue, type Issue } from '../lib/issue.ts'
import { ACTIONS, type Change, type Counts } from '../plan/change-set.ts'

export interface NoteInput {
  readonly outcome: string
  readonly counts: Counts
  readonly changes: readonly Change[]
  readonly issues: readonly Issue[]
  readonly ignored: number
  readonly digest: string
}

const MAX_CHANGES = 200
const MAX_BYTES = 64 * 1024

/** What became of a commit, for `git log --show-notes=stateward`: at most 200 changes and 64 KiB, the same text for the same facts. */
export function renderNote(input: NoteInput): string {
  const counts = ACTIONS.filter((action) => input.counts[action] > 0).map(
    (action) => `${action} ${input.counts[action]}`,
  )
  const shown = input.changes.slice(0, MAX_CHANGES).map(changeLine)
  const lines = [
    `${input.outcome}: ${counts.length === 0 ? 'no objects' : counts.join(', ')}`,
    ...shown,
    ...(input.changes.length > shown.length ? [`  … and ${input.changes.length - shown.length} more`] : []),
    ...input.issues.map((issue) => `issue ${formatIssue(issue)}`),
    ...(input.ignored > 0 ? [`ignored ${input.ignored} documents of others`] : []),
    `plan ${input.digest}`,
  ]
  let text = `${lines.join('\n')}\n`
  while (Buffer.byteLength(text) > MAX_BYTES) {
    lines.splice(Math.max(1, Math.floor(lines.length * 0.9)))
    text = `${lines.join('\n')}\n… cut at 64 KiB\n`
  }
  return text
}

function changeLine(change: Change): string {
  const why =
    change.reason === undefined ? '' : ` (${change.reason}${change.message === undefined ? '' : `: ${change.message}`})`
  return `  ${change.action.padEnd(8)} ${keyOf(change)}${why}`
}
