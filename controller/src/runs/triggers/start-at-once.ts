import { StatewardError } from '../../lib/errors.ts'
import type { Store } from '../../store/store.ts'
import { type CreateRun, createdEvent, type NewRunRequest, newRun } from '../start/create.ts'
import type { Triggered } from './trigger-match.ts'

export interface StartAtOnceDeps {
  readonly store: Store
  readonly create: CreateRun
  /** Runs that whoever is free may claim: called after the commit. */
  readonly created: (runIds: readonly string[]) => void
}

/**
 * Makes the runs that ask nothing of the database but that their event has not started them before: no dedupe key, no limits
 * to count. Each is one transition with its first move, so its first step waits for one commit instead of three. The cursor of
 * the log moves after it; that an event which is read again starts nothing twice is the unique key of runs.
 * Returns what is left: also what was refused, for a transaction that finds out why.
 */
export async function startAtOnce(
  deps: StartAtOnceDeps,
  triggered: readonly Triggered[],
): Promise<readonly Triggered[]> {
  const left = await Promise.all(
    triggered.map(async (one) => (isPlain(one) && (await start(deps, one.request)) ? [] : [one])),
  )
  return left.flat()
}

function isPlain(one: Triggered): one is Extract<Triggered, { kind: 'run' }> {
  return one.kind === 'run' && one.request.dedupeKey === null && one.request.blueprint.plan.backpressure === null
}

/** False when it was refused. */
async function start({ store, create, created }: StartAtOnceDeps, request: NewRunRequest): Promise<boolean> {
  const now = store.clock.now()
  const run = newRun(request, now)
  try {
    const whose = await create(run, request.blueprint.plan, createdEvent(run, request, now))
    if (whose === 'free') created([run.run_id])
    return true
  } catch (error) {
    if (error instanceof StatewardError && (error.ref === 'SW_CONFLICT' || error.ref === 'SW_STORAGE_ERROR'))
      return false
    throw error
  }
}
