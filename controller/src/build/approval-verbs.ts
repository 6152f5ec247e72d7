import type { ApprovalVerbs, ChangeTarget, DecidedChange } from '../api/ports/approvals.ts'
import { decideChanges } from '../approvals/decide-changes.ts'
import { keyOf, type ObjectRef } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Change } from '../plan/change-set.ts'
import type { Proposals } from '../proposals/proposals.ts'
import type { Controller } from '../reconcile/controller.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { GitRepository } from '../source/ports.ts'
import type { Store } from '../store/store.ts'
import type { People } from './people.ts'
import { sayAboutProposal } from './proposal-approvals.ts'
import { existingProposals } from './proposals.ts'
import { commitFacts } from './repository-reads.ts'

export interface ApprovalVerbDeps {
  readonly store: Store
  readonly people: People
  readonly controller: Controller
  readonly sync: SourceSync
  /** Null for a plain folder. */
  readonly proposals: Proposals | null
  /** Null for a plain folder. */
  readonly repository: GitRepository | null
  /** Who signed a commit; null when nobody known did. */
  readonly signer: (commit: string) => Promise<string | null>
}

/** Words about changes that wait at the head; what was agreed to goes on at once. */
export function approvalVerbs(deps: ApprovalVerbDeps): ApprovalVerbs {
  const { store, people, controller, sync } = deps
  return {
    held: async () => heldChanges(sync),
    commit: (revision) => commitFacts(deps, revision),
    async decide(target, word, caller) {
      const change = waiting(sync, target)
      const key = keyOf(change)
      const asked = sync.state.plan?.asked.get(key)
      if (asked === undefined) throw notForApproval(change)
      const approver = people.identities().standing(caller.actor, caller.roles)
      await decideChanges(store, approver, [asked], {
        ...word,
        ...{ proposal: null, revision: sync.state.plan?.toRevision ?? null },
        ...{ roles: caller.roles ?? [], correlationId: caller.correlationId },
      })
      await controller.pass({ actor: caller.actor, replan: [key] })
      controller.enqueue(key)
      return standingOf(sync, change)
    },
    decideProposal: (id, word, caller) => sayAboutProposal(deps, existingProposals(deps.proposals), id, word, caller),
  }
}

function heldChanges({ state }: SourceSync): readonly Change[] {
  return state.plan?.changes.filter(({ held }) => held !== undefined) ?? []
}

function waiting(sync: SourceSync, target: ChangeTarget): Change {
  const key = keyOf(target)
  const change = heldChanges(sync).find((each) => keyOf(each) === key)
  if (change === undefined)
    throw fail('SW_NOT_FOUND', `no change of ${key} waits`, {
      remedy: 'see what does: stateward get sources, GET /api/v1/changes',
    })
  if (target.to !== undefined && target.to !== change.toDigest)
    throw fail('SW_CONFLICT', `the change of ${key} that waits is another one by now`, {
      details: { from: change.fromDigest, to: change.toDigest },
    })
  return change
}

/** Held with another one, or denied: nobody's word helps. */
function notForApproval({ reason, message, ...ref }: Change): Error {
  const why = message ?? reason ?? ''
  if (reason === 'PolicyDenied')
    return fail('SW_FORBIDDEN', `the change of ${keyOf(ref)} is denied: ${why}`, {
      remedy: 'change the policy, or take the change back',
    })
  if (reason === 'OutsideWindow')
    return fail('SW_CONFLICT', `the change of ${keyOf(ref)} ${why}`, {
      remedy: 'wait, or take the window away for a while: stateward suspend policy/<name> --reason … --for 1h',
    })
  return fail('SW_CONFLICT', `the change of ${keyOf(ref)} ${why}`, { remedy: 'approve that one' })
}

function standingOf(sync: SourceSync, change: Change): DecidedChange {
  const still = heldChanges(sync).find((each) => keyOf(each) === keyOf(change) && each.toDigest === change.toDigest)
  const { kind, namespace, name, fromDigest: from, toDigest: to } = change
  const ref: ObjectRef = { kind, namespace, name }
  return { ...ref, from, to, approved: still === undefined, waits: still === undefined ? null : (still.message ?? '') }
}
