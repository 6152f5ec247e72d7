import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { readRunLog } from '../../src/runs/run-log.ts'
import { readEvents } from '../../src/store/log.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  storyOf,
  untilEnded,
} from '../support/run-stack.ts'

describe('a run', () => {
  let store: TestStore
  let stack: RunStack | undefined
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack?.stop())
  afterAll(() => store.end())

  it('runs its steps in order, hands outputs on and tells its story in the log', async () => {
    const tools = functionTools({ 'count.up': { run: ({ with: given }) => ({ n: Number(given['n']) + 1 }) } })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('counting', {
      inputs: [{ name: 'n', schema: { type: 'integer' }, required: true }],
      plan: [
        { id: 'first', kind: 'action_task', action: 'count.up', with: { n: '{{ inputs.n }}' } },
        { id: 'second', kind: 'action_task', action: 'count.up', with: { n: '{{ steps.first.output.n }}' } },
        { id: 'never', kind: 'action_task', action: 'count.up', with: { n: 0 }, if: 'inputs.n > 100' },
        { id: 'sum', kind: 'transform', expression: "{'sum': steps.first.output.n + steps.second.output.n}" },
      ],
      outputs: [
        { name: 'sum', value: '{{ steps.sum.output.sum }}' },
        { name: 'who', value: 'for {{ run.actor }}' },
      ],
    })
    const runId = await stack.start(blueprint, { n: 1 })
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { sum: 5, who: 'for user:ada' },
      error: null,
      owner: null,
      wake_at: null,
    })
    expect(run.name).toMatch(/^counting-[a-z2-7]{6}$/)
    expect(run).toMatchObject({ revision: blueprint.revision, plan_digest: blueprint.digest, correlation_id: 'c-test' })
    expect(await statusesOf(store, runId)).toEqual({
      first: 'completed',
      second: 'completed',
      never: 'skipped',
      sum: 'completed',
    })
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started first',
      'step.completed first',
      'step.started second',
      'step.completed second',
      'step.skipped never',
      'step.completed sum',
      'completed',
    ])
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/first/1`, `${runId}/second/1`])
    const steps = await stepsOfRuns(store.reader, [runId])
    for (const step of steps) expect(step.step_id).toBe(stepIdOf(runId, step.path, 1))
  })

  it('gives its tools a folder of its own and keeps what they say', async () => {
    const tools = functionTools({
      talk: {
        run: (call, { log }) => {
          log('hello')
          log(`in ${call.workspace}`)
          return { exists: existsSync(call.workspace) }
        },
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('talking', { plan: [{ id: 'talk', kind: 'action_task', action: 'talk', with: {} }] })
    const runId = await stack.start(blueprint)
    await untilEnded(store, runId)
    const options = { follow: true, signal: new AbortController().signal, tailLines: null }
    const lines: string[] = []
    for await (const line of readRunLog(stack.dataDir, runId, options, async () => true)) lines.push(line)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { step: 'talk', attempt: 1, line: 'hello' },
      { step: 'talk', attempt: 1, line: `in ${stack.dataDir}/runs/${runId}/workspace` },
    ])
    expect((await stepsOfRuns(store.reader, [runId]))[0]!.outputs).toEqual({ exists: true })
  })

  it('runs steps beside each other when nothing orders them', async () => {
    let inside = 0
    let most = 0
    let open: () => void = () => {}
    const both = new Promise<void>((resolve) => {
      open = resolve
    })
    const tools = functionTools({
      meet: {
        async run() {
          most = Math.max(most, ++inside)
          if (inside === 2) open()
          await both
          return null
        },
      },
    })
    stack = startRunStack(store, tools)
    const step = (id: string) => ({ id, kind: 'action_task', action: 'meet', with: {}, needs: [] })
    const runId = await stack.start(blueprintOf('meeting', { plan: [step('a'), step('b')] }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(most).toBe(2)
  })

  it('fails when a step fails: the error is data with its cause and its place, the rest is skipped', async () => {
    const tools = functionTools({
      break: {
        run: () => {
          throw fail('SW_TOOL_FAILED', 'the door is locked', { cause: new Error('no key') })
        },
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('breaking', {
      plan: [
        { id: 'open', kind: 'action_task', action: 'break', with: {} },
        { id: 'enter', kind: 'transform', expression: '1' },
      ],
    })
    const runId = await stack.start(blueprint)
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({
      status: 'failed',
      error: {
        code: 'tool_failed',
        category: 'tool',
        message: 'step open failed: the door is locked',
        cause: { code: 'tool_failed', message: 'the door is locked', cause: { message: 'no key' } },
        details: { step: 'open' },
      },
    })
    expect(await statusesOf(store, runId)).toEqual({ open: 'failed', enter: 'skipped' })
    const open = (await stepsOfRuns(store.reader, [runId])).find(({ path }) => path === 'open')
    expect(open!.error).toMatchObject({ details: { place: 'blueprints/breaking.yaml/spec/plan/0' } })
  })

  it('fails a step whose expression reads a key that is not there, and a run whose outputs do', async () => {
    stack = startRunStack(store, functionTools({ give: { run: () => ({ a: 1 }) } }))
    const inStep = await stack.start(
      blueprintOf('missing', {
        plan: [
          { id: 'give', kind: 'action_task', action: 'give', with: {} },
          { id: 'read', kind: 'transform', expression: 'steps.give.output.b' },
        ],
      }),
    )
    expect(await untilEnded(store, inStep)).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } })
    const inOutputs = await stack.start(
      blueprintOf('missing-output', {
        plan: [{ id: 'give', kind: 'action_task', action: 'give', with: {} }],
        outputs: [{ name: 'b', value: '{{ steps.give.output.b }}' }],
      }),
    )
    expect(await untilEnded(store, inOutputs)).toMatchObject({
      status: 'failed',
      outputs: null,
      error: { code: 'expression_failed' },
    })
    expect(await statusesOf(store, inOutputs)).toEqual({ give: 'completed' })
  })

  it('replaces what Postgres cannot hold in an output and says so', async () => {
    stack = startRunStack(store, functionTools({ dirty: { run: () => ({ text: 'a\u0000b\ud800c' }) } }))
    const runId = await stack.start(
      blueprintOf('dirty', { plan: [{ id: 'dirty', kind: 'action_task', action: 'dirty', with: {} }] }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    const [step] = await stepsOfRuns(store.reader, [runId])
    expect(step!.outputs).toEqual({ text: 'a\uFFFDb\uFFFDc' })
    const events = await readEvents(store.reader, { runId, name: 'stateward.run.step.completed', limit: 10 })
    expect(events.map(({ data }) => data['output_sanitized'])).toEqual([true])
  })

  it('refuses an output that is too large, and goes on with the other runs', async () => {
    stack = startRunStack(store, functionTools({ flood: { run: () => 'x'.repeat(1024 * 1024) } }))
    const runId = await stack.start(
      blueprintOf('flood', { plan: [{ id: 'flood', kind: 'action_task', action: 'flood', with: {} }] }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'output_too_large' } })
  })

  it('tells a step that outlives its timeout to stop', async () => {
    const tools = functionTools({
      wait: {
        run: (_call, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    })
    stack = startRunStack(store, tools)
    const runId = await stack.start(
      blueprintOf('slow', { plan: [{ id: 'wait', kind: 'action_task', action: 'wait', with: {}, timeout: '50ms' }] }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'failed',
      error: { code: 'deadline_exceeded', category: 'timeout' },
    })
  })

  it('fails when it outlives its own time', async () => {
    const tools = functionTools({
      wait: {
        run: (_call, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('slow-run', {
      limits: { timeout: '60ms' },
      plan: [{ id: 'wait', kind: 'action_task', action: 'wait', with: {} }],
    })
    const runId = await stack.start(blueprint)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'run_timeout' } })
  })

  it('refuses inputs that do not fit with every problem, and a blueprint that is not there', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('strict', {
      inputs: [{ name: 'n', schema: { type: 'integer' }, required: true }],
      plan: [{ id: 'same', kind: 'transform', expression: 'inputs.n' }],
    })
    const refused = await stack.start(blueprint, { m: 1 }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({
      code: 'validation_failed',
      details: { violations: [{ path: '/inputs/m' }, { path: '/inputs/n' }] },
    })
    await expect(stack.start({ ...blueprint, namespace: 'elsewhere' }, { n: 1 })).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(await getRun(store.reader, '01900000-0000-7000-8000-000000000000')).toBeNull()
  })
})

describe('a run that an agent started', () => {
  it('calls what the agent itself may call, and nothing of the rest', async () => {
    const store = await createTestStore()
    const tools = functionTools({ allowed: { run: () => 'done' }, 'deep.secret': { run: () => 'never' } })
    const asked: string[] = []
    const stack = startRunStack(store, tools, {
      permits: ({ actor, name }) => {
        asked.push(`${actor} ${name}`)
        if (name === 'deep.secret') throw fail('SW_TOOL_FORBIDDEN', `sre may not call ${name}`)
      },
    })
    const step = (action: string) => ({ id: 'one', kind: 'action_task', action, with: {} })
    try {
      const good = await stack.start(blueprintOf('good', { plan: [step('allowed')] }), {}, 'agent:default/sre')
      expect((await untilEnded(store, good)).status).toBe('completed')
      const bad = await untilEnded(
        store,
        await stack.start(blueprintOf('bad', { plan: [step('deep.secret')] }), {}, 'agent:default/sre'),
      )
      expect([bad.status, bad.error?.['cause']]).toMatchObject(['failed', { code: 'tool_forbidden' }])
      expect(tools.calls.map(({ tool }) => tool)).toEqual(['allowed'])
      expect(asked).toEqual(['agent:default/sre allowed', 'agent:default/sre deep.secret'])
    } finally {
      await stack.stop()
      await store.end()
    }
  })
})
