import { setTimeout as delay } from 'node:timers/promises'
import { digestOf } from '../../lib/digest.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { holdsLease } from '../../store/leases.ts'
import { type ProposalRow, proposalsForForge, saveForge } from '../../store/queries/proposals.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import { forgeState } from './forge-state.ts'
import type { Forge } from './ports.ts'
import { checkOf, commentOf, descriptionOf } from './pull-request-text.ts'

const GATHER_MS = 200
const RETRY_MS = 30_000

export interface ForgePublisherOptions {
  readonly store: Store
  /** Only the holder of this lease speaks with the forge. */
  readonly lease: string
  readonly forge: Forge
  /** Name of the protected branch. */
  readonly base: string
  /** Somebody else opened the pull request: he counts among those who made the proposal. */
  readonly openedBy: (proposal: ProposalRow, login: string) => Promise<void>
}

export interface ForgePublisher {
  /** A proposal may have changed. */
  nudge(): void
  stop(): Promise<void>
}

/**
 * Keeps pull requests as proposals are: opens them, says in one comment and one check what the plan is, closes them. Level-
 * triggered; what the forge refuses or cannot answer is kept with the proposal and tried again.
 */
export function createForgePublisher(options: ForgePublisherOptions): ForgePublisher {
  const { store } = options
  const stopping = new AbortController()
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
  let working: Promise<void> | null = null
  let again = false

  async function work(): Promise<void> {
    await pause(GATHER_MS)
    do {
      again = false
      if (stopping.signal.aborted) return
      if (!(await publishAll(options))) {
        await pause(RETRY_MS)
        again = true
      }
    } while (again)
  }

  return {
    nudge() {
      again = true
      if (stopping.signal.aborted) return
      working ??= work()
        .catch((error: unknown) => store.log.warn({ err: error }, 'proposals could not be told to the forge'))
        .finally(() => {
          working = null
        })
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}

/** False when one of them has to be tried again. */
async function publishAll(options: ForgePublisherOptions): Promise<boolean> {
  const { store } = options
  if (!(await holdsLease(store.engine, store, options.lease))) return true
  let done = true
  for (const row of await proposalsForForge(store.engine)) {
    try {
      await publish(options, row)
    } catch (error) {
      done = false
      const message = errorMessage(error)
      if (row.forge?.['error'] === message) continue
      store.log.warn({ proposal: row.proposal_id, err: error }, 'a proposal could not be told to the forge')
      await save(store, row, { ...(row.forge ?? {}), error: message })
    }
  }
  return done
}

async function publish({ store, forge, base, openedBy }: ForgePublisherOptions, row: ProposalRow): Promise<void> {
  const known = forgeState(row)
  if (row.state !== 'open') {
    if (known === null) return
    await forge.close(known.number)
    await save(store, row, { ...(known as unknown as JsonObject), closed: true })
    return
  }
  const { head, plan_digest, checks, check_error } = row
  const told = digestOf({ head, plan_digest, check_error, checks: checks as unknown as Json })
  if (known?.told === told) return
  const request =
    known ?? (await forge.pullRequest({ branch: row.branch, base, title: row.title, body: descriptionOf(row) }))
  await forge.comment(request.number, commentOf(row))
  await forge.check(head, checkOf(row))
  const { number, url, author } = request
  await save(store, row, { type: forge.type, number, url, author, told, closed: false })
  if (known === null && author !== '') await openedBy(row, author)
}

async function save(store: Store, row: ProposalRow, forge: JsonObject): Promise<void> {
  await transact(store, (tx) => saveForge(tx, row.proposal_id, forge))
}
