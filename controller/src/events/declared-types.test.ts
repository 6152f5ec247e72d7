import { expect, it } from 'vitest'
import { checkEventData, type DeclaredEventTypes } from './declared-types.ts'

const alert = {
  name: 'alert',
  event: 'their.alert',
  description: '',
  dataSchema: {
    type: 'object',
    required: ['host'],
    properties: { host: { type: 'string' }, level: { enum: ['low', 'high'] } },
    additionalProperties: false,
  },
}
const types: DeclaredEventTypes = {
  all: async () => [alert],
  find: async (event) => (event === alert.event ? alert : null),
}

it('takes data that fits the schema of its event, and any data of an event that nobody declared', async () => {
  await checkEventData(types, { name: 'their.alert', data: { host: 'web-1', level: 'low' } }, 'body/data')
  await checkEventData(types, { name: 'their.other', data: { anything: [1] } }, 'body/data')
})

it('refuses other data with 400 and every place that is wrong', async () => {
  const refused = checkEventData(types, { name: 'their.alert', data: { level: 'mid', 'a/b': 1 } }, 'body/3/data')
  await expect(refused).rejects.toMatchObject({
    ref: 'SW_EVENT_DATA',
    status: 400,
    details: {
      event_type: 'alert',
      violations: [
        { path: 'body/3/data/host', message: 'is missing' },
        { path: 'body/3/data/a~1b', message: 'is not allowed here' },
        { path: 'body/3/data/level', message: 'must be one of "low", "high"' },
      ],
    },
  })
})
