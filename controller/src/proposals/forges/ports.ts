/** Where people review proposals besides the command line: pull requests of a forge. */

export interface PullRequest {
  readonly number: number
  /** For people. */
  readonly url: string
  /** Login of whoever opened it. */
  readonly author: string
}

export interface ForgeCheck {
  readonly state: 'passed' | 'failed' | 'waiting'
  /** One line. */
  readonly title: string
  /** Markdown. */
  readonly summary: string
}

/** What a forge tells by a webhook. `login` is whoever did it. */
export type ForgeEvent =
  | {
      readonly kind: 'reviewed'
      readonly number: number
      readonly branch: string
      /** The commit that was reviewed. */
      readonly head: string
      readonly decision: 'approve' | 'reject'
      readonly login: string
      readonly text: string
    }
  | {
      readonly kind: 'merged'
      readonly number: number
      readonly branch: string
      readonly head: string
      readonly login: string
    }
  | { readonly kind: 'closed'; readonly number: number; readonly branch: string; readonly login: string }
  /** Branches moved. */
  | { readonly kind: 'pushed' }

/**
 * One forge. Errors: SW_FORGE_UNREACHABLE when it does not answer, or not before its limits allow it again;
 * SW_FORGE_REFUSED when it says no; SW_CONFLICT when a pull request cannot be merged as it is.
 */
export interface Forge {
  readonly type: 'github'
  /** The open pull request of a branch; it is opened when there is none. */
  pullRequest(of: {
    readonly branch: string
    readonly base: string
    readonly title: string
    readonly body: string
  }): Promise<PullRequest>
  /** One comment that is written again in place, however often it is called. */
  comment(number: number, body: string): Promise<void>
  check(head: string, check: ForgeCheck): Promise<void>
  /** Merges it as a merge commit if its head still is that; answers with the commit. */
  merge(
    number: number,
    merge: { readonly head: string; readonly title: string; readonly message: string },
  ): Promise<string>
  /** Closing what is closed is no error. */
  close(number: number): Promise<void>
  /**
   * What a webhook says; null for what is of no interest. SW_UNAUTHENTICATED when its signature is missing or wrong,
   * SW_BAD_REQUEST when it is no webhook of this forge.
   */
  event(headers: Readonly<Record<string, string | string[] | undefined>>, body: Buffer): Promise<ForgeEvent | null>
}
