import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../lib/json.ts'
import { compileOperation } from './operation-plan.ts'

const SCHEMAS: Readonly<Record<string, JsonObject>> = {
  'process.run': { type: 'object', required: ['command'], properties: { command: { type: 'array' } } },
  'http.call': {
    type: 'object',
    required: ['url'],
    properties: { url: { type: 'string' } },
    additionalProperties: false,
  },
}
const compile = (spec: JsonObject) =>
  compileOperation(
    { namespace: 'default', name: 'op', spec, place: (pointer) => `ops.yaml:${pointer}` },
    { toolSchema: (name) => SCHEMAS[name] ?? null },
  )
const pointers = (spec: JsonObject) => {
  const compiled = compile(spec)
  return compiled === null || compiled.ok ? null : compiled.problems.map(({ pointer }) => pointer)
}

describe('the plan of an operation', () => {
  it('is one step with the inputs and the time of the operation', () => {
    const compiled = compile({
      command: ['ping', '{{ inputs.host }}'],
      inputs: [{ name: 'host', required: true }],
      timeout: '20s',
    })
    if (compiled === null || !compiled.ok) throw new Error('it did not compile')
    expect(compiled.plan).toMatchObject({
      inputs: [{ name: 'host', required: true }],
      limits: { timeoutMs: 20_000 },
      steps: [{ id: 'run', kind: 'action_task', action: 'process.run', place: 'ops.yaml:/spec/command' }],
      outputs: [{ name: 'result' }],
    })
    expect(compile({ call: { action: 'http.call', with: { url: 'http://x' } } })).toMatchObject({
      ok: true,
      plan: { limits: { timeoutMs: 300_000 } },
    })
  })

  it('is that of the blueprint where it names one', () => {
    expect(compile({ blueprintRef: { name: 'docs-review' } })).toBeNull()
  })

  it('names what is wrong where somebody wrote it', () => {
    expect(pointers({ command: ['ping', '{{ inputs.hosst }}'], inputs: [{ name: 'host' }] })).toEqual([
      '/spec/command/1',
    ])
    expect(pointers({ call: { action: 'mind.read' } })).toEqual(['/spec/call/action'])
    expect(pointers({ call: { action: 'http.call', with: { url: 'http://x', verb: 'GET' } } })).toEqual([
      '/spec/call/with/verb',
    ])
    expect(pointers({ command: ['true'], inputs: [{ name: 'a', schema: { type: 'nothing' } }] })).toEqual([
      '/spec/inputs/0/schema',
    ])
  })
})
