import type { Route } from '../../http/route.ts'
import { listDeadLetters } from './list-dead-letters.ts'
import { readRecoveryStats } from './read-recovery-stats.ts'
import { requeueDeadLetter } from './requeue-dead-letter.ts'

/** What could not be done, trying it again, and how much was recovered. */
export const RECOVERY_ROUTES: readonly Route[] = [listDeadLetters, requeueDeadLetter, readRecoveryStats]
