import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { validateSpec } from '../kinds/validate.ts'
import type { JsonObject } from '../lib/json.ts'
import { compileBlueprint } from './compile.ts'
import { isV0Blueprint, normaliseV0 } from './normalise-v0.ts'

const CHECKMK: JsonObject = {
  id: 'bp.checkmk.auto_remediate',
  name: 'Checkmk Alert Auto-Remediation',
  trigger: { event_type: 'checkmk.alert' },
  inputs: [{ name: 'host' }, { name: 'service', default: 'ssh' }],
  plan: [
    {
      kind: 'agent_task',
      id: 'analyze',
      provider: 'openai',
      model: 'gpt-5',
      prompt_template: 'Analyze {{inputs.host}}',
    },
    { kind: 'gate', id: 'approve', mode: 'manual' },
    { kind: 'action_task', id: 'run_fix', action: 'ssh.run', with: { host: '{{inputs.host}}', cmd: '...' } },
  ],
  outputs: [{ name: 'summary' }],
}

describe('normaliseV0', () => {
  test('makes a v1alpha1 document that is valid and compiles', () => {
    const { document, problems } = normaliseV0(CHECKMK)
    expect(problems).toEqual([])
    expect(document).toMatchObject({
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'Blueprint',
      metadata: {
        name: 'bp.checkmk.auto-remediate',
        annotations: { 'stateward.dev/v0-id': 'bp.checkmk.auto_remediate' },
      },
      spec: {
        description: 'Checkmk Alert Auto-Remediation',
        triggers: [{ event: 'checkmk.alert' }],
        inputs: [
          { name: 'host', required: true, from: 'event.data.host' },
          { name: 'service', default: 'ssh', from: 'event.data.service' },
        ],
        plan: [{ agent: 'openai', model: 'gpt-5', prompt: 'Analyze {{inputs.host}}' }, {}, {}],
      },
    })
    const spec = document!['spec'] as JsonObject
    expect(validateSpec('Blueprint', spec)).toEqual([])
    const compiled = compileBlueprint(
      { namespace: 'default', name: 'x', spec, place: () => null },
      { toolSchema: () => ({}) },
    )
    expect(compiled).toMatchObject({
      ok: true,
      plan: { outputs: [{ value: '{{ steps.run_fix.output.?summary.orValue(null) }}' }] },
    })
  })

  test('leads pointers back to the v0 document', () => {
    const { pointerInFile } = normaliseV0(CHECKMK)
    const places: Record<string, string> = {
      '/metadata/name': '/id',
      '/spec/triggers/0/event': '/trigger/event_type',
      '/spec/triggers/0': '/trigger',
      '/spec/description': '/name',
      '/spec/inputs/0/from': '/inputs/0/name',
      '/spec/inputs/1/default': '/inputs/1/default',
      '/spec/plan/0/prompt': '/plan/0/prompt_template',
      '/spec/plan/0/agent': '/plan/0/provider',
      '/spec/plan/2/with/cmd': '/plan/2/with/cmd',
      '/spec/plan': '/plan',
      '/spec/outputs/0/value': '/outputs/0/name',
      '/spec': '',
      '': '',
    }
    for (const [pointer, place] of Object.entries(places))
      expect([pointer, pointerInFile(pointer)]).toEqual([pointer, place])
  })

  test.each<[string, JsonObject, string, string]>([
    ['no id', { id: null }, 'SW_V0_ID', '/id'],
    ['an id that is no name', { id: '-x-' }, 'SW_V0_ID', '/id'],
    ['no trigger', { trigger: null }, 'SW_V0_EVENT_TYPE', '/trigger'],
    ['no event type', { trigger: {} }, 'SW_V0_EVENT_TYPE', '/trigger/event_type'],
    ['an empty plan', { plan: [] }, 'SW_V0_PLAN', '/plan'],
    ['an unknown kind', { plan: [{ id: 'a', kind: 'gates', mode: 'manual' }] }, 'SW_V0_STEP_KIND', '/plan/0/kind'],
    ['a step without id', { plan: [{ kind: 'gate', mode: 'manual' }] }, 'SW_V0_STEP_ID', '/plan/0/id'],
    ['a gate without mode', { plan: [{ id: 'a', kind: 'gate' }] }, 'SW_V0_GATE_MODE', '/plan/0'],
    [
      'a task without prompt',
      { plan: [{ id: 'a', kind: 'agent_task', agent: 'x', model: 'm' }] },
      'SW_V0_AGENT_TASK',
      '/plan/0',
    ],
    [
      'an action without with',
      { plan: [{ id: 'a', kind: 'action_task', action: 'x' }] },
      'SW_V0_ACTION_TASK',
      '/plan/0',
    ],
    [
      'a field nobody knows',
      { plan: [{ id: 'a', kind: 'gate', mode: 'manual', colour: 'red' }] },
      'SW_UNKNOWN_FIELD',
      '/plan/0/colour',
    ],
    ['a value of the wrong type', { inputs: 'host' }, 'SW_WRONG_TYPE', '/inputs'],
  ])('%s is told once, with its own code and place', (_what, change, code, pointer) => {
    const result = normaliseV0({ ...CHECKMK, ...change })
    expect(result.document).toBeNull()
    expect(result.problems.map((found) => [found.code, found.pointer])).toEqual([[code, pointer]])
  })

  test('a duplicate step is told once', () => {
    const gate = { id: 'a', kind: 'gate', mode: 'manual' }
    const { problems } = normaliseV0({ ...CHECKMK, plan: [gate, gate] })
    expect(problems.map((found) => found.code)).toEqual(['SW_V0_DUPLICATE_STEP'])
  })

  test('no document makes it throw', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('id', 'trigger', 'plan', 'inputs', 'outputs', 'name'), fc.jsonValue()),
        (document) => {
          const { document: made, problems } = normaliseV0(document)
          expect(made === null).toBe(problems.length > 0)
        },
      ),
    )
  })
})

describe('isV0Blueprint', () => {
  test('knows flat blueprints, also broken ones, from other YAML', () => {
    expect(isV0Blueprint(CHECKMK)).toBe(true)
    expect(isV0Blueprint({ trigger: { event_type: 'a.b' }, plan: [] })).toBe(true)
    expect(isV0Blueprint({ id: 'x', plan: [{ kind: 'gate' }] })).toBe(true)
    expect(isV0Blueprint({ id: 'x', trigger: { event_type: 'a.b' } })).toBe(true)
    expect(isV0Blueprint({ id: 'x', plan: ['a'] })).toBe(false)
    expect(isV0Blueprint({ ...CHECKMK, apiVersion: 'v1', kind: 'ConfigMap' })).toBe(false)
    expect(isV0Blueprint([CHECKMK])).toBe(false)
    expect(isV0Blueprint({ on: { push: {} }, jobs: {} })).toBe(false)
  })
})
