import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendEvents } from '../../store/log.ts'
import { type DraftIssue, type DraftRow, saveDraftReport } from '../../store/queries/drafts.ts'
import type { ProposalRow } from '../../store/queries/proposals.ts'
import { transact } from '../../store/transact.ts'
import { draftEvent } from './draft-events.ts'
import { draftOf, ownOf } from './find.ts'
import type { DraftCaller, DraftDeps, ValidatedDraft } from './ports.ts'

/** What a draft needs to be read at all; what else is wrong with it is a matter of what is around it. */
const SCHEMA = 'schema'

/**
 * Looks at a draft as its branch and the protected one stand, and keeps what is found: a report of this revision, and an
 * artifact. SW_DRAFT_NOT_FOUND; SW_CONFLICT: it is promoted; SW_INVALID_SCHEMA, with the report kept: it does not fit the
 * schema of its kind.
 */
export async function validateDraft(deps: DraftDeps, id: string, by: DraftCaller): Promise<ValidatedDraft> {
  const { store, proposals } = deps
  const draft = await draftOf(store, id, ownOf(by.actor))
  if (draft.status === 'promoted') throw fail('SW_CONFLICT', `draft ${id} is promoted already`)
  const proposal = await proposals.check(draft.proposal_id)
  if (proposal.state !== 'open') throw fail('SW_CONFLICT', `the proposal of draft ${id} is ${proposal.state}`)
  const issues = issuesOf(proposal)
  const at = store.clock.now()
  const found = { draft_id: id, revision: draft.revision, is_valid: issues.length === 0, issues }
  const artifact_id = await deps.keep(reportOf(draft, found, proposal, at), by)
  await transact(store, async (tx) => {
    const { head, onto } = proposal
    await saveDraftReport(tx, { ...found, head, onto, artifact_id, checked_by: by.actor, checked_at: at })
    const told = { is_valid: found.is_valid, issues: issues.length, artifact_id }
    await appendEvents(tx, store, [draftEvent('validated', draft, { ...by, at }, told)])
  })
  const broken = issues.filter(({ check }) => check === SCHEMA)
  if (broken.length > 0)
    throw fail('SW_INVALID_SCHEMA', `revision ${draft.revision} of draft ${id}: ${placed(broken[0]!)}`, {
      details: { draft_id: id, revision: draft.revision, artifact_id, violations: violationsOf(issues) },
    })
  return { ...found, artifact_id }
}

/** Of the checks that failed; what only waits for an approval is no fault of the draft. */
function issuesOf({ checks, check_error }: ProposalRow): DraftIssue[] {
  const found = checks.flatMap(({ name: check, state, problems, summary }) => {
    if (state !== 'failed') return []
    const nowhere = { file: null, line: null, column: null }
    return problems.length > 0
      ? problems.map((problem): DraftIssue => ({ check, ...problem }))
      : [{ check, code: 'SW_CHECKS_FAILED', message: summary, hint: '', ...nowhere }]
  })
  if (check_error === null) return found
  const error = { check: 'error', code: 'SW_CHECKS_FAILED', message: check_error, hint: 'validate it again' }
  return [...found, { ...error, file: null, line: null, column: null }]
}

const placed = ({ message, ...at }: DraftIssue): string =>
  at.file === null ? message : `${[at.file, at.line, at.column].filter((part) => part !== null).join(':')}: ${message}`

/** As `details.violations` of an answer names them. */
export function violationsOf(issues: readonly DraftIssue[]): JsonObject[] {
  return issues.map(({ check, code, message, hint, file, line, column }) => ({
    path: file === null ? check : [file, line, column].filter((part) => part !== null).join(':'),
    ...{ message, hint, code },
  }))
}

function reportOf(
  { namespace, name, kind, run_id: runId }: DraftRow,
  found: Omit<ValidatedDraft, 'artifact_id'>,
  { head, onto, proposal_id }: ProposalRow,
  at: Date,
): Parameters<DraftDeps['keep']>[0] {
  const { draft_id, revision, is_valid } = found
  const about = { ...{ kind, namespace, name, proposal: proposal_id, head, onto }, checked_at: at.toISOString() }
  return {
    name: `${name}-report.json`,
    kind: 'report',
    contentType: 'application/json',
    text: `${JSON.stringify({ ...found, ...about }, null, 2)}\n`,
    runId,
    metadata: { draft_id, revision, is_valid: String(is_valid) },
  }
}
