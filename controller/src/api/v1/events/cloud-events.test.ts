import { CloudEvent as SdkEvent } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../lib/json.ts'
import type { LoggedEvent } from '../../../store/ports.ts'
import { fromCloudEvent, toCloudEvent } from './cloud-events.ts'

const caller = { actor: 'user:ada', correlationId: 'c-1' }
const now = new Date('2026-05-01T00:00:00.000Z')
const read = (sent: JsonObject) => fromCloudEvent(sent, 'body', caller, now)
const minimal = { specversion: '1.0', id: 'A-1', source: '/their/system', type: 'their.thing.happened' }

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/)
const loggedEvent: fc.Arbitrary<LoggedEvent> = fc.record({
  seq: fc.nat(),
  event_id: fc.uuid(),
  event_name: fc
    .array(word, { minLength: 2, maxLength: 4 })
    .map((words) => words.join('.'))
    .filter((name) => !name.startsWith('stateward.')),
  occurred_at: fc.date({ min: new Date(0), max: now, noInvalidDate: true }).map((date) => date.toISOString()),
  env_id: word,
  actor: fc.constant('user:ada'),
  correlation_id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/),
  run_id: fc.constant(null),
  step_id: fc.constant(null),
  resource: fc.option(fc.record({ type: fc.constantFrom('Run', 'Agent', 'Blueprint'), id: fc.uuid() })),
  data: fc.dictionary(
    word.filter((name) => name !== 'ce'),
    fc.jsonValue(),
  ) as fc.Arbitrary<JsonObject>,
})

describe('CloudEvents', () => {
  it('that we write are valid, and read back the same', () => {
    fc.assert(
      fc.property(loggedEvent, (event) => {
        const written = JSON.parse(JSON.stringify(toCloudEvent(event))) as JsonObject
        expect(new SdkEvent(written).validate()).toBe(true)
        expect(written['source']).toBe(`/stateward/${event.env_id}`)
        const { event_id, event_name, occurred_at, correlation_id, data } = read(written)
        const { ce, ...own } = data
        expect({ event_id, event_name, occurred_at: occurred_at.toISOString(), correlation_id }).toEqual({
          event_id: event.event_id,
          event_name: event.event_name,
          occurred_at: event.occurred_at,
          correlation_id: event.correlation_id,
        })
        expect(own).toEqual(JSON.parse(JSON.stringify(event.data)))
        expect(ce).toMatchObject({ source: written['source'], sequence: String(event.seq) })
        expect((ce as JsonObject)['subject']).toBe(written['subject'])
      }),
    )
  })

  it('of the SDK are read', () => {
    const sent = new SdkEvent({
      source: '/their/system',
      type: 'their.thing.happened',
      subject: 'a/b',
      partition: 3,
      data: { n: 1 },
    })
    const event = read(JSON.parse(sent.toString()) as JsonObject)
    expect(event).toMatchObject({
      event_id: sent.id,
      event_name: 'their.thing.happened',
      correlation_id: 'c-1',
      data: { n: 1, ce: { source: '/their/system', subject: 'a/b', id: sent.id, partition: 3 } },
    })
  })

  it('name what they are about by kind and name', () => {
    const event = { ...fc.sample(loggedEvent, 1)[0]!, resource: { type: 'Run', id: 'u' } }
    expect(toCloudEvent({ ...event, data: { run: 'fix-abc' } }).subject).toBe('Run/fix-abc')
    expect(toCloudEvent({ ...event, data: {} }).subject).toBe('Run/u')
    expect(toCloudEvent({ ...event, resource: { type: 'Agent', id: 'u' }, data: { name: 'sre' } }).subject).toBe(
      'Agent/sre',
    )
    expect(toCloudEvent({ ...event, resource: null })).not.toHaveProperty('subject')
  })

  it('get an id of ours from source and id, and keep data that is no object', () => {
    expect(read(minimal).event_id).toBe(read({ ...minimal, data: 1 }).event_id)
    expect(read(minimal).event_id).not.toBe(read({ ...minimal, source: '/other' }).event_id)
    expect(read({ ...minimal, data: [1, 2] }).data['value']).toEqual([1, 2])
    expect(read({ ...minimal, data_base64: 'AQI=' }).data['base64']).toBe('AQI=')
    expect(read(minimal).data).toEqual({ ce: { source: '/their/system', id: 'A-1' } })
  })

  it('are not believed when they come from the future', () => {
    const event = read({ ...minimal, time: '2099-01-01T00:00:00Z' })
    expect(event.occurred_at).toEqual(now)
    expect(event.data['ce']).toMatchObject({ time: '2099-01-01T00:00:00Z' })
  })

  it('are refused for everything that is wrong with them', () => {
    const wrong = (sent: JsonObject) => {
      try {
        read(sent)
      } catch (error) {
        return (error as { details: { violations: { path: string }[] } }).details.violations.map(({ path }) => path)
      }
      return []
    }
    expect(wrong({})).toEqual(['body/specversion', 'body/id', 'body/source', 'body/type'])
    expect(wrong({ ...minimal, specversion: '0.3', type: 'Their.Thing', time: 'yesterday' })).toEqual([
      'body/specversion',
      'body/type',
      'body/time',
    ])
    expect(wrong({ ...minimal, 'not-a-name': 'x', nested: {} })).toEqual(['body/not-a-name', 'body/nested'])
    expect(wrong({ ...minimal, data: 1, data_base64: 'AQI=' })).toEqual(['body/data_base64'])
    expect(() => read({ ...minimal, type: 'stateward.run.started' })).toThrow(/written by Stateward alone/)
  })
})
