import Type from 'typebox'
import { RULES } from '../../../alerts/rules.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { ALERT_STATES } from '../../../lifecycle/alert.ts'
import { alertById, pageAlerts } from '../../../store/queries/alerts.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { Name, NamespaceQuery, only, PageQuery, pageOf, Uuid } from '../schemas.ts'
import { Alert, alertDto, SeverityWord, sampleAlert } from './alert-dto.ts'

export const listAlerts = route({
  operation: 'listAlerts',
  method: 'GET',
  path: '/api/v1/alerts',
  aliases: ['/alerts'],
  tag: 'alerts',
  access: 'read',
  summary: 'List alerts, the newest first',
  query: only({
    ...PageQuery,
    ...NamespaceQuery,
    agent: Type.Optional(Name),
    severity: Type.Optional(SeverityWord),
    state: Type.Optional(Type.Enum([...ALERT_STATES, 'active'], { description: 'active = not resolved' })),
  }),
  answers: { 200: pageOf(Alert) },
  example: { query: { state: 'active' }, answer: samplePage(sampleAlert) },
  async answer({ query, correlationId }, { store: { reader } }) {
    const position = query.cursor === undefined ? null : decodeCursor(query.cursor, ['time', 'uuid'])
    const rows = await pageAlerts(reader, {
      namespace: query.namespace ?? null,
      agent: query.agent ?? null,
      severity: query.severity ?? null,
      state: query.state ?? null,
      after: position === null ? null : { raisedAt: position[0], id: position[1] },
      limit: query.limit + 1,
    })
    const page = { limit: query.limit, correlationId }
    return pageBody(rows, page, (last) => [last.raised_at, last.alert_id], alertDto)
  },
})

export const listAlertRules = route({
  operation: 'listAlertRules',
  method: 'GET',
  path: '/api/v1/alerts/rules',
  aliases: ['/alerts/rules'],
  tag: 'alerts',
  access: 'read',
  summary: 'List what raises alerts by itself',
  answers: {
    200: Type.Object(
      {
        items: Type.Array(
          Type.Object(
            {
              name: Type.String(),
              description: Type.String(),
              events: Type.Array(Type.String(), { description: 'what it listens to' }),
            },
            { title: 'AlertRule' },
          ),
        ),
      },
      { title: 'AlertRules' },
    ),
  },
  example: {
    answer: {
      items: [
        {
          name: 'breaker-open',
          description: 'A breaker is open; resolved when it closes.',
          events: ['stateward.breaker.opened', 'stateward.breaker.closed'],
        },
      ],
    },
  },
  answer: async () => ({
    items: RULES.map(({ name, description, events }) => ({ name, description, events: [...events] })),
  }),
})

export const readAlert = route({
  operation: 'readAlert',
  method: 'GET',
  path: '/api/v1/alerts/{alert}',
  aliases: ['/alerts/{alert}'],
  tag: 'alerts',
  access: 'read',
  summary: 'Read an alert',
  params: Type.Object({ alert: Uuid }),
  answers: { 200: Alert },
  example: { params: { alert: SAMPLE.alert }, answer: sampleAlert },
  async answer({ params }, { store: { reader } }) {
    const row = await alertById(reader, params.alert)
    if (row === null) throw fail('SW_NOT_FOUND', `there is no alert ${params.alert}`)
    return alertDto(row)
  },
})
