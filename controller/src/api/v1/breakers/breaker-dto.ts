import Type, { type Static } from 'typebox'
import { breakerId } from '../../../breakers/breakers.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { BREAKER_STATES } from '../../../lifecycle/breaker.ts'
import { BREAKER_KINDS, type BreakerRow, type BreakerTarget } from '../../../store/queries/breakers.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time } from '../schemas.ts'

export const BreakerParams = Type.Object({
  breaker: Type.String({ minLength: 1, maxLength: 253, description: '`tool:<name>` or `agent:<name>`' }),
})

export const Breaker = Type.Object(
  {
    id: Type.String({ description: '`tool:<name>` or `agent:<name>`' }),
    target: Type.Object({ kind: Type.Enum([...BREAKER_KINDS]), namespace: Type.String(), name: Type.String() }),
    state: Type.Enum([...BREAKER_STATES]),
    reason: Type.String({ description: 'why it was opened last' }),
    effect: Type.Enum(['notify', 'throttle', 'pause', 'terminate'], {
      description: 'what becomes of the target while it is open',
    }),
    declared_by: Nullable(Type.String({ description: 'name of the Breaker that opened it; null = another reason' })),
    opened_by: Type.String(),
    opened_at: Time,
    probe_at: Nullable({ ...Time, description: 'when one is let through to try; null = when somebody resets it' }),
    half_open_at: Nullable(Time),
    closed_at: Nullable(Time),
    closed_by: Nullable(Type.String()),
    trips: Type.Integer({ description: 'how often it was opened' }),
  },
  { title: 'Breaker' },
)

export function breakerDto(row: BreakerRow): Static<typeof Breaker> {
  const { kind, namespace, name } = row
  return {
    id: breakerId(row),
    target: { kind, namespace, name },
    state: row.state,
    reason: row.reason,
    effect: row.effect,
    declared_by: row.declared_by,
    opened_by: row.opened_by,
    opened_at: row.opened_at.toISOString(),
    probe_at: row.probe_at?.toISOString() ?? null,
    half_open_at: row.half_open_at?.toISOString() ?? null,
    closed_at: row.closed_at?.toISOString() ?? null,
    closed_by: row.closed_by,
    trips: row.trips,
  }
}

/** SW_NOT_FOUND for what is no breaker at all. */
export function targetOf(id: string, namespace: string | undefined): BreakerTarget {
  const [, word = '', name = ''] = /^(tool|agent|modelprovider):([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/.exec(id) ?? []
  const kind = BREAKER_KINDS.find((each) => each.toLowerCase() === word)
  if (kind === undefined)
    throw fail('SW_NOT_FOUND', `there is no breaker "${id}"`, {
      remedy: 'write tool:<name>, agent:<name> or modelprovider:<name>',
    })
  return { kind, namespace: kind === 'ModelProvider' ? '' : (namespace ?? 'default'), name }
}

export const sampleBreaker: Static<typeof Breaker> = {
  id: 'tool:ssh.run',
  target: { kind: 'Tool', namespace: 'default', name: 'ssh.run' },
  state: 'open',
  reason: 'the jump host is compromised',
  effect: 'pause',
  declared_by: null,
  opened_by: 'key:governor',
  opened_at: SAMPLE.time,
  probe_at: null,
  half_open_at: null,
  closed_at: null,
  closed_by: null,
  trips: 1,
}
