import type { ObjectRef } from '../../kinds/resource.ts'
import type { Change } from '../../plan/change-set.ts'
import type { ApprovalSource } from '../../store/queries/change-approvals.ts'
import type { Caller } from '../caller.ts'

export interface ChangeWord {
  readonly decision: 'approve' | 'reject'
  readonly reason: string | null
  readonly source: ApprovalSource
}

/** A change as it stands after somebody's word about it. */
export interface DecidedChange {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly from: string | null
  readonly to: string | null
  /** Everything that is asked for is there. */
  readonly approved: boolean
  /** What is still missing, or why it does not go on; null when it does. */
  readonly waits: string | null
}

/** What a commit says, and who signed it. */
export interface CommitFacts {
  readonly subject: string
  readonly author: { readonly name: string; readonly email: string; readonly time: string }
  readonly committer: { readonly name: string; readonly email: string; readonly time: string }
  readonly signed_by: string | null
}

/** What is to be decided: the change of one object that waits at the head, or (`to`) exactly one of its changes. */
export interface ChangeTarget extends ObjectRef {
  readonly to?: string | null
}

/** Words about changes of the state repo. In a process that does not lead, the leader decides. */
export interface ApprovalVerbs {
  /** Changes that wait at the head of the source, or are denied there. */
  held(): Promise<readonly Change[]>
  /**
   * Says yes or no to the change of one object. SW_NOT_FOUND when none waits; SW_CONFLICT when it is another one by now, or
   * this actor said the same before; SW_FORBIDDEN when this actor's word does not count for it.
   */
  decide(target: ChangeTarget, word: ChangeWord, caller: Caller): Promise<DecidedChange>
  /** A commit of the state repo; null for a plain folder, or when the repository has lost it. */
  commit(revision: string): Promise<CommitFacts | null>
  /**
   * Says yes or no to everything an open proposal would change that somebody is asked about. SW_NOT_FOUND; SW_CONFLICT when it is
   * closed, or nobody is asked; SW_FORBIDDEN when this actor's word counts for none of it.
   */
  decideProposal(id: string, word: ChangeWord, caller: Caller): Promise<void>
}
