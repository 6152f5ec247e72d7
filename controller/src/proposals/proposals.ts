import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../lib/error-catalogue.ts'
import { holdsLease } from '../store/leases.ts'
import { type ProposalRow, proposalById } from '../store/queries/proposals.ts'
import { closedRef, fullName } from './branch-names.ts'
import { close } from './close.ts'
import { decideProposal } from './decide-proposal.ts'
import { type Landing, land, lookedAtNow } from './land.ts'
import { landFree } from './land-free.ts'
import { fetchBranches, lookAtAll } from './look.ts'
import { type Opening, openProposal } from './open.ts'
import type { ProposalDeps, ProposalPlan } from './ports.ts'
import { type Proposed, type ProposeRequest, propose } from './propose.ts'
import { type PushedRef, registerPushed } from './pushed.ts'

/** A push moves several refs, a commit several files of git's: one look answers all that came meanwhile. */
const GATHER_MS = 50
const MAX_DIFF_BYTES = 1024 * 1024

/** Every proposal of the state repo. What moves branches or rows goes one after the other. */
export interface Proposals {
  propose(request: ProposeRequest): Promise<Proposed>
  /** Does something with branches while nobody else does, and makes the branches it returns proposals. */
  opening<T>(work: () => Promise<{ readonly result: T; readonly opened: Opening | null }>): Promise<T>
  /** Holds everything else back until the function it resolves with is called: for a push. */
  hold(): Promise<() => void>
  /** Within a hold: makes what was pushed proposals; answers with lines for whoever pushed. */
  pushed(refs: readonly PushedRef[], by: { readonly author: string; readonly correlationId: string }): Promise<string[]>
  /** SW_NOT_FOUND, SW_CONFLICT when it was closed otherwise. */
  reject(id: string, by: { readonly actor: string; readonly reason: string | null }): Promise<void>
  merge(landing: Landing): Promise<ProposalRow>
  /** Checks a proposal as both branches stand now. SW_NOT_FOUND. */
  check(id: string): Promise<ProposalRow>
  /**
   * Does something with what an open proposal would do now, and looks at it again afterwards. SW_NOT_FOUND; SW_CONFLICT when it
   * is closed, or cannot be merged.
   */
  decide<T>(id: string, work: (row: ProposalRow, plan: ProposalPlan) => Promise<T>): Promise<T>
  /** What it changes since it left the protected branch, as a unified diff. SW_NOT_FOUND. */
  diff(id: string): Promise<{ readonly text: string; readonly truncated: boolean }>
  /** Brings the branches of a remote here at once, and looks at them. */
  refresh(): Promise<void>
  /** A branch may have moved, or the protected one. */
  nudge(): void
  /** Resolves when what was there at the call has been looked at. */
  looked(): Promise<void>
  start(): void
  stop(): Promise<void>
}

export function createProposals(
  deps: ProposalDeps,
  options: {
    readonly pollMs: number
    /** Called after each look. */
    readonly onLooked: () => void
    /** Part of each look: nobody else moves branches meanwhile. */
    readonly afterLook: () => Promise<void>
    readonly remotePollMs: number
    readonly watch: (onChange: () => void) => Promise<{ close(): Promise<void> }>
  },
): Proposals {
  const { store, repository } = deps
  const stopping = new AbortController()
  let queue: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | null = null
  let watcher: Promise<{ close(): Promise<void> }> | null = null
  let polling: Promise<void> = Promise.resolve()
  let fetchedMs = Number.NEGATIVE_INFINITY
  let asked: string | null = null

  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = queue.then(() => {
      if (stopping.signal.aborted) throw fail('SW_NOT_READY', 'this process is ending')
      return work()
    })
    queue = done.catch(() => undefined)
    return done
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)

  async function look(): Promise<void> {
    if (!(await holdsLease(store.engine, store, deps.lease))) return
    const now = store.clock.monotonicMs()
    if (deps.remoteUrl !== null && now - fetchedMs >= options.remotePollMs) {
      fetchedMs = now
      await fetchBranches(deps)
    }
    // Other policies and other people may be asked by now.
    const applied = deps.applied()
    await lookAtAll(deps, { again: applied !== asked })
    await landFree(deps)
    await options.afterLook()
    asked = applied
  }

  /** Calls that come before a look begins share it. */
  function looked(): Promise<void> {
    waiting ??= pause(GATHER_MS).then(() =>
      exclusive(async () => {
        waiting = null
        try {
          await look()
          options.onLooked()
        } catch (error) {
          if (!stopping.signal.aborted)
            store.log.warn({ err: error }, 'proposals could not be looked at; they will be looked at again')
        }
      }).catch(() => undefined),
    )
    return waiting
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      await looked()
      await pause(options.pollMs)
    }
  }

  async function existing(id: string): Promise<ProposalRow> {
    const row = await proposalById(store.engine, id)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no proposal ${id}`)
    return row
  }

  const proposals: Proposals = {
    async propose(request) {
      const made = await exclusive(() => propose(deps, request))
      proposals.nudge()
      return made
    },
    async opening(work) {
      const result = await exclusive(async () => {
        const done = await work()
        if (done.opened !== null) await openProposal(deps, done.opened)
        return done.result
      })
      proposals.nudge()
      return result
    },
    hold: () =>
      new Promise((resolve, reject) => {
        exclusive(async () => {
          if (!(await holdsLease(store.engine, store, deps.lease)))
            throw fail('SW_NO_LEADER', 'another process leads by now')
          await new Promise<void>((release) => resolve(release))
        }).catch(reject)
      }),
    pushed: (refs, by) => registerPushed(deps, refs, by),
    async reject(id, { actor, reason }) {
      await exclusive(() => close(deps, id, { state: 'rejected', actor, reason, more: { reason } }))
    },
    merge: (landing) => exclusive(() => land(deps, landing)),
    check: (id) => exclusive(() => lookedAtNow(deps, id)),
    decide: (id, work) => exclusive(() => decideProposal(deps, id, work)),
    async diff(id) {
      const row = await existing(id)
      const tips = row.state === 'open' ? [fullName(row.branch)] : [closedRef(id)]
      for (const ref of [...tips, row.head]) {
        const tip = await repository.resolve(ref)
        if (tip !== null) return repository.patch(row.base, tip, { maxBytes: MAX_DIFF_BYTES })
      }
      throw fail('SW_REV_MISSING', `the commits of proposal ${id} are not in the repository any more`)
    },
    nudge() {
      if (!stopping.signal.aborted) void looked()
    },
    looked,
    async refresh() {
      fetchedMs = Number.NEGATIVE_INFINITY
      await looked()
    },
    start() {
      watcher = options.watch(() => proposals.nudge())
      watcher.catch((error: unknown) =>
        store.log.warn({ err: error }, 'branches are not watched, but looked at from time to time'),
      )
      polling = poll()
    },
    async stop() {
      stopping.abort()
      await (await watcher?.catch(() => null))?.close()
      await polling
      await queue
    },
  }
  return proposals
}
