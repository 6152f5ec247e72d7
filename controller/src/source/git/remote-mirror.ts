import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { GitRepository } from '../ports.ts'
import { redactUrls } from './remote-url.ts'

const LIST_TIMEOUT_MS = 30_000
const FETCH_TIMEOUT_MS = 600_000

/**
 * One ref of a remote, kept in a bare mirror. A poll asks for the ref's oid and fetches only when it moved. What the last
 * poll found, success or failure, is what `tip()` tells: a remote that is gone never looks like an unchanged one.
 */
export class RemoteMirror {
  readonly repository: GitRepository
  readonly #url: string
  /** Full names the ref may have, the first that exists counts. */
  readonly #candidates: readonly string[]
  #polling: Promise<void> | null = null
  #state: { readonly ref: string; readonly oid: string } | { readonly failure: StatewardError } | null = null

  constructor(repository: GitRepository, url: string, candidates: readonly string[]) {
    this.repository = repository
    this.#url = url
    this.#candidates = candidates
  }

  /** The full name of the ref in the mirror; polls first when nothing was asked yet. Throws what the last poll failed with. */
  async tip(): Promise<string> {
    if (this.#state === null) await this.poll()
    if (this.#state === null) throw fail('SW_INTERNAL', 'a poll ended without a result')
    if ('failure' in this.#state) throw this.#state.failure
    return this.#state.ref
  }

  /** A text that differs when the last poll found something else than the one before. */
  get fingerprint(): string {
    if (this.#state === null) return ''
    return 'failure' in this.#state ? this.#state.failure.ref : `${this.#state.ref} ${this.#state.oid}`
  }

  /** Asks the remote now. Never throws: see {@link tip}. Calls at the same time share one poll. */
  poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  async #poll(): Promise<void> {
    try {
      const refs = await this.repository.listRemote({
        url: this.#url,
        patterns: this.#candidates,
        timeoutMs: LIST_TIMEOUT_MS,
      })
      const ref = this.#candidates.find((name) => refs.has(name))
      if (ref === undefined) throw await this.#missing()
      const oid = refs.get(ref)!
      const known = this.#state
      if (known === null || 'failure' in known || known.ref !== ref || known.oid !== oid) {
        await this.repository.fetch({ url: this.#url, refspecs: [`+${ref}:${ref}`], timeoutMs: FETCH_TIMEOUT_MS })
      }
      this.#state = { ref, oid }
    } catch (error) {
      const failure =
        error instanceof StatewardError
          ? error
          : fail('SW_SOURCE_UNREACHABLE', redactUrls(errorMessage(error)), { cause: error })
      this.#state = { failure }
    }
  }

  async #missing(): Promise<StatewardError> {
    const where = redactUrls(this.#url)
    const branches = await this.repository.listRemote({
      url: this.#url,
      patterns: ['refs/heads/*'],
      timeoutMs: LIST_TIMEOUT_MS,
    })
    return refMissing(where, this.#candidates[0]!, [...branches.keys()])
  }
}

/** The error of a ref that is not there, with what is there instead. */
export function refMissing(where: string, ref: string, branches: readonly string[]): StatewardError {
  const name = ref.replace(/^refs\/heads\//, '')
  if (branches.length === 0) {
    return fail('SW_REF_MISSING', `${where} is empty: it has no branch "${name}" yet`, {
      remedy: `push a first commit: git push ${where} HEAD:${ref}`,
      details: { ref },
    })
  }
  const others = branches
    .slice(0, 5)
    .map((branch) => branch.replace(/^refs\/heads\//, ''))
    .join(', ')
  return fail('SW_REF_MISSING', `${where} has no "${name}"; there are: ${others}`, {
    details: { ref, branches: branches.slice(0, 5) },
  })
}
