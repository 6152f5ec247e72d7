import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { appendEvents } from '../../store/log.ts'
import { type DraftRow, draftById, landedDrafts, promoteDraft as savePromotion } from '../../store/queries/drafts.ts'
import { transact } from '../../store/transact.ts'
import { fullName } from '../branch-names.ts'
import { draftEvent } from './draft-events.ts'
import { draftOf, ownOf } from './find.ts'
import type { DraftCaller, DraftDeps, PromotedDraft } from './ports.ts'
import { violationsOf } from './validate.ts'
import { fetchVersions, nextVersion, tagRef, versionTag } from './versions.ts'

const PUSH_TIMEOUT_MS = 60_000

/**
 * Promotes a draft: its proposal lands, and the commit is tagged as a version that stays as it is. SW_DRAFT_NOT_FOUND;
 * SW_VALIDATION_FAILED: there is no valid report of what is on its branch now, or it is not valid any more; SW_CONFLICT: it is
 * promoted already, its version is taken, or the protected branch changed the same lines; SW_FORBIDDEN: approvals are missing.
 */
export async function promoteDraft(deps: DraftDeps, id: string, by: DraftCaller): Promise<PromotedDraft> {
  const { store, repository } = deps
  const draft = await draftOf(store, id, ownOf(by.actor))
  if (draft.status === 'promoted')
    throw fail('SW_CONFLICT', `draft ${id} is promoted already, as version ${draft.version}`)
  await assertValid(deps, draft)
  await fetchVersions(deps)
  const tag = versionTag(draft.kind, draft.item, draft.version)
  if ((await repository.resolve(tagRef(tag))) !== null)
    throw fail('SW_CONFLICT', `version ${draft.version} of ${draft.item} was promoted meanwhile, and stays as it is`, {
      remedy: 'look at what changed, and save the draft again: that takes the next version',
      details: { tag },
    })
  await merge(deps, draft, by)
  await deps.proposals.opening(async () => {
    await finishPromotions(deps)
    return { result: null, opened: null }
  })
  const done = await draftById(store.engine, id, null)
  if (done === null || done.landed === null || done.tag === null)
    throw fail('SW_CONFLICT', `draft ${id} is merged, and its version could not be written yet`)
  return {
    ...{ draft_id: id, kind: done.kind, id: done.item, version: String(done.version), tag: done.tag },
    ...{ commit: done.landed, proposal: done.proposal_id },
  }
}

async function assertValid({ repository }: DraftDeps, { draft_id, revision, branch, report }: DraftRow): Promise<void> {
  if (report === null)
    throw fail('SW_VALIDATION_FAILED', `revision ${revision} of draft ${draft_id} was not validated`, {
      remedy: `validate it first: stateward drafts validate ${draft_id}`,
      details: { violations: [{ path: 'report', message: 'this revision has no report', code: 'not_validated' }] },
    })
  if (!report.is_valid)
    throw fail('SW_VALIDATION_FAILED', `revision ${revision} of draft ${draft_id} is not valid`, {
      details: { violations: violationsOf(report.issues) },
    })
  if ((await repository.resolve(fullName(branch))) !== report.head)
    throw fail('SW_VALIDATION_FAILED', `the branch of draft ${draft_id} has another commit than was validated`, {
      remedy: `validate it again: stateward drafts validate ${draft_id}`,
      details: { violations: [{ path: 'report', message: `it is about ${report.head}`, code: 'not_validated' }] },
    })
}

/** It is checked again as it lands: the protected branch may have moved. */
async function merge(deps: DraftDeps, { draft_id, proposal_id }: DraftRow, by: DraftCaller): Promise<void> {
  try {
    await deps.merge(proposal_id, by)
  } catch (error) {
    if (!(error instanceof StatewardError && error.ref === 'SW_CHECKS_FAILED')) throw error
    const { failed, problems } = error.details as { readonly failed?: unknown; readonly problems?: unknown }
    const violations = (Array.isArray(problems) ? problems : []) as Parameters<typeof violationsOf>[0]
    const details = { violations: violationsOf(violations.map((problem) => ({ ...problem, check: 'checks' }))) }
    const isConflict = Array.isArray(failed) && failed.includes('mergeable')
    throw fail(isConflict ? 'SW_CONFLICT' : 'SW_VALIDATION_FAILED', `draft ${draft_id}: ${error.message}`, { details })
  }
}

/**
 * Gives every draft that landed its version: tag first, then row and event. Whoever merged it, and however; what a crash left
 * is found again. Nobody else moves refs meanwhile.
 */
export async function finishPromotions(deps: DraftDeps): Promise<void> {
  const { store, repository, remoteUrl } = deps
  const landed = await landedDrafts(store.engine)
  if (landed.length > 0) await fetchVersions(deps)
  for (const draft of landed) {
    const commit = draft.landed!
    const { version, tag } = await versionFor(deps, draft, commit)
    const ref = tagRef(tag)
    if ((await repository.resolve(ref)) === null) await repository.moveRef({ ref, to: commit, expected: null })
    if (remoteUrl !== null)
      await repository.push({ url: remoteUrl, refspecs: [`${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
    const at = store.clock.now()
    await transact(store, async (tx) => {
      if (!(await savePromotion(tx, draft.draft_id, { version, tag, at }))) return
      const by = { at, actor: draft.closed_by ?? 'system', correlationId: draft.correlation_id }
      const told = { id: draft.item, version: String(version), tag, commit }
      await appendEvents(tx, store, [draftEvent('promoted', draft, by, told)])
    })
  }
}

/** The version it was saved for, unless another draft has it by now. */
async function versionFor(
  { repository }: DraftDeps,
  { kind, item, version }: DraftRow,
  commit: string,
): Promise<{ readonly version: number; readonly tag: string }> {
  const tag = versionTag(kind, item, version)
  const taken = await repository.resolve(tagRef(tag))
  if (taken === null || taken === commit) return { version, tag }
  const next = await nextVersion(repository, kind, item)
  return { version: next, tag: versionTag(kind, item, next) }
}
