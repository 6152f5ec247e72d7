import { keyOf } from '../../kinds/resource.ts'
import type { Issue } from '../../lib/issue.ts'
import { shortRevision } from '../../lib/short-revision.ts'
import { ACTIONS, type Action, type Change, type Counts } from '../../plan/change-set.ts'
import type { Colors } from '../terminal.ts'
import { inlineText } from './inline-text.ts'
import { renderIssue } from './object-description.ts'

export interface SyncResult {
  readonly source: string
  readonly revision: string
  /** `unchanged`: the head was applied before. */
  readonly outcome: 'applied' | 'partial' | 'refused' | 'observed' | 'unchanged'
  readonly counts: Counts
  readonly changes: readonly Pick<Change, 'kind' | 'namespace' | 'name' | 'action' | 'reason' | 'message'>[]
  readonly issues: readonly Issue[]
}

/** What became of a revision: one line a change, then the counts, then the problems. */
export function renderSync(result: SyncResult, colors: Colors): string {
  const lines = result.changes.map((change) => {
    const why = [change.reason, change.message].filter((part) => part !== undefined && part !== '').join(': ')
    return `${SIGNS[change.action]} ${change.action.padEnd(7)} ${keyOf(change)}${why === '' ? '' : ` (${inlineText(why)})`}`
  })
  const head = `${result.source} at ${shortRevision(result.revision)}: ${result.outcome}`
  const counts = renderCounts(result.counts)
  return [
    ...lines.map((line) => `${colorOf(line, colors)}\n`),
    `${head}${counts === '' ? '' : `, ${counts}`}\n`,
    ...result.issues.map((issue) => renderIssue(issue, colors)),
  ].join('')
}

/** `2 create, 1 delete`; actions that nothing has are left out. */
function renderCounts(counts: Counts): string {
  return ACTIONS.filter((action) => (counts[action] ?? 0) > 0)
    .map((action) => `${counts[action]} ${action}`)
    .join(', ')
}

const SIGNS: Record<Action, string> = { create: '+', update: '~', unchanged: ' ', delete: '-', skip: ' ', blocked: '!' }

function colorOf(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.green(line)
  if (line.startsWith('-') || line.startsWith('!')) return colors.red(line)
  return line.startsWith('~') ? colors.yellow(line) : line
}
