import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ModelProviderSpec } from '../../src/kinds/model-provider/model-provider.schema.ts'
import { pageModelCalls } from '../../src/store/queries/model-calls.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { type ModelServer, startModelServer } from '../support/model-server.ts'
import { ask, modelStack } from '../support/model-stack.ts'

const FREE = { inputPerMTok: 0, outputPerMTok: 0 }
const free = new AbortController().signal

/** Every wire format, with the library that speaks it. */
const TYPES: readonly [string, (url: string) => ModelProviderSpec][] = [
  ['openai', (url) => ({ type: 'openai', baseURL: `${url}/v1`, secretRef: { name: 'a', key: 'b' }, pricing: FREE })],
  [
    'anthropic',
    (url) => ({ type: 'anthropic', baseURL: `${url}/v1`, secretRef: { name: 'a', key: 'b' }, pricing: FREE }),
  ],
  ['openai-compatible', (url) => ({ type: 'openai-compatible', baseURL: `${url}/v1`, pricing: FREE })],
  ['ollama', (url) => ({ type: 'ollama', baseURL: url })],
  ['llama-cpp', (url) => ({ type: 'llama-cpp', baseURL: url })],
]

describe('the wire formats of providers', () => {
  let tested: TestStore
  let server: ModelServer
  let other: ModelServer
  beforeAll(async () => {
    tested = await createTestStore()
    server = await startModelServer()
    other = await startModelServer()
  })
  afterEach(() => {
    server.answer({ text: 'Hello there, all is well.' })
    other.answer({ text: 'The other one answers.' })
  })
  afterAll(async () => {
    await server.close()
    await other.close()
    await tested.end()
  })

  const stackFor = (spec: (url: string) => ModelProviderSpec) => {
    const stack = modelStack(tested)
    stack.provider('first', {
      ...spec(server.url),
      priority: 1,
      class: 'local',
      models: [{ name: 'm-1', temperature: 0.3, maxTokens: 64, contextLength: 4096 }],
    })
    return stack
  }
  const lastCall = async () =>
    (
      await pageModelCalls(tested.reader, {
        namespace: null,
        provider: null,
        agent: null,
        runId: null,
        taskId: null,
        state: null,
        after: null,
        limit: 1,
      })
    )[0]!

  it.each(TYPES)('%s: streams a text, says who answered and what was used', async (_, spec) => {
    const stack = stackFor(spec)
    server.answer({ text: 'One two three.', usage: { input: 20, output: 4 }, model: 'm-1-2026' })
    const said: string[] = []
    const answer = await stack.gateway.invoke(ask('Say it.', { system: 'Be short.' }), {
      signal: free,
      onText: (delta) => said.push(delta),
    })
    expect(answer).toMatchObject({
      text: 'One two three.',
      provider: 'first',
      modelAsked: 'm-1',
      modelAnswered: 'm-1-2026',
      usage: { inputTokens: 20, outputTokens: 4 },
      failures: [],
    })
    expect(said.join('')).toBe('One two three.')
    expect(said.length).toBeGreaterThan(1)
    expect(await lastCall()).toMatchObject({
      state: 'completed',
      provider: 'first',
      model_answered: 'm-1-2026',
      input_tokens: 20,
      usage: 'reported',
      cost: 0n,
    })
    const { body } = server.requests.at(-1)!
    const text = JSON.stringify(body)
    expect(text).toContain('Be short.')
    expect(text).toMatch(/"temperature":0\.3/)
    expect(text).toMatch(/:64\b/)
    expect(body['stream']).toBe(true)
  })

  it.each(TYPES)('%s: offers tools, hears which are called, and is told what they said', async (_, spec) => {
    const stack = stackFor(spec)
    const tools = [
      {
        name: 'http.call',
        description: 'Calls an address.',
        inputSchema: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
      },
    ]
    server.answer(
      { toolCalls: [{ id: 'call-a', name: 'http_call', input: { url: 'http://x' } }] },
      { text: 'It says ok.' },
    )
    const first = await stack.gateway.invoke(ask('Look at http://x', { tools }), { signal: free })
    expect(first.toolCalls).toEqual([{ id: expect.any(String), tool: 'http.call', input: { url: 'http://x' } }])
    const [call] = first.toolCalls
    const second = await stack.gateway.invoke(
      ask('', {
        tools,
        messages: [
          { role: 'user', text: 'Look at http://x' },
          { role: 'assistant', text: '', toolCalls: [call!] },
          {
            role: 'tool',
            results: [{ id: call!.id, tool: 'http.call', output: { status: 200, body: 'fine' }, isError: false }],
          },
        ],
      }),
      { signal: free },
    )
    expect(second.text).toBe('It says ok.')
    expect(JSON.stringify(server.requests.at(-1)!.body)).toContain('fine')
  })

  it.each(TYPES)(
    '%s: a stream that is cut goes to the next backend, and what had come counts for nothing',
    async (_, spec) => {
      const stack = stackFor(spec)
      stack.provider('second', { ...spec(other.url), class: 'local', priority: 2, models: [{ name: 'm-2' }] })
      server.answer({ text: 'This will never be said to its end.', dieAfter: 3 })
      other.answer({ text: 'The other one answers.' })
      const restarted: string[] = []
      const answer = await stack.gateway.invoke(ask('Say it.'), {
        signal: free,
        onRestart: ({ provider }) => restarted.push(provider),
      })
      expect(answer).toMatchObject({
        text: 'The other one answers.',
        provider: 'second',
        failures: [{ provider: 'first', cause: 'error' }],
      })
      expect(restarted).toEqual(['first'])
    },
  )

  it.each(TYPES)('%s: a server that is gone goes to the next backend', async (_, spec) => {
    const stack = modelStack(tested)
    const gone = await startModelServer()
    await gone.close()
    stack.provider('gone', { ...spec(gone.url), class: 'local', priority: 1, models: [{ name: 'm-1' }] })
    stack.provider('second', { ...spec(other.url), class: 'local', priority: 2, models: [{ name: 'm-2' }] })
    other.answer({ text: 'Here.' })
    const answer = await stack.gateway.invoke(ask('Say it.'), { signal: free })
    expect(answer.provider).toBe('second')
    expect(answer.failures[0]!.message).toMatch(/ECONNREFUSED|fetch failed|Cannot connect/i)
  })

  it.each(TYPES)('%s: one that does not answer in time is left', async (_, spec) => {
    const stack = modelStack(tested)
    stack.provider('slow', {
      ...spec(server.url),
      class: 'local',
      priority: 1,
      timeout: '300ms',
      models: [{ name: 'm-1' }],
    })
    stack.provider('second', { ...spec(other.url), class: 'local', priority: 2, models: [{ name: 'm-2' }] })
    server.answer({ text: 'It begins', hang: true })
    const answer = await stack.gateway.invoke(ask('Say it.'), { signal: free })
    expect(answer).toMatchObject({ provider: 'second', failures: [{ cause: 'timeout' }] })
  })

  it.each(TYPES)('%s: 429 with retry-after waits when nobody else is there', async (_, spec) => {
    const stack = stackFor(spec)
    server.answer({ status: 429, headers: { 'retry-after': '0.05' } }, { text: 'Now.' })
    const waited: string[] = []
    const before = server.requests.length
    const answer = await stack.gateway.invoke(ask('Say it.'), { signal: free, onWait: (why) => waited.push(why) })
    expect(answer.text).toBe('Now.')
    expect(waited).toHaveLength(1)
    expect(server.requests.length - before).toBe(2)
  })

  it.each(TYPES)('%s: says nothing of what was used', async (_, spec) => {
    const stack = stackFor(spec)
    server.answer({ text: 'Fine.', usage: null })
    const answer = await stack.gateway.invoke(ask('Say it.'), { signal: free })
    expect(answer.usage).toBeNull()
    expect(await lastCall()).toMatchObject({ usage: 'unknown', input_tokens: null })
  })

  it('the context length and how long a model stays loaded reach ollama', async () => {
    const stack = modelStack(tested)
    stack.provider('o', {
      type: 'ollama',
      baseURL: server.url,
      models: [
        { name: 'mistral:latest', contextLength: 8192, unloadAfterIdle: '2m', maxTokens: 512, temperature: 0.1 },
      ],
    })
    await stack.gateway.invoke(ask('Say it.'), { signal: free })
    expect(server.requests.at(-1)!.body).toMatchObject({
      model: 'mistral:latest',
      keep_alive: '120s',
      options: { num_ctx: 8192, num_predict: 512, temperature: 0.1 },
    })
  })
})
