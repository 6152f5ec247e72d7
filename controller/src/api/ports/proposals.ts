import type { ObjectRef } from '../../kinds/resource.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ForgeEvent } from '../../proposals/forges/ports.ts'
import type { Caller } from '../caller.ts'

/** A change of the state repo as a commit. */
export interface Proposal {
  /** Null = the commit is on the protected branch already. */
  readonly branch: string | null
  readonly commit: string
  readonly merged: boolean
  /** The same was proposed before, and is still open. */
  readonly reused: boolean
}

export interface ProposalOptions {
  readonly reason: string | null
  /** Onto the protected branch at once. */
  readonly merge: boolean
  /** Name of a branch below `proposals/`: what is proposed under one name is one proposal, a commit for each change. */
  readonly batch?: string
  /** Everything is checked, nothing is written: the answer has no branch and no commit. */
  readonly dryRun?: boolean
}

/** Changes of declared objects as commits that somebody merges, or (`merge`) that stand on the protected branch at once. */
export interface ProposalVerbs {
  /** Sets one field of an object's document. SW_NOT_FOUND; SW_CONFLICT when Git says so already or the file cannot be edited. */
  set(
    ref: ObjectRef,
    field: { readonly keys: readonly string[]; readonly value: string | number | boolean },
    options: ProposalOptions,
    caller: Caller,
  ): Promise<Proposal>
  /**
   * Declares an object in `<folder>/<name>.yaml`; of another namespace than the default one `<folder>/<namespace>.<name>.yaml`.
   * SW_VALIDATION_FAILED: its metadata or spec, as written or with what it inherits. SW_CONFLICT: there is one already.
   */
  create(
    object: ObjectRef & {
      readonly spec: JsonObject
      readonly labels?: Readonly<Record<string, string>>
      readonly annotations?: Readonly<Record<string, string>>
    },
    options: ProposalOptions & { readonly folder: string },
    caller: Caller,
  ): Promise<Proposal>
  /**
   * `patch` is a JSON merge patch of the document: `{metadata?: {labels?, annotations?}, spec?}`. SW_NOT_FOUND,
   * SW_VALIDATION_FAILED: what it would be, SW_CONFLICT when it changes nothing or the file cannot be edited.
   */
  update(ref: ObjectRef, patch: JsonObject, options: ProposalOptions, caller: Caller): Promise<Proposal>
  /** Takes the document out of its file. SW_NOT_FOUND, SW_CONFLICT when the file cannot be edited. */
  remove(ref: ObjectRef, options: ProposalOptions, caller: Caller): Promise<Proposal>
}

/** What a forge tells of pull requests. */
export interface ForgeReceiver {
  /**
   * Answers with what was done. SW_NOT_FOUND: no forge is configured. SW_UNAUTHENTICATED: its signature is missing or wrong.
   * SW_BAD_REQUEST, SW_NOT_READY: its secret cannot be read.
   */
  receive(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Buffer,
    correlationId: string,
  ): Promise<string>
}

/** Proposals themselves, whoever made them. In a process that does not lead, the leader does it. */
export interface ProposalDesk {
  /**
   * Proposes whole files, by path from the root of the repository; null deletes. `topic`: what it is about, for programs that
   * propose again; an older one of the same author about the same is superseded. SW_CONFLICT when it changes nothing.
   */
  propose(
    request: {
      readonly title: string
      readonly description: string
      readonly files: Readonly<Record<string, string | null>>
      readonly run: string | null
      readonly labels: Readonly<Record<string, string>>
      readonly topic: string | null
    },
    caller: Caller,
  ): Promise<{ readonly id: string; readonly branch: string; readonly commit: string }>
  /** SW_NOT_FOUND; SW_CONFLICT when it was closed otherwise. */
  reject(id: string, reason: string | null, caller: Caller): Promise<void>
  /** SW_NOT_FOUND; SW_CONFLICT when it was closed otherwise; SW_CHECKS_FAILED. Merging what is merged is no error. */
  merge(id: string, caller: Caller): Promise<void>
  /** Does what a forge tells; answers with what that was. */
  heard(event: ForgeEvent, caller: Caller): Promise<string>
  /** A unified diff since it left the protected branch. SW_NOT_FOUND. */
  diff(id: string): Promise<{ readonly text: string; readonly truncated: boolean }>
}
