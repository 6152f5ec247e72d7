import { describe, expect, test } from 'vitest'
import type { SpecProblem } from '../kinds/definition.ts'
import type { JsonObject } from '../lib/json.ts'
import { compileBlueprint } from './compile.ts'
import type { CompileResult } from './compile-result.ts'
import type { CompiledPlan } from './compiled-plan.ts'

const TOOLS: Record<string, JsonObject> = {
  'ssh.run': {
    type: 'object',
    required: ['host', 'cmd'],
    additionalProperties: false,
    properties: { host: { type: 'string' }, cmd: { type: 'string', 'x-shell': true } },
  },
  free: {},
}

const SPEC: JsonObject = {
  triggers: [{ event: 'checkmk.alert', filter: "event.data.state == 'CRIT'", dedupeKey: '{{ event.data.host }}' }],
  inputs: [
    { name: 'host', schema: { type: 'string' }, required: true, from: 'event.data.host' },
    { name: 'service', schema: { type: 'string' }, default: 'ssh' },
  ],
  limits: { timeout: '30m', concurrency: 2 },
  plan: [
    {
      id: 'analyze',
      kind: 'agent_task',
      agent: 'sre',
      prompt: 'Why is {{ inputs.service }} down?',
      outputSchema: { type: 'object' },
    },
    {
      id: 'approve',
      kind: 'gate',
      mode: 'manual',
      approvers: ['role:operator'],
      min: 2,
      timeout: '24h',
      onTimeout: 'approve',
      message: 'ok, {{ run.name }}?',
    },
    {
      id: 'fix',
      kind: 'action_task',
      name: 'Fix it',
      if: "steps.analyze.output.severity != 'low'",
      action: 'ssh.run',
      timeout: '5m',
      with: { host: '{{ inputs.host }}', cmd: 'systemctl restart {{ inputs.service }}' },
    },
    { id: 'report', kind: 'transform', expression: "{'summary': steps.fix.output.stdout}" },
  ],
  outputs: [{ name: 'summary' }, { name: 'host', value: '{{ inputs.host }}' }],
}

function compile(spec: JsonObject): CompileResult {
  const source = { namespace: 'default', name: 'b', spec, place: (pointer: string) => `b.yaml:${pointer}` }
  return compileBlueprint(source, { toolSchema: (name) => TOOLS[name] ?? null })
}

function planOf(spec: JsonObject): CompiledPlan {
  const result = compile(spec)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.plan
}

function problemsOf(spec: JsonObject): readonly SpecProblem[] {
  const result = compile(spec)
  return result.ok ? [] : result.problems
}

describe('compileBlueprint', () => {
  test('makes the order explicit, splits shell parameters and fills defaults', () => {
    const plan = planOf(SPEC)
    expect(plan.limits).toEqual({ maxSteps: 200, timeoutMs: 1_800_000, concurrency: 2 })
    expect(plan.steps.map((step) => [step.id, step.waitsFor])).toEqual([
      ['analyze', []],
      ['approve', ['analyze']],
      ['fix', ['analyze', 'approve']],
      ['report', ['fix']],
    ])
    expect(plan.steps[1]).toMatchObject({
      kind: 'gate',
      min: 2,
      onTimeout: 'approve',
      timeoutMs: 86_400_000,
      message: 'ok, {{ run.name }}?',
    })
    expect(plan.steps[2]).toMatchObject({
      name: 'Fix it',
      place: 'b.yaml:/spec/plan/2',
      with: { host: '{{ inputs.host }}', cmd: { literal: 'systemctl restart "$1"', args: ['{{ inputs.service }}'] } },
    })
    expect(plan.outputs).toEqual([
      { name: 'summary', value: '{{ steps.report.output.?summary.orValue(null) }}' },
      { name: 'host', value: '{{ inputs.host }}' },
    ])
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })

  test('the digest follows what the plan does, not where its file is', () => {
    const source = { namespace: 'default', name: 'b', spec: SPEC, place: () => null }
    const moved = compileBlueprint(source, { toolSchema: (name) => TOOLS[name] ?? null })
    const here = compile(SPEC)
    expect(moved.ok && here.ok && moved.digest === here.digest).toBe(true)
    const other = compile({ ...SPEC, limits: { timeout: '31m' } })
    expect(other.ok && here.ok && other.digest !== here.digest).toBe(true)
  })

  test('collects all problems, each with its pointer and its offset in the text', () => {
    const problems = problemsOf({
      triggers: [{ event: 'a.b', filter: 'inputs.host', dedupeKey: '{{ event.dat }}' }],
      inputs: [
        { name: 'host', from: 'event.data.host +' },
        { name: 'port', schema: { type: 'integer' }, default: 'x' },
        { name: 'odd', schema: { type: 'no-such-type' } },
        { name: 'must', required: true },
        { name: 'host' },
      ],
      limits: { maxSteps: 5 },
      plan: [
        {
          id: 'ask',
          kind: 'agent_task',
          agent: '{{ inputs.host }}',
          prompt: 'about {{ inputs.hosst }}',
          with: { '{{ k }}': 1 },
        },
        {
          id: 'run',
          kind: 'action_task',
          action: 'ssh.run',
          if: 'inputs.port',
          with: { cmd: "echo '{{ inputs.host }}'", hots: 1 },
        },
        { id: 'none', kind: 'action_task', action: 'no.tool', with: {} },
        { id: 'sum', kind: 'transform', expression: 'steps.summ.output' },
        { id: 'run', kind: 'action_task', action: 'free', needs: ['nobody'] },
        { id: 'more', kind: 'gate', mode: 'manual' },
      ],
      outputs: [{ name: 'o', value: '{{ steps.nope.output }}' }, { name: 'o' }],
    })
    expect(
      problems.map(({ code, pointer, offset }) => `${code} ${pointer}${offset === undefined ? '' : ` ${offset}`}`),
    ).toEqual([
      'SW_UNKNOWN_NAME /spec/triggers/0/filter 0',
      'SW_UNKNOWN_NAME /spec/triggers/0/dedupeKey 9',
      'SW_EXPRESSION_SYNTAX /spec/inputs/0/from 17',
      'SW_BAD_VALUE /spec/inputs/1/default',
      'SW_BAD_VALUE /spec/inputs/2/schema',
      'SW_MISSING_FIELD /spec/inputs/3',
      'SW_BAD_VALUE /spec/inputs/4/name',
      'SW_TOO_MANY_STEPS /spec/plan',
      'SW_BAD_VALUE /spec/plan/4/id',
      'SW_TEMPLATE /spec/plan/0/agent 0',
      'SW_UNKNOWN_NAME /spec/plan/0/prompt 16',
      'SW_TEMPLATE /spec/plan/0/with/{{ k }} 0',
      'SW_MISSING_FIELD /spec/plan/1/with',
      'SW_UNKNOWN_FIELD /spec/plan/1/with/hots',
      'SW_SHELL_TEMPLATE /spec/plan/1/with/cmd 6',
      'SW_UNKNOWN_NAME /spec/plan/2/action',
      'SW_UNKNOWN_NAME /spec/plan/3/expression 6',
      'SW_BAD_VALUE /spec/outputs/1/name',
      'SW_UNKNOWN_NAME /spec/outputs/0/value 9',
    ])
  })

  test('reports cycles and unknown needs when the ids are sound', () => {
    const gate = { kind: 'gate', mode: 'manual' }
    expect(
      problemsOf({
        plan: [
          { ...gate, id: 'a', needs: ['b'] },
          { ...gate, id: 'b' },
        ],
      }),
    ).toMatchObject([{ code: 'SW_STEP_CYCLE' }])
    expect(problemsOf({ plan: [{ ...gate, id: 'a', needs: ['x'] }] })).toMatchObject([
      { code: 'SW_UNKNOWN_NAME', pointer: '/spec/plan/0/needs/0' },
    ])
  })

  test('checks literal parameters against the whole schema of the tool', () => {
    const step = { id: 'a', kind: 'action_task', action: 'ssh.run' }
    expect(problemsOf({ plan: [{ ...step, with: { host: 1, cmd: 'x' } }] })).toMatchObject([
      { code: 'SW_BAD_VALUE', pointer: '/spec/plan/0/with/host' },
    ])
    expect(problemsOf({ plan: [{ ...step, with: { host: '{{ run.name }}', cmd: ['x'] } }] })).toMatchObject([
      { code: 'SW_WRONG_TYPE', pointer: '/spec/plan/0/with/cmd' },
    ])
    expect(problemsOf({ plan: [{ ...step, with: { host: 'a', cmd: 5 } }] })).toHaveLength(1)
  })

  test('a step that may be skipped promises nothing about its output', () => {
    const schema = { type: 'object', additionalProperties: false, properties: { x: { type: 'string' } } }
    const ask = { id: 'ask', kind: 'agent_task', agent: 'sre', prompt: 'p', outputSchema: schema }
    const read = { id: 'read', kind: 'transform', expression: 'steps.ask.output.y' }
    expect(problemsOf({ plan: [ask, read] })).toMatchObject([{ code: 'SW_UNKNOWN_NAME', offset: 17 }])
    expect(problemsOf({ plan: [{ ...ask, if: "run.actor != 'x'" }, read] })).toEqual([])
  })

  test('fills the defaults of retry and checks retryIf over `error` alone', () => {
    const step = { id: 'a', kind: 'action_task', action: 'ssh.run', with: { host: 'h', cmd: 'ls' } }
    const [plain, retried] = planOf({ plan: [step, { ...step, id: 'b', retry: { backoff: '100ms' } }] }).steps
    expect(plain).not.toHaveProperty('retry')
    expect(retried).toMatchObject({
      retry: { maxAttempts: 3, firstMs: 100, factor: 2, maxMs: 30_000, jitter: 0.2, retryIf: null },
    })
    const wrong = (retryIf: string) => problemsOf({ plan: [{ ...step, retry: { retryIf } }] })
    expect(wrong("error.code in ['tool_failed', 'unavailable'] || error.retryable")).toEqual([])
    expect(wrong('error.cod == 1')).toMatchObject([
      { code: 'SW_UNKNOWN_NAME', pointer: '/spec/plan/0/retry/retryIf', hint: 'did you mean "code"?' },
    ])
    expect(wrong('inputs.x')).toMatchObject([{ code: 'SW_UNKNOWN_NAME' }])
    expect(wrong('error.message')).toMatchObject([{ code: 'SW_EXPRESSION_TYPE' }])
  })

  test('compiles the plan of a loop with its variables, and waits for the steps around it that it mentions', () => {
    const loop = (plan: JsonObject[], more: JsonObject = {}) => ({
      id: 'each',
      kind: 'foreach',
      items: "['a']",
      plan,
      ...more,
    })
    const first = { id: 'first', kind: 'transform', expression: '1' }
    const inner = { id: 'one', kind: 'transform', expression: 'item + string(index + 1) + string(steps.first.output)' }
    const { steps } = planOf({ plan: [first, { ...first, id: 'second' }, { ...loop([inner]), needs: [] }] })
    expect(steps[2]).toMatchObject({
      kind: 'foreach',
      waitsFor: ['first'],
      as: 'item',
      concurrency: 1,
      maxIterations: 10_000,
      result: 'one',
      steps: [{ id: 'one', waitsFor: [] }],
    })
    const wrong = (step: JsonObject) =>
      problemsOf({ plan: [first, step] }).map(({ code, pointer }) => `${code} ${pointer}`)
    const at = '/spec/plan/1'
    expect(wrong(loop([{ ...inner, expression: 'itm' }]))).toEqual([`SW_UNKNOWN_NAME ${at}/plan/0/expression`])
    expect(wrong(loop([{ ...inner, id: 'first' }]))).toEqual([`SW_BAD_VALUE ${at}/plan/0/id`])
    expect(wrong(loop([inner, inner]))).toEqual([`SW_BAD_VALUE ${at}/plan/1/id`])
    expect(wrong(loop([inner], { as: 'steps' }))).toContain(`SW_BAD_VALUE ${at}/as`)
    expect(wrong(loop([inner], { items: '1 + 1' }))).toEqual([`SW_EXPRESSION_TYPE ${at}/items`])
    expect(wrong(loop([inner], { items: '[env.stage]' }))).toEqual([`SW_UNKNOWN_NAME ${at}/items`])
    expect(wrong(loop([{ ...inner, needs: ['first'] }]))).toEqual([`SW_UNKNOWN_NAME ${at}/plan/0/needs/0`])
    expect(wrong(loop([{ ...inner, expression: 'steps.each.output' }]))).toEqual([`SW_STEP_CYCLE ${at}`])
    // What is inside is not known outside.
    expect(
      problemsOf({ plan: [first, loop([inner]), { ...first, id: 'out', expression: 'steps.one.output' }] }),
    ).toMatchObject([{ code: 'SW_UNKNOWN_NAME', pointer: '/spec/plan/2/expression' }])
    expect(problemsOf({ limits: { maxSteps: 2 }, plan: [first, loop([inner])] })).toMatchObject([
      { pointer: '/spec/plan' },
    ])
  })

  test('an undo may read its own step, waits for the others it reads, and is checked like any call', () => {
    const first = { id: 'first', kind: 'transform', expression: '1' }
    const made = (undo: JsonObject) => ({ id: 'make', kind: 'action_task', action: 'free', needs: [], undo })
    const own = {
      action: 'ssh.run',
      with: { host: '{{ steps.make.output.host }}', cmd: 'rm {{ steps.first.output }}' },
    }
    const plan = planOf({ onFailure: 'rollback', plan: [first, made(own)] })
    expect(plan.onFailure).toBe('rollback')
    expect(plan.steps[1]).toMatchObject({
      waitsFor: ['first'],
      undo: { action: 'ssh.run', with: { host: own.with.host } },
    })
    const wrong = (undo: JsonObject) =>
      problemsOf({ plan: [first, made(undo)] }).map(({ code, pointer }) => `${code} ${pointer}`)
    expect(wrong({ action: 'gone' })).toEqual(['SW_UNKNOWN_NAME /spec/plan/1/undo/action'])
    expect(wrong({ action: 'ssh.run', with: { host: 'a' } })).toEqual(['SW_BAD_VALUE /spec/plan/1/undo/with/cmd'])
    expect(wrong({ action: 'free', with: { a: '{{ steps.none.output }}' } })).toEqual([
      'SW_UNKNOWN_NAME /spec/plan/1/undo/with/a',
    ])
    // A plan without one has the digest it always had.
    expect(planOf({ plan: [first] })).not.toHaveProperty('onFailure')
  })

  test('a wait knows which steps its filter mentions', () => {
    const first = { id: 'first', kind: 'transform', expression: '1' }
    const wait = { id: 'wait', kind: 'wait', event: 'x.y', filter: 'event.data.n == steps.first.output', timeout: '1h' }
    expect(planOf({ plan: [first, { ...wait, needs: [] }] }).steps[1]).toMatchObject({
      ...{ kind: 'wait', waitsFor: ['first'], filterSteps: ['first'], durationMs: null, timeoutMs: 3_600_000 },
      onTimeout: 'fail',
    })
    expect(problemsOf({ plan: [{ ...wait, filter: 'event.name' }] })).toMatchObject([
      { code: 'SW_EXPRESSION_TYPE', pointer: '/spec/plan/0/filter' },
    ])
  })
})

describe('schedules of a blueprint', () => {
  const plan = [{ id: 'one', kind: 'transform', expression: '1' }]
  const compile = (spec: JsonObject) =>
    compileBlueprint(
      { namespace: 'default', name: 'b', spec: { plan, ...spec }, place: () => null },
      { toolSchema: () => null },
    )
  const problemsOf = (spec: JsonObject) => {
    const result = compile(spec)
    return result.ok ? [] : result.problems.map(({ pointer, message }) => `${pointer}: ${message}`)
  }

  test('are compiled beside the triggers of events', () => {
    const result = compile({
      triggers: [
        { event: 'a.b' },
        {
          schedule: ' 0  3 * * * ',
          timeZone: 'Europe/Berlin',
          concurrencyPolicy: 'Forbid',
          startingDeadlineSeconds: 300,
        },
        { schedule: '@daily' },
      ],
    })
    expect(result.ok && result.plan).toMatchObject({
      triggers: [{ event: 'a.b' }],
      schedules: [
        {
          schedule: '0 3 * * *',
          timeZone: 'Europe/Berlin',
          concurrencyPolicy: 'Forbid',
          startingDeadlineMs: 300_000,
          inputs: {},
        },
        { schedule: '@daily', timeZone: 'UTC', concurrencyPolicy: 'Allow', startingDeadlineMs: null },
      ],
    })
  })

  test('are refused when they never come, come twice, or have no such time zone', () => {
    expect(problemsOf({ triggers: [{ schedule: '0 0 30 2 *' }] })).toEqual([
      '/spec/triggers/0/schedule: 0 0 30 2 * never comes',
    ])
    expect(problemsOf({ triggers: [{ schedule: '0 3 * * *' }, { schedule: '0  3 * * *', timeZone: 'UTC' }] })).toEqual([
      '/spec/triggers/1/schedule: 0 3 * * * in UTC is there twice',
    ])
    expect(problemsOf({ triggers: [{ schedule: '0 3 * * *', timeZone: 'Mars' }] })).toEqual([
      '/spec/triggers/0/timeZone: there is no time zone Mars',
    ])
  })

  test('have to give what the inputs require', () => {
    const inputs = [
      { name: 'host', schema: { type: 'string' }, required: true, from: 'event.data.host' },
      { name: 'at', required: true, from: 'event.data.scheduled_at' },
    ]
    const schedule = '0 3 * * *'
    expect(problemsOf({ inputs, triggers: [{ schedule }] })).toEqual([
      '/spec/triggers/0: the input host is required, but this schedule does not give it',
    ])
    expect(problemsOf({ inputs, triggers: [{ schedule, inputs: { host: 1, hots: 'x' } }] })).toEqual([
      '/spec/triggers/0/inputs/hots: there is no input hots',
      expect.stringMatching('^/spec/triggers/0/inputs/host: the input host does not fit its schema'),
    ])
    expect(problemsOf({ inputs, triggers: [{ schedule, inputs: { host: 'a' } }] })).toEqual([])
  })
})
