import { describe, expect, test } from 'vitest'
import type { EventValue } from '../expressions/values.ts'
import { resolveInputs } from './inputs.ts'
import { matchTrigger } from './triggers.ts'

function event(name: string, data: EventValue['data'] = {}): EventValue {
  return { id: 'e1', name, time: '2026-01-02T03:04:05.678Z', actor: 'user:ann', resource: null, data }
}

function trigger(fields: { event?: string; filter?: string; dedupeKey?: string }) {
  return { event: fields.event ?? 'checkmk.alert', filter: fields.filter ?? null, dedupeKey: fields.dedupeKey ?? null }
}

describe('matchTrigger', () => {
  test.each([
    ['checkmk.alert', 'checkmk.alert', true],
    ['checkmk.*', 'checkmk.alert.cleared', true],
    ['checkmk.*', 'checkmk', false],
    ['*', 'checkmk.alert', true],
    ['*', 'stateward.run.started', false],
    ['*.started', 'stateward.run.started', false],
    ['stateward.run.*', 'stateward.run.failed', true],
  ])('%s takes %s: %s', (glob, name, matches) => {
    expect(matchTrigger(trigger({ event: glob }), event(name)).matches).toBe(matches)
  })

  test('a filter decides; a missing key is no match and is named', () => {
    const crit = trigger({
      filter: "event.data.state == 'CRIT'",
      dedupeKey: '{{ event.data.host }}/{{ event.data.n }}',
    })
    expect(matchTrigger(crit, event('checkmk.alert', { state: 'CRIT', host: 'web-1', n: 2 }))).toEqual({
      matches: true,
      dedupeKey: 'web-1/2',
    })
    expect(matchTrigger(crit, event('checkmk.alert', { state: 'OK' }))).toEqual({
      matches: false,
      missingKey: null,
      error: null,
    })
    expect(matchTrigger(crit, event('checkmk.alert', {}))).toEqual({ matches: false, missingKey: 'state', error: null })
    expect(matchTrigger(crit, event('checkmk.alert', { state: 'CRIT', host: 'a' }))).toEqual({
      matches: false,
      missingKey: 'n',
      error: null,
    })
  })

  test('a filter that fails for another reason says so', () => {
    const odd = trigger({ filter: 'event.data.state + 1 == 2' })
    expect(matchTrigger(odd, event('checkmk.alert', { state: 'x' }))).toMatchObject({
      matches: false,
      missingKey: null,
      error: { ref: 'SW_EXPRESSION_FAILED' },
    })
  })

  test('a long key is kept by its digest', () => {
    const long = trigger({ dedupeKey: '{{ event.data.text }}' })
    const match = matchTrigger(long, event('checkmk.alert', { text: 'x'.repeat(5000) }))
    expect(match.matches && match.dedupeKey).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})

describe('resolveInputs', () => {
  const input = { schema: null, required: false, default: null, hasDefault: false, from: null }
  const plan = {
    inputs: [
      { ...input, name: 'host', required: true, schema: { type: 'string' }, from: 'event.data.host' },
      { ...input, name: 'port', hasDefault: true, default: 22, schema: { type: 'integer' }, from: 'event.data.port' },
      { ...input, name: 'note' },
    ],
  }

  test('what is given wins over the event, the event over the default', () => {
    const alert = event('a.b', { host: 'web-1', port: 80 })
    expect(resolveInputs(plan, {}, alert)).toEqual({ ok: true, values: { host: 'web-1', port: 80, note: null } })
    expect(resolveInputs(plan, { host: 'db' }, alert)).toMatchObject({ values: { host: 'db' } })
    expect(resolveInputs(plan, { host: 'db' }, null)).toEqual({
      ok: true,
      values: { host: 'db', port: 22, note: null },
    })
    expect(resolveInputs(plan, {}, event('a.b', { host: 'x', port: null }))).toMatchObject({ values: { port: 22 } })
  })

  test('collects what is missing, unknown or does not fit', () => {
    const result = resolveInputs(plan, { hots: 'x', port: 'y' }, event('a.b'))
    expect(result).toEqual({
      ok: false,
      problems: [
        { name: 'hots', pointer: '/hots', message: 'there is no input "hots"', hint: expect.any(String) },
        {
          name: 'host',
          pointer: '/host',
          message: 'the input host is required',
          hint: 'the event has to hold event.data.host',
        },
        {
          name: 'port',
          pointer: '/port',
          message: 'the input port does not fit its schema: it must be integer',
          hint: 'give a value that fits',
        },
      ],
    })
  })

  test('an expression that fails for another reason than a missing key is a problem', () => {
    const odd = { inputs: [{ ...input, name: 'a', from: "event.data.n + 'x'" }] }
    expect(resolveInputs(odd, {}, event('a.b', { n: 1 }))).toMatchObject({ ok: false, problems: [{ name: 'a' }] })
  })
})
