import { fail } from '../../lib/error-catalogue.ts'
import type { StatewardError } from '../../lib/errors.ts'
import type { Tx } from '../../store/database.ts'
import { countPending, lockAdmission, rateFreeAt } from '../../store/queries/admission.ts'
import type { AcceptedBlueprint } from '../ports.ts'

export interface Hold {
  readonly admitted: false
  /** The rate is used up; else too many have not begun. */
  readonly isRate: boolean
  readonly message: string
  /** Not before then. */
  readonly retryAt: Date
}

export type Admission = { readonly admitted: true } | Hold

const MINUTE = 60_000
/** Runs begin at any moment; that is heard of, and this is for when it is not. */
const ASK_AGAIN_MS = 1000

/**
 * Whether a blueprint takes one more run now (`backpressure`). Who is admitted inserts the run in the same transaction:
 * until it ends, nobody else is asked for that blueprint, so the limits are exact. Costs nothing without limits.
 */
export async function admitRun(tx: Tx, blueprint: AcceptedBlueprint, now: Date): Promise<Admission> {
  const limits = blueprint.plan.backpressure
  if (limits === null) return { admitted: true }
  await lockAdmission(tx, blueprint.uid)
  const { maxPending, ratePerMinute } = limits
  if (maxPending !== null && (await countPending(tx, blueprint.uid)) >= maxPending)
    return {
      admitted: false,
      isRate: false,
      message: `backpressure.maxPending: ${maxPending} of its runs have not begun`,
      retryAt: new Date(now.getTime() + ASK_AGAIN_MS),
    }
  if (ratePerMinute === null) return { admitted: true }
  const since = new Date(now.getTime() - MINUTE)
  const oldest = await rateFreeAt(tx, blueprint.uid, since, ratePerMinute)
  if (oldest === null) return { admitted: true }
  return {
    admitted: false,
    isRate: true,
    message: `backpressure.ratePerMinute: ${ratePerMinute} of its runs were made within a minute`,
    retryAt: new Date(oldest.getTime() + MINUTE + 1),
  }
}

/** What somebody is told who asked for a run by hand. */
export function noCapacity({ message, retryAt, isRate }: Hold, now: Date): StatewardError {
  const seconds = Math.max(1, Math.ceil((retryAt.getTime() - now.getTime()) / 1000))
  return fail(
    isRate ? 'SW_QUOTA_EXCEEDED' : 'SW_NO_CAPACITY',
    `the blueprint takes no more runs at the moment; ${message}`,
    {
      details: { retry_after_seconds: seconds },
    },
  )
}
