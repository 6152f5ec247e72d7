import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPurse } from '../../src/budgets/purse.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { readEvents } from '../../src/store/log.ts'
import { endTask, insertTask } from '../../src/store/queries/tasks.ts'
import { toolCallById } from '../../src/store/queries/tool-calls.ts'
import type { Store } from '../../src/store/store.ts'
import type { CallAnswer, CallQuestion, ToolCallDeps, ToolInvocation } from '../../src/tools/calls/ports.ts'
import { createToolCalls, type ToolCalls } from '../../src/tools/calls/tool-calls.ts'
import type { ToolCall, ToolInfo, ToolRunner } from '../../src/tools/ports.ts'
import { heedingRateLimits } from '../../src/tools/rate-limit.ts'
import { until } from '../support/agent-fleet.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { declareBudget, standing, usd } from '../support/budget-stack.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

interface Told extends Partial<ToolInfo> {
  readonly run?: (call: ToolCall, signal: AbortSignal) => Promise<Json> | Json
}

/** Calls on a store, with tools that are functions; what was called, and answers of the policies, are told. */
function callsOn(store: Store, tools: Record<string, Told>, more: Partial<ToolCallDeps> = {}) {
  const made: ToolCall[] = []
  const answers: ((question: CallQuestion) => CallAnswer)[] = []
  const runner: ToolRunner = {
    find: (name) => {
      const { run: _, ...told } = tools[name] ?? {}
      const info = { name, idempotent: false, inputSchema: { type: 'object' }, timeoutMs: 60_000 }
      return tools[name] === undefined ? null : { ...info, ...told }
    },
    all: () => [],
    async run(call, { signal, log }) {
      made.push(call)
      log(`called ${call.tool}`)
      return (await tools[call.tool]!.run?.(call, signal)) ?? {}
    },
  }
  const calls = createToolCalls({
    store,
    tools: runner,
    purse: openPurse(store),
    policies: {
      ask: async (question) => answers.at(-1)?.(question) ?? { kind: 'allow' },
      meets: ({ min, fromAnyOf }, _namespace, approvers) =>
        approvers.filter((one) => fromAnyOf.length === 0 || fromAnyOf.includes(one)).length >= min,
    },
    agent: (_namespace, name) => (name === 'sre' ? { capabilities: ['fs', 'net.check_port'], tools: null } : null),
    workspace: async () => '/nowhere',
    envId: (namespace) => namespace,
    assertGoing: () => {},
    ...more,
  })
  const ask = (tool: string, input: JsonObject = {}, extra: Partial<ToolInvocation> = {}) =>
    calls.invoke({ ...of(tool, input), ...extra }, soon())
  return { calls, made, answers, ask }
}

const of = (tool: string, input: JsonObject): ToolInvocation => ({
  tool,
  input,
  namespace: 'default',
  actor: 'user:ada',
  agent: null,
  run: null,
  correlationId: 'c-1',
})
const soon = (waitMs = 10_000) => ({ waitMs, signal: new AbortController().signal })
const storyOf = async (store: Store, id: string): Promise<string[]> =>
  (await readEvents(store.reader, { limit: 500 }))
    .filter(({ data }) => data['call_id'] === id)
    .map(({ event_name }) => event_name.replace('stateward.tool.', ''))

describe('a call outside of a step', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(async () => {
    await assertCatalogued(store.reader)
    await store.end()
  })

  it('is recorded before the tool is called, and with its end', async () => {
    const id = uuidv7()
    const { ask, made } = callsOn(store, {
      'x.y': {
        run: async ({ operationId }) => {
          expect(operationId).toBe(`call/${id}`)
          expect(await toolCallById(store.engine, id)).toMatchObject({ state: 'running', owner: store.writer.id })
          return { a: 'b\0c' }
        },
      },
    })
    const row = await ask('x.y', { p: 1 }, { id })
    expect(row).toMatchObject({ state: 'succeeded', output: { a: 'b\uFFFDc' }, owner: null, log: ['called x.y'] })
    expect(await storyOf(store, id)).toEqual(['started', 'completed'])
    expect(made).toHaveLength(1)
  })

  it('answers what is recorded when it is asked again under its id, and refuses another request under it', async () => {
    const { ask, made } = callsOn(store, { 'x.y': { run: () => ({ n: made.length }) } })
    const id = uuidv7()
    const [one, two] = await Promise.all([ask('x.y', {}, { id }), ask('x.y', {}, { id })])
    expect([one.output, two.output, (await ask('x.y', {}, { id })).output]).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }])
    await expect(ask('x.y', { other: true }, { id })).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    expect(made).toHaveLength(1)
  })

  it('records a failure with its code, and refuses wrong parameters and unknown tools before anything is recorded', async () => {
    const { ask, made } = callsOn(store, {
      'x.y': {
        inputSchema: { type: 'object', required: ['host'] },
        run: () => Promise.reject(fail('SW_TOOL_FAILED', 'no')),
      },
    })
    expect(await ask('x.y', { host: 'a' })).toMatchObject({
      state: 'failed',
      error: { code: 'tool_failed', message: 'no' },
    })
    await expect(ask('x.y')).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    await expect(ask('x.z')).rejects.toMatchObject({ ref: 'SW_TOOL_UNKNOWN' })
    expect(made).toHaveLength(1)
  })

  it('is refused where no capability of the agent covers a permission of the tool', async () => {
    const { ask, made } = callsOn(store, {
      'fs.write': { permissions: ['fs.write'] },
      'net.http': { permissions: ['net.http'] },
    })
    const asAgent = { actor: 'agent:default/sre' }
    expect(await ask('fs.write', {}, asAgent)).toMatchObject({ state: 'succeeded', agent: 'sre' })
    const refused = await ask('net.http', {}, asAgent)
    expect(refused).toMatchObject({ state: 'refused', error: { ref: 'SW_TOOL_FORBIDDEN' } })
    expect(String(refused.error!['message'])).toContain('net.http')
    expect(await storyOf(store, refused.id)).toEqual(['refused'])
    expect(await ask('fs.write', {}, { agent: 'stranger' })).toMatchObject({ state: 'refused' })
    expect(made.map(({ tool }) => tool)).toEqual(['fs.write'])
  })

  it('is refused when a policy denies it', async () => {
    const { ask, made, answers } = callsOn(store, { 'x.y': {} })
    answers.push(() => ({ kind: 'deny', error: fail('SW_DENIED_BY_POLICY', 'policy p denies x.y') }))
    expect(await ask('x.y')).toMatchObject({ state: 'refused', error: { code: 'policy_denied' } })
    expect(made).toEqual([])
  })

  it('waits for every approval that is asked for, and none comes from whoever asks or from an agent', async () => {
    const { calls, made, answers } = callsOn(store, { 'x.y': { run: () => ({ done: true }) } })
    answers.push(() => ({
      kind: 'approval',
      by: 'policy p',
      reason: 'two have to agree',
      approvals: [{ min: 2, fromAnyOf: ['user:grace', 'user:alan', 'user:ada'] }],
    }))
    const held = await calls.invoke(of('x.y', {}), soon(0))
    expect(held).toMatchObject({ state: 'waiting', asked_by: 'policy p: two have to agree' })
    const say = (actor: string, approved = true) => calls.decide(held.id, { approved, actor, reason: null }, soon())
    await expect(say('user:ada')).rejects.toMatchObject({ ref: 'SW_FORBIDDEN' })
    await expect(say('agent:default/sre')).rejects.toMatchObject({ ref: 'SW_FORBIDDEN' })
    await expect(say('user:eve')).rejects.toMatchObject({ ref: 'SW_FORBIDDEN' })
    expect(await say('user:grace')).toMatchObject({ state: 'waiting', approved_by: ['user:grace'] })
    expect(await say('user:grace')).toMatchObject({ state: 'waiting', approved_by: ['user:grace'] })
    expect(made).toEqual([])
    expect(await say('user:alan')).toMatchObject({ state: 'succeeded', approved_by: ['user:grace', 'user:alan'] })
    await expect(say('user:alan')).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    expect(made).toHaveLength(1)
    expect(await storyOf(store, held.id)).toEqual(['held', 'approved', 'approved', 'started', 'completed'])
    const other = await calls.invoke(of('x.y', {}), soon(0))
    const rejected = await calls.decide(other.id, { approved: false, actor: 'user:grace', reason: 'no' }, soon())
    expect(rejected).toMatchObject({ state: 'refused', error: { ref: 'SW_GATE_REJECTED' } })
  })

  it('is not approved any more once the task has ended that it was made for', async () => {
    const { calls, made, answers } = callsOn(store, { 'x.y': {} })
    answers.push(() => ({ kind: 'approval', by: 'p', reason: 'r', approvals: [{ min: 1, fromAnyOf: [] }] }))
    const [taskId, at] = [uuidv7(), new Date()]
    await insertTask(store.engine, {
      ...{ task_id: taskId, namespace: 'default', agent: 'sre', run_id: null, step_id: null, path: null, prompt: '' },
      ...{
        inputs: {},
        output_schema: null,
        deadline: null,
        keep_workspace: false,
        correlation_id: 'c',
        created_at: at,
      },
    })
    const held = await calls.invoke({ ...of('x.y', {}), taskId }, soon(0))
    await endTask(store.engine, taskId, { status: 'cancelled', at })
    const say = (approved: boolean) => calls.decide(held.id, { approved, actor: 'user:grace', reason: null }, soon())
    await expect(say(true)).rejects.toMatchObject({ ref: 'SW_CONFLICT', message: expect.stringContaining('cancelled') })
    expect(await say(false)).toMatchObject({ state: 'refused' })
    expect(made).toEqual([])
  })

  it('keeps its declared cost before it is called, charges it after, and is not called without money', async () => {
    const account = await declareBudget(store, { max: '0.05' })
    const { ask, made } = callsOn(store, {
      'x.paid': {
        estimatedCents: 3,
        run: async () => {
          expect(await standing(store, account)).toEqual({ used: 0n, reserved: usd('0.03') })
          return {}
        },
      },
    })
    expect(await ask('x.paid')).toMatchObject({ state: 'succeeded' })
    expect(await standing(store, account)).toEqual({ used: usd('0.03'), reserved: 0n })
    expect(await ask('x.paid')).toMatchObject({ state: 'failed', error: { code: 'budget_exceeded' } })
    expect(made).toHaveLength(1)
    expect(await standing(store, account)).toEqual({ used: usd('0.03'), reserved: 0n })
  })
})

describe('a tool with a rate limit', () => {
  it('is called so often in a window by all together; more wait, or fail when their time is over before', async () => {
    const store = await createTestStore()
    const runner: ToolRunner = {
      find: (name) => ({ name, idempotent: false, inputSchema: {}, timeoutMs: 60_000 }),
      all: () => [],
      run: async () => null,
    }
    const [one, two] = [
      { calls: 2, windowMs: 400 },
      { calls: 1, windowMs: 3_600_000 },
    ]
    const limited = heedingRateLimits(runner, store, (_namespace, tool) =>
      tool === 'free' ? null : tool === 'slow' ? two : one,
    )
    const again = heedingRateLimits(runner, store, () => one)
    const call = (tool: string, deadline: Date | null = null, tools = limited, signal = new AbortController().signal) =>
      tools.run(
        { tool, with: {}, namespace: 'default', operationId: 'o', correlationId: 'c', workspace: '', deadline },
        { signal, log: () => {} },
      )
    const began = performance.now()
    await Promise.all([call('quick'), call('quick', null, again), call('quick'), call('free'), call('free')])
    expect(performance.now() - began).toBeGreaterThan(350)
    await call('slow')
    await expect(call('slow')).rejects.toMatchObject({ ref: 'SW_TOOL_BUSY', status: 429 })
    const soonOver = new Date(Date.now() + 100)
    await Promise.all([call('tight'), call('tight')])
    await expect(call('tight', soonOver)).rejects.toMatchObject({ ref: 'SW_TOOL_BUSY' })
    await expect(call('tight', null, limited, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
    await store.end()
  })
})

describe('a call whose process went away', () => {
  it('is made again when its tool is idempotent, and is unknown when it is not', async () => {
    const store = await createTestStore()
    const gone = await openTestStore(store.database)
    try {
      const never = {
        run: (_call: ToolCall, signal: AbortSignal) =>
          new Promise<Json>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }
      const before = callsOn(gone, { 'x.safe': { ...never, idempotent: true }, 'x.once': never })
      const [safe, once] = [uuidv7(), uuidv7()]
      await before.calls.invoke({ ...of('x.safe', {}), id: safe }, soon(50))
      await before.calls.invoke({ ...of('x.once', {}), id: once }, soon(50))
      expect(before.made).toHaveLength(2)
      // Its row is what stands for it: whoever finds the lease over removes it.
      await store.engine`DELETE FROM writers WHERE id = ${gone.writer.id}`
      const after: { calls: ToolCalls; made: ToolCall[] } = callsOn(store, {
        'x.safe': { idempotent: true, run: ({ operationId }) => ({ operationId }) },
        'x.once': {},
      })
      expect(await after.calls.invoke({ ...of('x.once', {}), id: once }, soon())).toMatchObject({
        state: 'unknown',
        error: { code: 'effect_unknown' },
      })
      expect(await after.calls.invoke({ ...of('x.safe', {}), id: safe }, soon())).toMatchObject({
        state: 'succeeded',
        output: { operationId: `call/${safe}` },
      })
      expect(after.made.map(({ tool }) => tool)).toEqual(['x.safe'])
      expect(await storyOf(store, once)).toEqual(['started', 'quarantined'])
      await before.calls.stop(0).catch(() => undefined)
    } finally {
      await gone.end().catch(() => undefined)
      await store.end()
    }
  })
})

describe('a call of a model whose process went away', () => {
  it('waits for a person: it is made again, is done with an output, or is given up', async () => {
    const store = await createTestStore()
    const gone = await openTestStore(store.database)
    try {
      const never = {
        run: (_call: ToolCall, signal: AbortSignal) =>
          new Promise<Json>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }
      const before = callsOn(gone, { 'x.once': never })
      const ids = [uuidv7(), uuidv7(), uuidv7()] as const
      const request = (id: string) => ({ ...of('x.once', {}), id, agent: 'sre', taskId: uuidv7(), turn: 1, callNo: 1 })
      const requests = ids.map(request)
      for (const one of requests) await before.calls.invoke(one, soon(50))
      await store.engine`DELETE FROM writers WHERE id = ${gone.writer.id}`
      const { calls, made } = callsOn(store, { 'x.once': { run: ({ operationId }) => ({ operationId }) } })
      for (const one of requests)
        expect(await calls.invoke(one, soon())).toMatchObject({
          ...{ state: 'unknown', ended_at: null, quarantined_at: expect.any(Date), error: { code: 'effect_unknown' } },
        })
      expect(made).toEqual([])
      const person = { approved: true, actor: 'user:grace', reason: null }
      const [again, done, givenUp] = ids
      await expect(calls.decide(again, person, soon())).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
      const agent = { ...person, actor: 'agent:default/sre', answer: { answer: 'retry' as const } }
      await expect(calls.decide(again, agent, soon())).rejects.toMatchObject({ ref: 'SW_FORBIDDEN' })
      const repeated = await calls.decide(again, { ...person, answer: { answer: 'retry' } }, soon())
      expect(repeated).toMatchObject({ state: 'succeeded', output: { operationId: repeated.operation_id } })
      // What became of the one before stays unknown: it is not the same operation.
      expect(repeated.operation_id).not.toBe(`call/${again}`)
      expect(made).toHaveLength(1)
      const output = { was: 'there' }
      const ended = await calls.decide(done, { ...person, answer: { answer: 'done', output } }, soon())
      expect(ended).toMatchObject({ state: 'succeeded', output })
      const given = await calls.decide(givenUp, { ...person, approved: false }, soon())
      expect(given).toMatchObject({ state: 'failed', error: { code: 'effect_unknown' } })
      for (const one of [again, done, givenUp])
        await expect(calls.decide(one, { ...person, answer: { answer: 'retry' } }, soon())).rejects.toMatchObject({
          ref: 'SW_CONFLICT',
        })
      expect(made).toHaveLength(1)
      expect(await Promise.all(ids.map((id) => storyOf(store, id)))).toEqual([
        ['started', 'quarantined', 'started', 'completed'],
        ['started', 'quarantined', 'completed'],
        ['started', 'quarantined', 'failed'],
      ])
      await before.calls.stop(0).catch(() => undefined)
    } finally {
      await gone.end().catch(() => undefined)
      await store.end()
    }
  })
})

describe('the tools of an installation', () => {
  let here: Installation
  beforeAll(async () => {
    here = await createInstallation({
      'policies/tools.yaml': `apiVersion: stateward.dev/v1alpha1
kind: Policy
metadata: {name: tools}
spec:
  rules:
    - {id: no-programs, match: {action: process.run}, effect: deny}
`,
    })
    await here.start()
    await here.untilCondition('Source/state', 'Ready', 'True')
  })
  afterAll(() => here.end())

  it('are listed, described and called over the API; a denied call is an error with its id', async () => {
    const { body: page } = await here.ask('GET', '/api/v1/tools?limit=500')
    expect((page['items'] as { name: string }[]).map(({ name }) => name)).toContain('fs.write')
    expect((await here.ask('GET', '/api/v1/tools/fs_read')).body).toMatchObject({
      name: 'fs.read',
      permissions: ['fs.read'],
    })
    const write = { input: { path: 'a.txt', content: 'hello' } }
    expect((await here.post('/api/v1/tools/fs_write/call', write)).body).toMatchObject({
      state: 'succeeded',
      tool: 'fs.write',
    })
    const read = await here.post('/api/v1/tools/fs.read/call', { input: { path: 'a.txt' } })
    expect(read).toMatchObject({ status: 200, body: { output: { content: 'hello' } } })
    const denied = await here.post('/api/v1/tools/process.run/call', { input: { command: ['true'] } })
    expect(denied).toMatchObject({ status: 403, body: { error: { code: 'policy_denied' } } })
    const { body: calls } = await here.ask('GET', '/api/v1/tool-calls?state=refused')
    expect(calls['items']).toMatchObject([{ tool: 'process.run', state: 'refused' }])
  })

  it('take back what they changed, after a restart too, and when a run is rolled back', async () => {
    const write = async (content: string) =>
      (await here.post('/api/v1/tools/fs.write/call', { input: { path: 'kept.txt', content } })).body['id']
    const read = async () => {
      const { body } = await here.post('/api/v1/tools/fs.read/call', { input: { path: 'kept.txt' } })
      return (body['output'] as { content: string } | null)?.content ?? null
    }
    const [first, second] = [await write('one'), await write('two')]
    await here.stop()
    await here.start()
    expect(await read()).toBe('two')
    const undo = (call: unknown) => here.post('/api/v1/tools/tool.undo/call', { input: { call } })
    expect((await undo(second)).body).toMatchObject({ state: 'succeeded', output: { tool: 'fs.write', undone: true } })
    expect(await read()).toBe('one')
    await undo(first)
    expect(await read()).toBe(null)
    expect((await here.events()).filter(({ event_name }) => event_name === 'stateward.tool.reverted')).toHaveLength(2)

    const done = await here.post('/api/internal/actions/execute', {
      action: 'fs.write',
      params: { path: 'of-run.txt', content: 'x' },
    })
    const runId = String(done.body['run_id'])
    const file = join(here.dataDir, 'runs', runId, 'workspace', 'of-run.txt')
    expect(readFileSync(file, 'utf8')).toBe('x')
    await here.post(`/api/v1/runs/${runId}/rollback`, {})
    await until('the file to be gone', () => !existsSync(file))
  })
})
