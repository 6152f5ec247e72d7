import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { checkHealth, type Health, type HealthExpressions, healthOf, worstOf } from './health.ts'

const EXPRESSIONS: HealthExpressions = {
  current: 'status.phase == "Running" && status.readyReplicas == spec.replicas',
  inProgress: 'status.phase in ["Pending", "Starting"]',
  failed: 'status.phase == "Failed"',
}
const subject = (status: JsonObject, spec: JsonObject = { replicas: 2 }) => ({
  ...{ apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', labels: {} } },
  ...{ spec, status },
})
const stateOf = (status: JsonObject, expressions = EXPRESSIONS) => healthOf(expressions, subject(status)).state

describe('the health of an object', () => {
  it('is what the first expression that holds says', () => {
    expect(stateOf({ phase: 'Running', readyReplicas: 2 })).toBe('current')
    expect(stateOf({ phase: 'Starting' })).toBe('inProgress')
    expect(stateOf({ phase: 'Failed' })).toBe('failed')
    const all = { current: 'true', inProgress: 'true', failed: 'true' }
    expect(stateOf({}, all)).toBe('inProgress')
    expect(stateOf({}, { current: 'true', failed: 'true' })).toBe('failed')
  })

  it('is unknown while none of them holds, and while what they read is not there', () => {
    expect(stateOf({ phase: 'Running', readyReplicas: 1 })).toBe('unknown')
    expect(stateOf({})).toBe('unknown')
    expect(stateOf({}, { current: 'status.conditions[0].status == "True"' })).toBe('unknown')
  })

  it('says which expression cannot be evaluated', () => {
    const broken = healthOf({ current: 'status.phase + 1 == 2' }, subject({ phase: 'x' }))
    expect(broken).toMatchObject({ state: 'broken', expression: 'status.phase + 1 == 2' })
    expect(healthOf({ current: 'status.phase' }, subject({ phase: 'x' }))).toMatchObject({
      state: 'broken',
      message: 'it has to be true or false: status.phase',
    })
  })

  it('never throws, whatever an object holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (status) => {
        expect(['current', 'inProgress', 'failed', 'unknown', 'broken']).toContain(stateOf(status as JsonObject))
      }),
      { numRuns: 200 },
    )
  })
})

describe('health expressions', () => {
  it('are checked with the place of what is wrong', () => {
    expect(checkHealth(EXPRESSIONS, '/spec/x/0')).toEqual([])
    expect(checkHealth({ current: 'true', failed: 'statos.phase == "x"' }, '/spec/x/0')).toEqual([
      {
        code: 'SW_UNKNOWN_NAME',
        pointer: '/spec/x/0/failed',
        message: 'the variable "statos" is not known here',
        hint: 'did you mean "status"?',
        offset: 0,
      },
    ])
    expect(checkHealth({ current: 'kind' }, '/spec/x/0')).toMatchObject([
      { code: 'SW_EXPRESSION_TYPE', pointer: '/spec/x/0/current' },
    ])
    expect(checkHealth({ current: 'status.(', inProgress: 'spec.replicas > 1' }, '')).toMatchObject([
      { code: 'SW_EXPRESSION_SYNTAX', pointer: '/current' },
    ])
  })
})

it('of several judgements the worst counts', () => {
  const judged = (state: 'broken' | 'failed' | 'inProgress' | 'unknown' | 'current') => ({
    health: { state, expression: 'x', message: '' } as unknown as Health,
  })
  const [held, going, failed] = [judged('current'), judged('inProgress'), judged('failed')]
  expect(worstOf([])).toBeNull()
  expect(worstOf([held, going, failed])).toBe(failed)
  expect(worstOf([held, judged('unknown'), going])).toBe(going)
  expect(worstOf([held])).toBe(held)
})
