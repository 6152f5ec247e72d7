import Type, { type Static } from 'typebox'
import { ALERT_STATES } from '../../../lifecycle/alert.ts'
import { type AlertRow, SEVERITIES } from '../../../store/queries/alerts.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, Time, Uuid } from '../schemas.ts'

export const SeverityWord = Type.Enum([...SEVERITIES])

export const Alert = Type.Object(
  {
    id: Uuid,
    key: Type.String({ description: 'what it is about: raised again under the same key, it is the same alert' }),
    rule: Type.String({ description: 'manual, or the rule that raised it' }),
    namespace: Type.String(),
    agent: Nullable(Type.String()),
    severity: SeverityWord,
    state: Type.Enum([...ALERT_STATES]),
    title: Type.String(),
    message: Type.String(),
    raised_by: Type.String(),
    raised_at: Time,
    last_raised_at: Time,
    count: Type.Integer({ description: 'how often it was raised' }),
    acknowledged_by: Nullable(Type.String()),
    acknowledged_at: Nullable(Time),
    resolved_by: Nullable(Type.String()),
    resolved_at: Nullable(Time),
    note: Nullable(Type.String()),
    event_id: Nullable(Uuid),
    correlation_id: Type.String(),
  },
  { title: 'Alert' },
)

export function alertDto(row: AlertRow): Static<typeof Alert> {
  const { alert_id, ...rest } = row
  return {
    ...rest,
    id: alert_id,
    raised_at: row.raised_at.toISOString(),
    last_raised_at: row.last_raised_at.toISOString(),
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    resolved_at: row.resolved_at?.toISOString() ?? null,
  }
}

export const sampleAlert: Static<typeof Alert> = {
  id: SAMPLE.alert,
  key: 'manual/default/disk-full',
  rule: 'manual',
  namespace: 'default',
  agent: 'sre',
  severity: 'critical',
  state: 'open',
  title: 'the disk of web-1 is full',
  message: '',
  raised_by: 'key:governor',
  raised_at: SAMPLE.time,
  last_raised_at: SAMPLE.time,
  count: 1,
  acknowledged_by: null,
  acknowledged_at: null,
  resolved_by: null,
  resolved_at: null,
  note: null,
  event_id: null,
  correlation_id: SAMPLE.correlation,
}
