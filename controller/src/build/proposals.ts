import type { Caller } from '../api/caller.ts'
import type { ProposalDesk } from '../api/ports/proposals.ts'
import { keyOf } from '../kinds/resource.ts'
import { parseDuration } from '../lib/duration.ts'
import { fail } from '../lib/error-catalogue.ts'
import { isObject } from '../lib/json.ts'
import { planDocument } from '../plan/render/json.ts'
import { heard } from '../proposals/forges/heard.ts'
import { createForgePublisher, type ForgePublisher } from '../proposals/forges/publish.ts'
import type { ProposalPlan, ProposedMerge, WorkspaceLimits } from '../proposals/ports.ts'
import { createProposals, type Proposals } from '../proposals/proposals.ts'
import { CONTROLLER_LEASE } from '../reconcile/controller.ts'
import type { ChangeGovernor } from '../reconcile/sync/change-governor.ts'
import { planRevisions } from '../reconcile/sync/plan-revisions.ts'
import type { World } from '../reconcile/world.ts'
import { watchBranches } from '../source/git/branch-watch.ts'
import type { GitRepository, Revision, Source } from '../source/ports.ts'
import { addContributor } from '../store/queries/proposals.ts'
import { transact } from '../store/transact.ts'
import { builtinToolRisk, builtinToolSchema } from '../tools/builtins.ts'
import { builtinObjects } from './builtin-objects.ts'
import type { Core } from './core.ts'
import { observedWorld } from './observed-status.ts'
import { PARSE_OPTIONS, pointerInFile } from './parse-options.ts'
import type { People } from './people.ts'
import { approveByMerge, type ProposalApprovalDeps, permitted, sayAboutProposal } from './proposal-approvals.ts'
import type { OpenSource } from './source.ts'

/** The safety net for branches whose events got lost. */
const POLL_MS = 10_000

/** The proposals of the state repo; null where it is a plain folder, which has no branches. */
export function proposalsOf(
  core: Core,
  source: OpenSource,
  governor: ChangeGovernor,
  around: {
    readonly landed: () => void
    readonly onLooked: () => void
    readonly afterLook: () => Promise<void>
    readonly applied: () => string | null
  },
): Proposals | null {
  const { repository, remoteUrl } = source
  if (repository === null) return null
  const { store, world, config } = core
  return createProposals(
    {
      ...{ store, repository, remoteUrl, forge: core.forge },
      ...{ landed: around.landed, applied: around.applied },
      lease: CONTROLLER_LEASE,
      ref: `refs/heads/${config.ref}`,
      folder: config.path,
      plan: (merge) => planMerge(core, { source: source.source, repository, governor }, merge),
      limitsOf: (namespace, agent) => workspaceLimits(world, namespace, agent),
      expireAfterMs: parseDuration(config.proposals.expireAfter),
    },
    {
      pollMs: POLL_MS,
      onLooked: around.onLooked,
      afterLook: around.afterLook,
      remotePollMs: parseDuration(config.interval),
      watch: (onChange) => watchBranches(repository.gitDir, onChange),
    },
  )
}

/** Plans the tree of a merge against what is applied: an object that kept its last good revision goes on from there. */
async function planMerge(
  { world, config }: Core,
  from: { readonly source: Source; readonly repository: GitRepository; readonly governor: ChangeGovernor },
  merge: ProposedMerge,
): Promise<ProposalPlan> {
  const { repository, source } = from
  const target = await repository.commit(merge.onto)
  const head = await repository.commit(merge.head)
  const inPath = async (tree: string) => {
    const entry = config.path === '.' ? { oid: tree } : await repository.entry(tree, config.path)
    if (entry === null) throw fail('SW_REPO_INVALID', `the folder ${config.path} is gone`)
    return entry.oid
  }
  const to: Revision = {
    commit: merge.head,
    tree: await inPath(merge.tree),
    ...{ message: head.message, author: head.author },
  }
  const plan = await planRevisions(
    source,
    { commit: merge.onto, tree: await inPath(target.tree) },
    to,
    observedWorld(world),
    {
      parse: PARSE_OPTIONS,
      pointerInFile,
      deletionLimit: config.deletionLimit,
      builtinToolSchema,
      builtinToolRisk,
      governor: () => from.governor,
      builtin: builtinObjects(config, null),
      proposedBy: merge.proposedBy,
    },
  )
  return { plan, newIssues: plan.newIssues, json: planDocument(plan, merge.onto) }
}

/** What the declaration of an agent lets it change. */
function workspaceLimits(world: World, namespace: string, agent: string): WorkspaceLimits | null {
  const object = world.get(keyOf({ kind: 'Agent', namespace, name: agent }))
  if (object === undefined || object.deleting) return null
  const { workspace } = world.effective(object)
  const { allowedPaths, maxChangedFiles } = isObject(workspace) ? workspace : {}
  return {
    allowedPaths: Array.isArray(allowedPaths) ? allowedPaths.map(String) : null,
    maxChangedFiles: typeof maxChangedFiles === 'number' ? maxChangedFiles : null,
  }
}

/** Proposals as pull requests of the configured forge; null = none is, or the state repo is not kept there. */
export function forgePublisher(
  { store, forge, config }: Core,
  { remoteUrl }: OpenSource,
  people: People,
): ForgePublisher | null {
  if (forge === null || remoteUrl === null) return null
  return createForgePublisher({
    ...{ store, forge, lease: CONTROLLER_LEASE, base: config.ref },
    async openedBy({ branch }, login) {
      // Our own token opens those that have no pull request yet.
      const who = people.identities().ofLogin(forge.type, login)
      await transact(store, (tx) => addContributor(tx, branch, who))
    },
  })
}

/** What callers do with proposals. */
export function proposalDesk(
  proposals: Proposals | null,
  about: ProposalApprovalDeps & { readonly refresh: () => Promise<void> },
): ProposalDesk {
  const desk = () => existingProposals(proposals)
  return {
    propose: ({ title, description, files, run, labels, topic }, caller: Caller) =>
      desk().propose({
        ...{ title, description, run, labels, topic },
        files: new Map(Object.entries(files)),
        author: caller.actor,
        correlation: caller.correlationId,
      }),
    reject: (id, reason, caller) => desk().reject(id, { actor: caller.actor, reason }),
    async merge(id, caller) {
      await approveByMerge(about, desk(), id, caller)
      await desk().merge({ id, actor: caller.actor, permit: (row) => permitted(row) })
    },
    diff: (id) => desk().diff(id),
    heard: (event, { correlationId }) =>
      heard(
        {
          store: about.store,
          principalOf: (login) => about.people.identities().ofLogin('github', login),
          async refresh() {
            await about.refresh()
            await desk().refresh()
          },
          async decide(id, decision, actor, reason) {
            await sayAboutProposal(about, desk(), id, { decision, reason, source: 'forge' }, { actor, correlationId })
          },
          reject: (id, actor) => desk().reject(id, { actor, reason: 'its pull request was closed' }),
        },
        event,
      ),
  }
}

export function existingProposals(proposals: Proposals | null): Proposals {
  if (proposals !== null) return proposals
  throw fail('SW_CONFLICT', 'the state is read from a folder without history: nothing can be proposed', {
    remedy: 'change the file in the folder',
  })
}
