import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject, type Json } from '../lib/json.ts'
import { evaluateExpression, tryEvaluate } from './evaluate.ts'
import { evaluateCondition, evaluateFilter } from './filter.ts'
import { toEventValue } from './values.ts'

const event = toEventValue({
  event_id: 'e1',
  event_name: 'checkmk.alert',
  occurred_at: '2026-01-02T03:04:05.678Z',
  actor: 'user:ann',
  resource: null,
  data: { state: 'CRIT', count: 3, host: { name: 'web-1' } },
})

describe('evaluateExpression', () => {
  test.each<[string, Json]>([
    ['1 + 2', 3],
    ['event.data.count + 1', 4],
    ['event.data.count / 2', 1.5],
    ['event.data.count % 2', 1],
    ['1.5 + 1', 2.5],
    ['event.data.count == 3', true],
    ['event.data.count in [1, 2, 3]', true],
    ['[10, 20, 30, 40][event.data.count]', 40],
    ["{'a': 1, 'b': 'x', 'c': [1, null]}", { a: 1, b: 'x', c: [1, null] }],
    ['event.data.?missing.orValue("d")', 'd'],
    ['event.data.?missing', null],
    ['size(event.data)', 3],
    ["timestamp('2026-01-01T00:00:00Z')", '2026-01-01T00:00:00.000Z'],
    ["duration('90s')", '90s'],
    ["b'ab'", 'YWI='],
    ['3u', 3],
    ['type(1)', 'int'],
    ["event.time.startsWith('2026')", true],
  ])('%s', (text, value) => {
    expect(evaluateExpression(text, { event })).toEqual(value)
  })

  test.each(['9007199254740993', '1.0 / 0.0', "1 + 'a'", 'event.data.state && true', '1 / 0', 'nothing', '1 +'])(
    'fails for %s, and not because of a missing key',
    (text) => {
      const result = tryEvaluate(text, { event })
      expect(result).toMatchObject({ ok: false, missingKey: null, error: { ref: 'SW_EXPRESSION_FAILED' } })
    },
  )

  test('names a missing key and how to guard it', () => {
    const result = tryEvaluate('event.data.nope', { event })
    expect(result).toMatchObject({ ok: false, missingKey: 'nope', error: { details: { offset: 11 } } })
    expect(result.ok ? '' : result.error.remedy).toContain('orValue')
    expect(tryEvaluate('event.data.x', { event: null })).toMatchObject({ ok: false, missingKey: 'data' })
    expect(() => evaluateExpression('event.data.nope', { event })).toThrow('nope')
  })

  test('does not reach what JSON values inherit', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(tryEvaluate(`event.data.${name}`, { event }).ok).toBe(false)
    }
  })

  test('gives every JSON value back as it is', () => {
    const safe = (value: unknown): boolean =>
      Array.isArray(value)
        ? value.every(safe)
        : isObject(value)
          ? !Object.hasOwn(value, '__proto__') && Object.values(value).every(safe)
          : !Object.is(value, -0)
    fc.assert(
      fc.property(fc.jsonValue().filter(safe), (value) => {
        expect(evaluateExpression('inputs.value', { inputs: { value: value as Json } })).toEqual(value)
      }),
    )
  })
})

describe('filters and conditions', () => {
  test('a missing key is no match, a wrong filter is no match with an error', () => {
    expect(evaluateFilter("event.data.state == 'CRIT'", { event })).toEqual({ matched: true })
    expect(evaluateFilter("event.data.state == 'OK'", { event })).toEqual({ matched: false, missingKey: null })
    expect(evaluateFilter("event.data.site == 'x'", { event })).toEqual({ matched: false, missingKey: 'site' })
    expect(evaluateFilter('event.data.state', { event })).toMatchObject({
      matched: false,
      error: { ref: 'SW_EXPRESSION_FAILED' },
    })
    expect(evaluateFilter('event.data.state > 1', { event })).toMatchObject({
      matched: false,
      error: { ref: 'SW_EXPRESSION_FAILED' },
    })
  })

  test('a condition of a step fails instead', () => {
    expect(evaluateCondition('event.data.count > 2', { event })).toBe(true)
    expect(() => evaluateCondition('event.data.site', { event })).toThrow('site')
    expect(() => evaluateCondition('event.data.count', { event })).toThrow('true or false')
  })
})
