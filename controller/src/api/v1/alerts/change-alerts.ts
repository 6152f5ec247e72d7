import Type from 'typebox'
import { acknowledge, raise, resolve } from '../../../alerts/alerts.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, only, optionalBody, Uuid } from '../schemas.ts'
import { Alert, alertDto, SeverityWord, sampleAlert } from './alert-dto.ts'

export const raiseAlert = route({
  operation: 'raiseAlert',
  method: 'POST',
  path: '/api/v1/alerts',
  aliases: ['/alerts'],
  tag: 'alerts',
  access: 'alerts.write',
  summary: 'Raise an alert',
  description: 'Raised again under the same `key` while it is not resolved, it is the same alert, counted once more.',
  body: only(
    {
      severity: SeverityWord,
      title: Type.String({ minLength: 1, maxLength: 253 }),
      message: Type.String({ maxLength: 4096, default: '' }),
      key: Type.Optional(
        Nullable(
          Type.String({
            minLength: 1,
            maxLength: 253,
            description: 'what it is about; without it, always a new alert',
          }),
        ),
      ),
      namespace: { ...Name, default: 'default' } as typeof Name,
      agent: Type.Optional(Nullable({ ...Name, description: 'the agent it is about' } as typeof Name)),
    },
    { title: 'RaiseAlertRequest' },
  ),
  answers: { 201: Alert },
  example: {
    body: { severity: 'critical', title: 'the disk of web-1 is full', key: 'disk-full', agent: 'sre' },
    answer: sampleAlert,
  },
  async transact(tx, { body, caller }, { store }) {
    const { key = null, agent = null, ...said } = body
    return alertDto(await raise(tx, store, { ...said, key, agent }, caller))
  },
})

const Target = { params: Type.Object({ alert: Uuid }) }
const Note = optionalBody({
  note: Type.Optional(Nullable(Type.String({ maxLength: 1000, description: 'what others should know' }))),
})

export const acknowledgeAlert = route({
  operation: 'acknowledgeAlert',
  method: 'POST',
  path: '/api/v1/alerts/{alert}/ack',
  aliases: ['/alerts/{alert}/ack'],
  tag: 'alerts',
  access: 'alerts.write',
  summary: 'Say that somebody looks after an alert',
  description: 'The same again changes nothing; 409 when it is resolved.',
  ...Target,
  body: Note,
  answers: { 200: Alert },
  example: {
    params: { alert: SAMPLE.alert },
    body: { note: 'on it' },
    answer: {
      ...sampleAlert,
      state: 'acknowledged',
      acknowledged_by: 'user:ada',
      acknowledged_at: SAMPLE.later,
      note: 'on it',
    },
  },
  transact: async (tx, { params, body, caller }, { store }) =>
    alertDto(await acknowledge(tx, store, params.alert, body?.note ?? null, caller)),
})

export const resolveAlert = route({
  operation: 'resolveAlert',
  method: 'POST',
  path: '/api/v1/alerts/{alert}/resolve',
  aliases: ['/alerts/{alert}/resolve'],
  tag: 'alerts',
  access: 'alerts.write',
  summary: 'Resolve an alert',
  description: 'The same again changes nothing. A rule raises it anew when what it is about happens again.',
  ...Target,
  body: Note,
  answers: { 200: Alert },
  example: {
    params: { alert: SAMPLE.alert },
    body: { note: 'cleared' },
    answer: { ...sampleAlert, note: 'cleared', state: 'resolved', resolved_by: 'user:ada', resolved_at: SAMPLE.later },
  },
  transact: async (tx, { params, body, caller }, { store }) =>
    alertDto(await resolve(tx, store, params.alert, body?.note ?? null, caller)),
})
