import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { compileInlinePlan } from './inline-plan.ts'

const TOOLS: Record<string, JsonObject> = {
  'http.call': {
    type: 'object',
    required: ['url'],
    properties: { url: { type: 'string' } },
    additionalProperties: false,
  },
}
const compile = (plan: unknown[], inputs: string[] = []) =>
  compileInlinePlan({ namespace: 'default', plan, inputs }, { toolSchema: (name) => TOOLS[name] ?? null })
const pointers = (plan: unknown[], inputs: string[] = []) => {
  const result = compile(plan, inputs)
  return result.ok ? [] : result.problems.map(({ pointer }) => pointer)
}

describe('compileInlinePlan', () => {
  it('takes the short form for the call of a tool, one after the other, with names to refer to', () => {
    const result = compile(
      [
        { skill: 'http.call', params: { url: '{{ inputs.url }}' } },
        { id: 'again', skill: 'http.call', params: { url: '{{ steps.step_1.output.next }}' }, if: 'inputs.url != ""' },
      ],
      ['url'],
    )
    expect(result).toMatchObject({
      ok: true,
      plan: {
        blueprint: { namespace: 'default', name: '' },
        steps: [
          { id: 'step_1', kind: 'action_task', action: 'http.call', waitsFor: [] },
          { id: 'again', kind: 'action_task', action: 'http.call', waitsFor: ['step_1'] },
        ],
      },
    })
  })

  it('takes whole steps beside it', () => {
    const result = compile([
      { id: 'ok', kind: 'gate', mode: 'manual' },
      { skill: 'http.call', params: { url: 'x' } },
    ])
    expect(result).toMatchObject({ ok: true, plan: { steps: [{ id: 'ok', min: 1 }, { id: 'step_2' }] } })
  })

  it('gives the same plan the same digest, whatever it is given', () => {
    const plan = [{ skill: 'http.call', params: { url: '{{ inputs.url }}' } }]
    const [one, other] = [compile(plan, ['url']), compile(plan, ['url'])]
    expect(one.ok && other.ok && one.digest === other.digest).toBe(true)
  })

  it('tells everything that is wrong where it stands in the request', () => {
    expect(pointers([{ skill: 'gone', params: {} }])).toEqual(['/plan/0/skill'])
    expect(pointers([{ skill: 'http.call', params: { uri: 'x' } }])).toEqual([
      '/plan/0/params/url',
      '/plan/0/params/uri',
    ])
    expect(pointers([{ skill: 'http.call', params: { url: '{{ inputs.x }}' } }])).toEqual(['/plan/0/params/url'])
    expect(pointers([{ skill: 'http.call', params: 3 }])).toEqual(['/plan/0/params'])
    expect(pointers([{ skill: 'http.call', param: {} }])).toEqual(['/plan/0/param'])
    expect(pointers([{ kind: 'gate', id: 'g' }, 'text'])).toEqual(['/plan/0', '/plan/1'])
    expect(pointers([{ skill: 'http.call', params: { url: 'x' } }], ['a-b'])).toEqual(['/inputs/a-b'])
  })
})
