import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const scripted = (name: string, script: object[], more: object = {}) =>
  manifest('ModelProvider', name, { type: 'scripted', models: [{ name: 'demo' }], script, ...more })
const modelAgent = (name: string, model: object, more: object = {}) =>
  manifest('Agent', name, { runtime: { model }, ...more })

const SCRIPT = [
  { match: { lastMessage: 'slow (\\w+)' }, reply: { text: 'slow {{1}}', delay: '400ms' } },
  {
    match: { lastMessage: 'forever', system: 'first' },
    reply: { toolCalls: [{ tool: 'fs.write', input: { path: 'loop.txt', content: 'x' } }] },
  },
  {
    match: { lastMessage: 'never ends' },
    reply: { toolCalls: [{ tool: 'fs.write', input: { path: 'loop.txt', content: 'x' } }] },
  },
  { match: { lastMessage: 'who are you', system: 'pirate' }, reply: { text: 'Arr.' } },
  { match: { lastMessage: 'who are you' }, reply: { text: 'A scripted demo.' } },
  { match: { lastMessage: 'count', turn: 1 }, reply: { text: 'no JSON at all' } },
  { match: { lastMessage: 'does not fit' }, reply: { object: { count: 3 } } },
  { match: { toolResult: { tool: 'fs.write' } }, reply: { text: 'It is written: {{result}}' } },
  {
    match: { lastMessage: 'write (\\w+)' },
    reply: { text: 'I write it.', toolCalls: [{ tool: 'fs.write', input: { path: 'note.txt', content: '{{1}}' } }] },
  },
  { match: { toolResult: { tool: 'ssh.run', contains: 'no tool' } }, reply: { text: 'I may not.' } },
  { match: { lastMessage: 'forbidden' }, reply: { toolCalls: [{ tool: 'ssh.run', input: { host: 'h', cmd: 'ls' } }] } },
  { reply: { text: 'ok', usage: { inputTokens: 7, outputTokens: 3 } } },
]

describe('agents that are models', () => {
  let here: Installation
  beforeAll(async () => {
    here = await createInstallation({
      'demo.yaml': scripted('demo', SCRIPT),
      'openai.yaml': scripted('openai', [{ reply: { text: 'from the provider' } }]),
      'sre.yaml': modelAgent(
        'sre',
        { provider: 'demo', systemPromptFrom: { path: 'prompts/sre.md' }, tools: ['fs.write'], maxTurns: 4 },
        { capabilities: ['fs'], autonomy: 'full', replicas: 2 },
      ),
      'careful.yaml': modelAgent(
        'careful',
        { provider: 'demo', tools: ['fs.write'], maxTurns: 4 },
        { capabilities: ['fs'], autonomy: 'full', requireApproval: ['fs.write'] },
      ),
      'prompts/sre.md': 'You are first of all careful.',
      'flow.yaml': manifest('Blueprint', 'flow', {
        inputs: [{ name: 'word', default: 'hello' }],
        plan: [
          { id: 'say', kind: 'agent_task', agent: 'sre', prompt: 'write {{ inputs.word }}' },
          {
            id: 'count',
            kind: 'agent_task',
            agent: 'sre',
            prompt: 'count',
            outputSchema: { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } },
          },
          { id: 'seed', kind: 'agent_task', agent: 'openai', model: 'gpt-5', prompt: 'plan it' },
        ],
        outputs: [
          { name: 'text', value: '{{ steps.say.output.text }}' },
          { name: 'count', value: '{{ steps.count.output.count }}' },
          { name: 'seed', value: '{{ steps.seed.output.text }}' },
        ],
      }),
    })
    await here.start()
    await here.untilCondition('Agent/default/sre', 'Ready', 'True')
  })
  afterAll(() => here.end())

  async function task(prompt: string, more: object = {}) {
    const { status, body } = await here.post('/api/v1/tasks', { agent: 'sre', prompt, ...more })
    expect(status).toBe(201)
    return String(body['task_id'] ?? (body['task'] as { task_id: string })['task_id'])
  }
  const rowOf = async (id: string) => {
    const [row] = await here.sql<
      {
        status: string
        output: Record<string, unknown> | null
        error: Record<string, unknown> | null
        tokens: number
      }[]
    >`
      SELECT status, output, error, tokens::float8 AS tokens FROM tasks WHERE task_id = ${id}`
    return row!
  }
  async function ended(id: string) {
    await until('the task to end', async () => !['queued', 'leased'].includes((await rowOf(id)).status))
    return rowOf(id)
  }

  it('are ready, and say who answers, with the label of what is scripted', () => {
    expect(here.condition('Agent/default/sre', 'Ready')!.message).toBe(
      'takes up to 2 tasks at once; demo/demo (scripted) answers',
    )
    expect(here.condition('ModelProvider/demo', 'Ready')!.status).toBe('True')
  })

  it('answer a task, and what was used is counted', async () => {
    const row = await ended(await task('anything'))
    expect(row).toMatchObject({ status: 'completed', output: { text: 'ok' }, tokens: 10 })
  })

  it('call tools between turns; every turn and call has a record', async () => {
    const id = await task('write hello')
    expect(await ended(id)).toMatchObject({
      status: 'completed',
      output: { text: expect.stringContaining('It is written') },
    })
    const turns =
      await here.sql`SELECT turn, text, tool_calls, results FROM model_turns WHERE task_id = ${id} ORDER BY turn`
    expect(turns).toHaveLength(2)
    expect(turns[0]).toMatchObject({ text: 'I write it.', results: [{ tool: 'fs.write', isError: false }] })
    const calls = await here.sql`SELECT tool, state, turn, call_no FROM tool_calls WHERE task_id = ${id}`
    expect(calls).toEqual([{ tool: 'fs.write', state: 'succeeded', turn: 1, call_no: 1 }])
    const { body } = await here.ask('GET', `/api/v1/model-calls?task_id=${id}`)
    expect((body['items'] as unknown[]).length).toBe(2)
    expect((body['items'] as { provider_type: string }[])[0]!.provider_type).toBe('scripted')
  })

  it('are told when they want a tool that is not theirs', async () => {
    expect(await ended(await task('forbidden'))).toMatchObject({ status: 'completed', output: { text: 'I may not.' } })
  })

  it('do the steps of a blueprint; an answer that does not fit its schema is corrected once', async () => {
    const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'flow' })
    const id = String(body['run_id'])
    let run: { status: string; outputs: unknown; error: unknown } | undefined
    await until('the run to end', async () => {
      ;[run] = await here.sql<
        { status: string; outputs: unknown; error: unknown }[]
      >`SELECT status, outputs, error FROM runs WHERE run_id = ${id}`
      return run!.status !== 'created' && run!.status !== 'running'
    })
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { count: 3, seed: 'from the provider', text: expect.stringContaining('written') },
    })
    const asked =
      await here.sql`SELECT DISTINCT model_asked FROM model_calls WHERE run_id = ${id} AND provider = 'openai'`
    expect(asked).toEqual([{ model_asked: 'gpt-5' }])
  })

  it('stop when they do not come to an end', async () => {
    const row = await ended(await task('never ends'))
    expect(row).toMatchObject({ status: 'failed', error: { code: 'max_turns_exceeded' } })
  })

  it('heed new instructions from the next task on', async () => {
    expect((await ended(await task('who are you'))).output).toEqual({ text: 'A scripted demo.' })
    await here.apply({ 'prompts/sre.md': 'You are a pirate.' })
    expect((await ended(await task('who are you'))).output).toEqual({ text: 'Arr.' })
  })

  it('take no more tasks at once than they have replicas, and hand a paused one none', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((word) => task(`slow ${word}`)))
    await until('two to be worked on', async () => {
      const [row] = await here.sql<
        { count: number }[]
      >`SELECT count(*)::integer AS count FROM model_loops WHERE ended_at IS NULL`
      expect(row!.count).toBeLessThanOrEqual(2)
      return row!.count === 2
    })
    for (const id of all) expect((await ended(id)).status).toBe('completed')
  })

  it('end a task that was cancelled at a boundary between turns', async () => {
    const id = await task('slow one')
    await until('it to be worked on', async () => (await rowOf(id)).status === 'leased')
    expect((await here.post(`/api/v1/tasks/${id}/cancel`, {})).status).toBeLessThan(300)
    expect((await ended(id)).status).toBe('cancelled')
    await until('its loop to end', async () => {
      const rows = await here.sql`SELECT 1 FROM model_loops WHERE task_id = ${id} AND ended_at IS NULL`
      return rows.length === 0
    })
  })

  describe('whose calls take an approval', () => {
    async function waiting(taskId: string): Promise<string> {
      const calls = () =>
        here.sql<{ id: string; state: string }[]>`SELECT id, state FROM tool_calls WHERE task_id = ${taskId}`
      await until('the call to wait', async () => (await calls())[0]?.state === 'waiting')
      return (await calls())[0]!.id
    }
    const stateOf = async (call: string) =>
      (await here.sql<{ state: string }[]>`SELECT state FROM tool_calls WHERE id = ${call}`)[0]!.state

    it('wait for it, and go on with what was approved', async () => {
      const id = await task('write soon', { agent: 'careful' })
      const call = await waiting(id)
      expect((await here.post(`/api/v1/tool-calls/${call}/approve`, {})).status).toBe(200)
      expect(await ended(id)).toMatchObject({
        status: 'completed',
        output: { text: expect.stringContaining('written') },
      })
      expect(await stateOf(call)).toBe('succeeded')
    })

    it('let go of it when their task is cancelled, and nobody can approve it any more', async () => {
      const id = await task('write never', { agent: 'careful' })
      const call = await waiting(id)
      expect((await here.post(`/api/v1/tasks/${id}/cancel`, {})).status).toBeLessThan(300)
      await until('the call to be over', async () => (await stateOf(call)) === 'refused')
      expect(await here.post(`/api/v1/tool-calls/${call}/approve`, {})).toMatchObject({ status: 409 })
      const next = await task('anything', { agent: 'careful' })
      expect((await ended(next)).status).toBe('completed')
    })
  })

  it('are explained over the API: providers, routes, a test, a question', async () => {
    const models = await here.ask('GET', '/api/v1/models')
    expect(
      (models.body['items'] as { name: string; type: string }[]).map(({ name, type }) => `${name}/${type}`),
    ).toEqual(['demo/scripted', 'openai/scripted'])
    const routed = await here.post('/api/v1/models/route', { prompt: 'Say ok.' })
    expect(routed.body).toMatchObject({
      complexity: 'low',
      candidates: [{ provider: 'demo', provider_type: 'scripted', by: 'priority' }, { provider: 'openai' }],
      skipped: [],
    })
    const tested = await here.post('/api/v1/models/demo/test', {})
    expect(tested.body).toMatchObject({ text: 'ok', call: { provider: 'demo', state: 'completed' } })
    expect((await here.post('/api/v1/models/nobody/test', {})).body).toMatchObject({ error: { code: 'no_model' } })
  })
})
