import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call, joinAs, type Worker } from '../support/bus-agents.ts'
import { type ModelServer, startModelServer } from '../support/model-server.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

/** Clients of providers, as they are published, speak to the gateway. */

const SCRIPT = [
  { match: { toolResult: { tool: 'read_file' } }, reply: { text: 'It says {{result}}.' } },
  {
    match: { lastMessage: 'read (\\S+)' },
    reply: {
      text: 'I look.',
      toolCalls: [{ tool: 'read_file', input: { path: '{{1}}' } }],
      usage: { inputTokens: 70, outputTokens: 30 },
    },
  },
  { reply: { text: 'Hello there.', usage: { inputTokens: 7, outputTokens: 3 } } },
]
const daemon = { process: { mode: 'daemon', command: ['sleep', '600'] } }
const READ = {
  type: 'function' as const,
  name: 'read_file',
  inputSchema: { type: 'object' as const, properties: { path: { type: 'string' as const } } },
}

let server: ModelServer
let other: ModelServer
let here: Installation
let ada: Call
let coder: Worker
let mute: Worker

beforeAll(async () => {
  server = await startModelServer()
  other = await startModelServer()
  const price = { inputPerMTok: 1, outputPerMTok: 10 }
  here = await createInstallation({
    'claude.yaml': manifest('ModelProvider', 'claude', {
      ...{ type: 'anthropic', baseURL: `${server.url}/v1`, priority: 5, pricing: price },
      models: [{ name: 'claude-x', maxTokens: 4096 }],
    }),
    'gpt.yaml': manifest('ModelProvider', 'gpt', {
      ...{ type: 'openai', baseURL: `${other.url}/v1`, priority: 6, pricing: price, models: [{ name: 'gpt-x' }] },
    }),
    'local.yaml': manifest('ModelProvider', 'local', {
      ...{ type: 'openai-compatible', baseURL: `${other.url}/v1`, class: 'local', priority: 9 },
      models: [{ name: 'm-1' }],
    }),
    'demo.yaml': manifest('ModelProvider', 'demo', { type: 'scripted', models: [{ name: 'rules' }], script: SCRIPT }),
    'route.yaml': manifest('ModelRoute', 'default', {
      rules: [{ backendRefs: [{ provider: 'claude' }, { provider: 'gpt' }], order: 'listed' }],
    }),
    'coder.yaml': manifest('Agent', 'coder', { runtime: daemon, capabilities: ['llm'], replicas: 0 }),
    'mute.yaml': manifest('Agent', 'mute', { runtime: daemon, capabilities: ['fs'], replicas: 0 }),
    'rich.yaml': manifest('Budget', 'rich', { scopeRef: { kind: 'Agent', name: 'coder' }, maxUsd: 50 }),
    'ask.yaml': manifest('Blueprint', 'ask', {
      plan: [{ id: 'write', kind: 'agent_task', agent: 'coder', prompt: 'write it' }],
    }),
  })
  await here.start(
    {},
    { environment: { PATH: process.env['PATH'], ANTHROPIC_API_KEY: 'sk-ant-ours', OPENAI_API_KEY: 'sk-ours' } },
  )
  ada = asAda(here)
  ;[coder, mute] = [await joinAs(here, 'coder'), await joinAs(here, 'mute')]
})
afterAll(async () => {
  await here.end()
  await server.close()
  await other.close()
})
beforeEach(() => {
  server.answer({ text: 'From claude.', usage: { input: 1000, output: 100 } })
  other.answer({ text: 'From the other.', usage: { input: 20, output: 10 } })
})

const at = () => `${here.stateward.url}/v1`
const clients = (model: string, apiKey = coder.token): Record<string, LanguageModelV4> => ({
  anthropic: createAnthropic({ baseURL: at(), apiKey })(model),
  'openai chat': createOpenAI({ baseURL: at(), apiKey }).chat(model),
  'openai responses': createOpenAI({ baseURL: at(), apiKey }).responses(model),
  'openai-compatible': createOpenAICompatible({ name: 'x', baseURL: at(), apiKey, includeUsage: true })(model),
})
const CLIENTS = ['anthropic', 'openai chat', 'openai responses', 'openai-compatible'] as const

const hello: LanguageModelV4CallOptions = {
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
  tools: [READ],
  maxOutputTokens: 9000,
}
const reads = (path: string, more: LanguageModelV4CallOptions['prompt'] = []): LanguageModelV4CallOptions => ({
  ...hello,
  prompt: [
    { role: 'system', content: 'You read files.' },
    { role: 'user', content: [{ type: 'text', text: `read ${path}` }] },
    ...more,
  ],
})

async function streamed(model: LanguageModelV4, options: LanguageModelV4CallOptions) {
  const { stream } = await model.doStream(options)
  const parts: LanguageModelV4StreamPart[] = []
  for await (const part of stream as unknown as AsyncIterable<LanguageModelV4StreamPart>) parts.push(part)
  const of = <T extends LanguageModelV4StreamPart['type']>(type: T) =>
    parts.filter((part): part is Extract<LanguageModelV4StreamPart, { type: T }> => part.type === type)
  return {
    text: of('text-delta')
      .map(({ delta }) => delta)
      .join(''),
    calls: of('tool-call').map(({ toolName, input }) => ({ toolName, input: JSON.parse(input) as unknown })),
    end: of('finish')[0],
    errors: of('error').map(({ error }) => String((error as { message?: string }).message ?? JSON.stringify(error))),
  }
}

/** As a client without a library asks. */
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(at() + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${coder.token}`, ...headers },
    body: JSON.stringify(body),
  })
const question = (model: string, more: object = {}) => ({
  ...{ model, max_tokens: 50, messages: [{ role: 'user', content: 'hello' }] },
  ...more,
})
const newestCall = async () => (await ada('GET', '/api/v1/model-calls?limit=1')).body.items[0]

describe('clients of providers', () => {
  it.each(CLIENTS)('stream from a provider of another kind, with calls of tools (%s)', async (name) => {
    const model = clients('demo/rules')[name]!
    const first = await streamed(model, reads('a.txt'))
    expect(first).toMatchObject({
      text: 'I look.',
      calls: [{ toolName: 'read_file', input: { path: 'a.txt' } }],
      end: { finishReason: { unified: 'tool-calls' } },
    })
    expect(first.end!.usage).toMatchObject({ inputTokens: { total: 70 }, outputTokens: { total: 30 } })
    const second = await streamed(
      model,
      reads('a.txt', [
        {
          role: 'assistant',
          content: [{ type: 'tool-call', toolCallId: 'c-1', toolName: 'read_file', input: { path: 'a.txt' } }],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: 'c-1',
              toolName: 'read_file',
              output: { type: 'text', value: 'nothing' },
            },
          ],
        },
      ]),
    )
    expect(second).toMatchObject({ text: 'It says nothing.', end: { finishReason: { unified: 'stop' } } })
  })

  it.each(CLIENTS)('get answers whole from a provider of another kind (%s)', async (name) => {
    const { content, finishReason, usage } = await clients('demo/rules')[name]!.doGenerate(reads('b.txt'))
    expect(content).toMatchObject([
      { type: 'text', text: 'I look.' },
      { type: 'tool-call', toolName: 'read_file', input: '{"path":"b.txt"}' },
    ])
    expect(finishReason.unified).toBe('tool-calls')
    expect(usage).toMatchObject({ inputTokens: { total: 70 }, outputTokens: { total: 30 } })
  })

  it.each([
    ['anthropic', 'claude-x', () => server],
    ['openai chat', 'gpt-x', () => other],
    ['openai responses', 'gpt-x', () => other],
    ['openai-compatible', 'local/m-1', () => other],
  ] as const)('stream from a provider that speaks as they do (%s)', async (name, model, of) => {
    of().answer({
      text: 'All is well.',
      toolCalls: [{ id: 'c-9', name: 'read_file', input: { path: 'x' } }],
      usage: { input: 1000, output: 100 },
    })
    const answer = await streamed(clients(model)[name]!, hello)
    expect(answer).toMatchObject({
      text: 'All is well.',
      calls: [{ toolName: 'read_file', input: { path: 'x' } }],
      end: { usage: { inputTokens: { total: 1000 }, outputTokens: { total: 100 } } },
      errors: [],
    })
    const asked = model.replace('local/', '')
    expect(await newestCall()).toMatchObject({
      ...{ actor: 'agent:default/coder', agent: 'coder', model_asked: asked, model_answered: asked },
      ...{ state: 'completed', input_tokens: 1000, output_tokens: 100, usage: 'reported', finish_reason: 'tool-calls' },
      cost_usd: asked === 'm-1' ? '0.00' : '0.002',
    })
  })

  it('are asked for word for word, with the key of the provider and no more than its model gives', async () => {
    const of = {
      thinking: { type: 'adaptive' },
      context_management: { edits: [] },
      max_tokens: 128_000,
      stream: true,
    }
    const response = await post('/messages?beta=true', question('claude-x', of), {
      'anthropic-beta': 'one-2026,two-2026',
      'anthropic-version': '2023-06-01',
      cookie: 'a=b',
    })
    expect(await response.text()).toContain('event: message_stop')
    const { path, headers, body } = server.requests.at(-1)!
    expect(path).toBe('/v1/messages?beta=true')
    expect(body).toEqual({ ...question('claude-x'), ...of, max_tokens: 4096 })
    expect(headers).toMatchObject({ 'x-api-key': 'sk-ant-ours', 'anthropic-beta': 'one-2026,two-2026' })
    expect(headers['authorization']).toBeUndefined()
    expect(headers['cookie']).toBeUndefined()
    expect(JSON.stringify(headers)).not.toContain(coder.token)
  })

  it('get whole answers word for word', async () => {
    const response = await post('/messages', question('claude-x', { stream: false }))
    expect(await response.json()).toMatchObject({
      ...{ id: 'msg_1', type: 'message', content: [{ type: 'text', text: 'From claude.' }] },
      usage: { input_tokens: 1000, output_tokens: 100 },
    })
    expect(await newestCall()).toMatchObject({ provider: 'claude', input_tokens: 1000, output_tokens: 100 })
  })

  it('that ask for a model nobody declares get the one the route says; provider/model names one', async () => {
    await (await post('/messages', question('claude-of-next-year', { stream: true }))).text()
    expect(server.requests.at(-1)!.body['model']).toBe('claude-x')
    await (await post('/messages', question('demo/rules'))).text()
    expect(await newestCall()).toMatchObject({ provider: 'demo', model_asked: 'rules' })
  })

  it('ask for the task they work on: its run has the call, and its trace', async () => {
    const { body } = await ada('POST', '/api/v1/runs', { blueprint_ref: 'ask' })
    const [task] = await until('the task', async () => {
      const found = await coder.pickup()
      return found.length === 0 ? null : found
    })
    await streamed(clients('claude-x')['anthropic']!, hello)
    const call = await newestCall()
    expect(call).toMatchObject({ run_id: body.run_id, task_id: task!.task_id, step: 'write' })
    const { body: run } = await ada('GET', `/api/v1/runs/${body.run_id}`)
    expect(call.correlation_id).toBe(run.correlation_id)
    await coder.report(task!, { status: 'completed', output: {} })
  })

  it('are answered by the next backend when the first one fails', async () => {
    server.answer({ status: 500 })
    const answer = await streamed(clients('whatever')['anthropic']!, hello)
    expect(answer).toMatchObject({ text: 'From the other.', errors: [] })
    expect(await newestCall()).toMatchObject({ provider: 'gpt', place: 2 })
  })

  it.each([
    ['anthropic', 'claude-x', () => server],
    ['openai chat', 'gpt-x', () => other],
    ['openai responses', 'gpt-x', () => other],
  ] as const)('are told when an answer breaks off, and nobody goes on with it (%s)', async (name, model, of) => {
    of().answer({ text: 'one two three four five', dieAfter: 2 })
    const asked = [server.requests.length, other.requests.length]
    const { text, errors } = await streamed(clients(model)[name]!, hello)
    expect(text).toBe('one two ')
    expect(errors.join()).toContain('broke off')
    expect(server.requests.length + other.requests.length).toBe(asked[0]! + asked[1]! + 1)
    expect(await newestCall()).toMatchObject({ state: 'failed', usage: 'unknown' })
  })
})

describe('what clients are refused', () => {
  it('is said in the words of the provider, when it is about the request', async () => {
    server.answer({ status: 400 })
    const response = await post('/messages', question('claude/claude-x'))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ type: 'error', error: { message: 'status 400' } })
  })

  it('closes no provider to others, and is said in its words though others were asked, too', async () => {
    server.answer({ status: 400 })
    other.answer({ status: 500 })
    for (let i = 0; i < 6; i++) expect((await post('/messages', question('anything'))).status).toBe(400)
    server.answer({ text: 'From claude.' })
    const { text } = await streamed(clients('claude/claude-x')['anthropic']!, hello)
    expect(text).toBe('From claude.')
  })

  it('is not the key of the provider', async () => {
    server.answer({ status: 401 })
    const response = await post('/messages', question('claude/claude-x'))
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'api_error', code: 'models_failed', message: expect.stringContaining('401') },
      request_id: expect.any(String),
    })
  })

  it('is asking without a token, or with one that may not', async () => {
    const nobody = await fetch(`${at()}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question('demo/rules')),
    })
    expect(nobody.status).toBe(401)
    expect(await nobody.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
    const refused = await post('/chat/completions', question('demo/rules'), { authorization: `Bearer ${mute.token}` })
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({
      error: { type: 'permission_error', message: expect.stringContaining('capability llm') },
    })
  })

  it('is what nobody pays for', async () => {
    const before = server.requests.length
    const response = await post('/messages', question('claude/claude-x'), {
      authorization: `Bearer ${adminToken(here)}`,
    })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ error: { type: 'billing_error', code: 'budget_exceeded' } })
    expect(server.requests.length).toBe(before)
    const free = await post('/chat/completions', question('local/m-1', { stream: false }), {
      authorization: `Bearer ${adminToken(here)}`,
    })
    expect(await free.json()).toMatchObject({ choices: [{ message: { content: 'From the other.' } }] })
  })

  it('is what a provider cannot be told of', async () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } }
    const body = { ...question('demo/rules'), messages: [{ role: 'user', content: [picture] }] }
    const response = await post('/messages', body)
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('it cannot be told of image') },
    })
    const native = await post('/messages', { ...body, model: 'claude-x', stream: false })
    expect(native.status).toBe(200)
    expect(server.requests.at(-1)!.body['messages']).toEqual(body.messages)
  })
})

it('tells which models there are, and about how long a prompt is', async () => {
  const models = await fetch(`${at()}/models`, { headers: { 'x-api-key': coder.token } })
  const { data } = (await models.json()) as { data: { id: string }[] }
  expect(data.map(({ id }) => id).sort()).toEqual(['claude/claude-x', 'demo/rules', 'gpt/gpt-x', 'local/m-1'])
  const counted = await post('/messages/count_tokens', question('claude-x'))
  const { input_tokens: tokens } = (await counted.json()) as { input_tokens: number }
  expect(tokens).toBeGreaterThan(1)
})
