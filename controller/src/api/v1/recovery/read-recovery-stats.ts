import Type from 'typebox'
import { recoveryStats } from '../../../store/queries/dead-letters.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only, Time } from '../schemas.ts'

const Count = (description: string) => Type.Integer({ minimum: 0, description })

const RecoveryStats = Type.Object(
  {
    since: Time,
    retried: Count('attempts of steps after their first'),
    resumed: Count('calls that were taken up again after their process had died'),
    quarantined: Count('calls whose outcome nobody knew after that, and that waited for a person'),
    compensated: Count('runs that were rolled back'),
    dead: Count('dead letters that nobody has requeued'),
    requeued: Count('dead letters that were'),
    mttr_ms: Nullable(
      Type.Number({
        description: 'mean time from the first failure of a step to its success; null when none recovered',
      }),
    ),
    correlation_id: Type.String(),
  },
  { title: 'RecoveryStats' },
)

const DAY_MS = 24 * 3_600_000

export const readRecoveryStats = route({
  operation: 'readRecoveryStats',
  method: 'GET',
  path: '/api/v1/recovery/stats',
  tag: 'recovery',
  access: 'read',
  summary: 'Read how much was recovered',
  description: 'Since a time (left out: the last 24 hours), as far as it is still held.',
  query: only({ since: Type.Optional(Time) }),
  answers: { 200: RecoveryStats },
  example: {
    query: { since: SAMPLE.time },
    answer: {
      since: SAMPLE.time,
      retried: 12,
      resumed: 2,
      quarantined: 1,
      compensated: 0,
      dead: 1,
      requeued: 3,
      mttr_ms: 4250,
      correlation_id: SAMPLE.correlation,
    },
  },
  async answer({ query, correlationId }, { store, clock }) {
    const since = query.since === undefined ? new Date(clock.now().getTime() - DAY_MS) : new Date(query.since)
    return { ...(await recoveryStats(store.reader, since)), since: since.toISOString(), correlation_id: correlationId }
  },
})
