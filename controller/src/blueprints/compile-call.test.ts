import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { compileBlueprint } from './compile.ts'
import type { CompileResult } from './compile-result.ts'

const around = { toolSchema: () => ({}) }
const place = () => null

const called = compileBlueprint(
  {
    namespace: 'default',
    name: 'restart',
    place,
    spec: {
      inputs: [
        { name: 'host', schema: { type: 'string' }, required: true },
        { name: 'times', schema: { type: 'integer', minimum: 1 }, default: 1 },
      ],
      plan: [
        { id: 'one', kind: 'transform', expression: 'inputs.host' },
        { id: 'two', kind: 'transform', expression: 'steps.one.output' },
      ],
      outputs: [{ name: 'host', value: '{{ steps.two.output }}' }],
    },
  },
  around,
)

function compile(plan: JsonObject[], more: JsonObject = {}): CompileResult {
  const inputs = [
    { name: 'host', schema: { type: 'string' }, required: true },
    { name: 'hosts', schema: { type: 'array', items: { type: 'string' } }, default: [] },
  ]
  return compileBlueprint(
    { namespace: 'default', name: 'caller', place, spec: { inputs, plan, ...more } },
    { ...around, blueprint: (name) => (name === 'restart' ? called : null) },
  )
}

const call = (inputs: JsonObject, more: JsonObject = {}) => ({
  id: 'call',
  kind: 'blueprint',
  ref: 'restart',
  inputs,
  ...more,
})

function wrong(plan: JsonObject[], more: JsonObject = {}): string[] {
  const result = compile(plan, more)
  return result.ok ? [] : result.problems.map(({ code, pointer }) => `${code} ${pointer.replace('/spec/plan/', '')}`)
}

describe('a call of a blueprint', () => {
  test('carries the plan that it calls, under its digest', () => {
    const result = compile([call({ host: '{{ inputs.host }}' })])
    if (!called.ok || !result.ok) throw new Error('they compile')
    expect(result.plan.steps[0]).toMatchObject({
      kind: 'blueprint',
      ref: 'restart',
      plan: { digest: called.digest, steps: [{ id: 'one' }, { id: 'two' }], outputs: [{ name: 'host' }] },
    })
  })

  test('has another digest when what it calls has', () => {
    const digestWith = (expression: string) => {
      const other = compileBlueprint(
        { namespace: 'default', name: 'x', place, spec: { plan: [{ id: 'a', kind: 'transform', expression }] } },
        around,
      )
      const spec = { plan: [{ id: 'call', kind: 'blueprint', ref: 'x' }] }
      const result = compileBlueprint(
        { namespace: 'default', name: 'c', place, spec },
        { ...around, blueprint: () => other },
      )
      return result.ok && result.digest
    }
    expect(digestWith('1')).toBe(digestWith('1'))
    expect(digestWith('1')).not.toBe(digestWith('2'))
  })

  test('is refused for inputs that the other does not take, before anything runs', () => {
    expect(wrong([call({ host: 'web', times: 2 })])).toEqual([])
    expect(wrong([call({})])).toEqual(['SW_MISSING_FIELD 0/inputs'])
    expect(wrong([call({ host: 'web', hots: 1 })])).toEqual(['SW_UNKNOWN_NAME 0/inputs/hots'])
    expect(wrong([call({ host: 5 })])).toEqual(['SW_BAD_VALUE 0/inputs/host'])
    expect(wrong([call({ host: 'web', times: 0 })])).toEqual(['SW_BAD_VALUE 0/inputs/times'])
    expect(wrong([call({ host: '{{ inputs.hosts }}' })])).toEqual(['SW_BAD_VALUE 0/inputs/host'])
    expect(wrong([call({ host: 'web', times: 'n{{ inputs.host }}' })])).toEqual(['SW_BAD_VALUE 0/inputs/times'])
    expect(wrong([call({ host: '{{ env.stage }}' })])).toEqual(['SW_UNKNOWN_NAME 0/inputs/host'])
    expect(wrong([call({ host: '{{ inputs.hots }}' })])).toEqual(['SW_UNKNOWN_NAME 0/inputs/host'])
    expect(wrong([{ ...call({}), ref: 'gone' }])).toEqual(['SW_REFERENCE_BROKEN 0/ref'])
  })

  test('gives the outputs that the other declares, and no others', () => {
    const read = (field: string) => ({ id: 'read', kind: 'transform', expression: `steps.call.output.${field}` })
    expect(wrong([call({ host: 'web' }), read('host')])).toEqual([])
    expect(wrong([call({ host: 'web' }), read('hots')])).toEqual(['SW_UNKNOWN_NAME 1/expression'])
  })

  test('counts with all of its steps', () => {
    expect(wrong([call({ host: 'web' })], { limits: { maxSteps: 3 } })).toEqual([])
    expect(wrong([call({ host: 'web' })], { limits: { maxSteps: 2 } })).toEqual(['SW_TOO_MANY_STEPS /spec/plan'])
  })
})
