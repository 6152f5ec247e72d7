import { Readable } from 'node:stream'
import type { DraftVerbs } from '../api/ports/drafts.ts'
import type { ProposalDesk } from '../api/ports/proposals.ts'
import { keyOf } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { DraftCaller, DraftDeps, KeepText } from '../proposals/drafts/ports.ts'
import { finishPromotions, promoteDraft } from '../proposals/drafts/promote.ts'
import { saveDraft } from '../proposals/drafts/save.ts'
import { validateDraft } from '../proposals/drafts/validate.ts'
import type { Proposals } from '../proposals/proposals.ts'
import { BUILTIN_PATH } from '../reconcile/sync/builtin-path.ts'
import type { World } from '../reconcile/world.ts'
import { type ArtifactDeps, keepArtifact } from '../records/artifacts/artifacts.ts'
import { draftById } from '../store/queries/drafts.ts'
import type { Core } from './core.ts'
import { existingProposals } from './proposals.ts'
import type { OpenSource } from './source.ts'

interface Drafting {
  readonly core: Core
  readonly source: OpenSource
  /** Null for a plain folder. */
  readonly proposals: () => Proposals | null
  readonly merge: ProposalDesk['merge']
}

/** Drafts of the process that leads. */
export function draftVerbs(drafting: Drafting): DraftVerbs {
  const deps = () => draftDeps(drafting)
  return {
    async save(request, caller) {
      const draft_id = await saveDraft(deps(), request, caller)
      return { draft_id, revision: (await draftById(drafting.core.store.engine, draft_id, null))?.revision ?? 1 }
    },
    validate: (id, caller) => validateDraft(deps(), id, caller),
    promote: (id, caller) => promoteDraft(deps(), id, caller),
  }
}

/** Gives drafts that landed their versions, whoever merged them. */
export const draftsLanded = (drafting: Drafting) => (): Promise<void> => finishPromotions(draftDeps(drafting))

function draftDeps({ core, source, proposals, merge }: Drafting): DraftDeps {
  const { path } = core.config
  return {
    store: core.store,
    proposals: existingProposals(proposals()),
    repository: source.repository!,
    remoteUrl: source.remoteUrl,
    inFolder: (file) => (path === '.' ? file : `${path}/${file}`),
    fileOf: (namespace, blueprint) => fileOf(core.world, namespace, blueprint),
    keep: keeper(core.artifacts),
    merge: (proposal, by: DraftCaller) => merge(proposal, by),
  }
}

/** A draft is a whole file: what else is declared in it must not go with it. */
function fileOf(world: World, namespace: string, name: string): string | null {
  const object = world.get(keyOf({ kind: 'Blueprint', namespace, name }))
  if (object === undefined || object.deleting || object.file === BUILTIN_PATH) return null
  const others = [...world.declared.values()].filter(({ file, deleting }) => file === object.file && !deleting)
  if (others.length <= 1) return object.file
  throw fail('SW_CONFLICT', `the blueprint ${name} is declared in ${object.file}, and so are others`, {
    remedy: 'give it a file of its own first, or propose that file as a whole: stateward proposals create',
  })
}

function keeper(artifacts: ArtifactDeps): KeepText {
  return async ({ text, runId, metadata, ...artifact }, { actor, correlationId }) => {
    const row = await keepArtifact(
      artifacts,
      { ...artifact, byteLength: null, runId, stepId: null, metadata: { ...metadata } },
      Readable.from([Buffer.from(text)]),
      { actor, correlationId },
    )
    return row!.artifact_id
  }
}
