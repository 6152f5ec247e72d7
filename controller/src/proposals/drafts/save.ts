import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import { refuseSecrets } from '../../parse/secret-scan/scan.ts'
import { appendEvents } from '../../store/log.ts'
import {
  type DraftRow,
  draftById,
  insertDraft,
  insertDraftRevision,
  openDraftOf,
  reviseDraft,
} from '../../store/queries/drafts.ts'
import { transact } from '../../store/transact.ts'
import { fullName } from '../branch-names.ts'
import { trailersOf } from '../propose.ts'
import { draftEvent } from './draft-events.ts'
import { type DraftFile, draftFile } from './draft-file.ts'
import { draftOf, ownOf } from './find.ts'
import type { DraftCaller, DraftDeps, SaveDraft } from './ports.ts'
import { fetchVersions, nextVersion } from './versions.ts'

const WHO = { name: 'Stateward', email: 'controller@stateward.dev' }
const MAX_FILE_BYTES = 1024 * 1024
const PUSH_TIMEOUT_MS = 60_000

/**
 * Saves a draft: a commit on the branch of its proposal, the revision after the one before. The same text again is no new
 * revision. Answers with the draft's id. SW_DRAFT_NOT_FOUND; SW_INVALID_DEFINITION: it cannot become a file at all;
 * SW_CONFLICT: it is promoted, or the protected branch says so already; SW_SECRET_IN_CHANGE.
 */
export async function saveDraft(deps: DraftDeps, request: SaveDraft, by: DraftCaller): Promise<string> {
  const { namespace, name, kind, definition, trigger, draftId } = request
  const file = draftFile({ namespace, name, kind, definition, trigger })
  if (Buffer.byteLength(file.text) > MAX_FILE_BYTES)
    throw fail('SW_INVALID_DEFINITION', `the definition is larger than ${MAX_FILE_BYTES} bytes`)
  await fetchVersions(deps)
  const { engine } = deps.store
  const of = { namespace, name, kind, created_by: by.actor }
  const before = draftId === null ? await openDraftOf(engine, of) : await draftOf(deps.store, draftId, ownOf(by.actor))
  if (before === null) return create(deps, request, file, by)
  if (before.name !== name || before.kind !== kind || before.namespace !== namespace)
    throw fail(
      'SW_INVALID_DEFINITION',
      `draft ${before.draft_id} is the ${before.kind} ${before.namespace}/${before.name}`,
      { remedy: 'save another one under another name' },
    )
  return revise(deps, request, file, { draft: before, by })
}

async function create(deps: DraftDeps, request: SaveDraft, file: DraftFile, by: DraftCaller): Promise<string> {
  const { store, repository, proposals } = deps
  const { namespace, name, kind, notes, runId, trigger } = request
  const declared = file.declares === null ? null : deps.fileOf(namespace, file.declares)
  const path = deps.inFolder(declared ?? file.path)
  const proposed = await proposals.propose({
    title: `${declared === null ? 'Add' : 'Change'} ${kind} ${name}`,
    description: notes,
    files: new Map([[path, file.text]]),
    author: by.actor,
    correlation: by.correlationId,
    run: runId,
  })
  const at = store.clock.now()
  const draft_id = uuidv7(at.getTime())
  const artifact_id = await keepText(deps, { draft_id, revision: 1, path, text: file.text, runId }, by)
  const version = await nextVersion(repository, kind, file.item)
  const draft = {
    ...{ draft_id, proposal_id: proposed.id, namespace, name, kind, item: file.item, content: file.content },
    ...{ trigger_event_type: trigger, notes, run_id: runId, path, version, created_by: by.actor },
    ...{ created_at: at, saved_at: at },
  }
  await transact(store, async (tx) => {
    await insertDraft(tx, draft)
    await insertDraftRevision(tx, {
      ...{ draft_id, revision: 1, commit: proposed.commit, artifact_id, notes, saved_by: by.actor, saved_at: at },
    })
    const told = { commit: proposed.commit, artifact_id }
    await appendEvents(tx, store, [draftEvent('saved', { ...draft, revision: 1 }, { ...by, at }, told)])
  })
  return draft_id
}

/** What was merged or pushed in between is seen: nobody else moves branches meanwhile. */
async function revise(
  deps: DraftDeps,
  request: SaveDraft,
  file: DraftFile,
  { draft: { draft_id }, by }: { readonly draft: DraftRow; readonly by: DraftCaller },
): Promise<string> {
  await deps.proposals.opening(async () => {
    const draft = await draftById(deps.store.engine, draft_id, null)
    if (draft === null) throw fail('SW_DRAFT_NOT_FOUND', `draft ${draft_id} was closed`)
    if (draft.status === 'promoted')
      throw fail('SW_CONFLICT', `draft ${draft_id} is promoted, and version ${draft.version} stays as it is`, {
        remedy: 'save it without draft_id: that is a draft of the next version',
      })
    const path = draft.path ?? deps.inFolder(file.path)
    const commit = await commitRevision(deps, draft, { path, text: file.text }, request, by)
    if (commit !== null) await record(deps, request, file, { draft, path, commit, by })
    return { result: null, opened: null }
  })
  deps.proposals.nudge()
  return draft_id
}

/** Null when the branch says so already. */
async function commitRevision(
  { repository, store, remoteUrl }: DraftDeps,
  draft: DraftRow,
  { path, text }: { readonly path: string; readonly text: string },
  { runId, notes }: SaveDraft,
  by: DraftCaller,
): Promise<string | null> {
  const ref = fullName(draft.branch)
  const tip = await repository.resolve(ref)
  if (tip === null) throw fail('SW_CONFLICT', `the branch ${draft.branch} of draft ${draft.draft_id} is gone`)
  const before = await repository.readFile(ref, path, { maxBytes: 64 * MAX_FILE_BYTES })
  if (before !== null && new TextDecoder().decode(before) === text) return null
  refuseSecrets([{ path, bytes: Buffer.from(text), before }])
  const trailers = trailersOf({ author: by.actor, run: runId, correlation: by.correlationId })
  const why = notes === '' ? '' : `${notes}\n\n`
  const commit = await repository.writeCommit({
    ...{ ref, parent: tip, expected: tip, files: new Map([[path, text]]) },
    message: `Save ${draft.kind} ${draft.name} again\n\n${why}${trailers.join('\n')}\n`,
    author: { name: by.actor, email: WHO.email },
    committer: WHO,
    time: store.clock.now(),
  })
  if (remoteUrl !== null)
    await repository.push({ url: remoteUrl, refspecs: [`${ref}:${ref}`], timeoutMs: PUSH_TIMEOUT_MS })
  return commit
}

async function record(
  deps: DraftDeps,
  { trigger, notes, runId }: SaveDraft,
  file: DraftFile,
  { draft, path, commit, by }: { draft: DraftRow; path: string; commit: string; by: DraftCaller },
): Promise<void> {
  const { store } = deps
  const { draft_id } = draft
  const revision = draft.revision + 1
  const artifact_id = await keepText(deps, { draft_id, revision, path, text: file.text, runId }, by)
  const version = await nextVersion(deps.repository, draft.kind, file.item)
  const at = store.clock.now()
  await transact(store, async (tx) => {
    await reviseDraft(tx, {
      ...{ draft_id, revision, content: file.content, item: file.item, trigger_event_type: trigger, notes },
      ...{ run_id: runId, path, version, saved_at: at },
    })
    await insertDraftRevision(tx, {
      ...{ draft_id, revision, commit, artifact_id, notes, saved_by: by.actor, saved_at: at },
    })
    const told = { commit, artifact_id }
    await appendEvents(tx, store, [draftEvent('saved', { ...draft, revision, run_id: runId }, { ...by, at }, told)])
  })
}

function keepText(
  { keep }: DraftDeps,
  of: { draft_id: string; revision: number; path: string; text: string; runId: string | null },
  by: DraftCaller,
): Promise<string> {
  const { draft_id, revision, path, text, runId } = of
  const metadata = { draft_id, revision }
  const name = path.slice(path.lastIndexOf('/') + 1)
  return keep({ ...{ name, text, runId, metadata }, kind: 'draft', contentType: 'application/yaml' }, by)
}
