import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { spanIdOf, traceIdOf } from '../../src/lib/trace-context.ts'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call, callerWith } from '../support/bus-agents.ts'
import { type ModelServer, startModelServer } from '../support/model-server.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const SCRIPT = [
  { match: { toolResult: { tool: 'fs.write' } }, reply: { text: 'It is written.' } },
  {
    match: { lastMessage: 'write (\\w+)' },
    reply: {
      toolCalls: [{ tool: 'fs.write', input: { path: 'note.txt', content: '{{1}}' } }],
      usage: { inputTokens: 70, outputTokens: 30 },
    },
  },
]

let receiver: OtlpReceiver
let server: ModelServer
let here: Installation
let ada: Call

beforeAll(async () => {
  receiver = await startOtlpReceiver()
  server = await startModelServer()
  const wire = { type: 'openai-compatible', baseURL: `${server.url}/v1`, class: 'local' }
  here = await createInstallation({
    'demo.yaml': manifest('ModelProvider', 'demo', {
      type: 'scripted',
      models: [{ name: 'rules' }],
      priority: 50,
      script: SCRIPT,
    }),
    'wire.yaml': manifest('ModelProvider', 'wire', { ...wire, models: [{ name: 'm-1' }], priority: 1 }),
    'scribe.yaml': manifest('Agent', 'scribe', {
      runtime: { model: { provider: 'demo', tools: ['fs.write'] } },
      capabilities: ['fs'],
      autonomy: 'full',
    }),
    'teller.yaml': manifest('Agent', 'teller', { runtime: { model: { provider: 'wire' } } }),
    'work.yaml': manifest('Blueprint', 'work', {
      plan: [
        { id: 'note', kind: 'agent_task', agent: 'scribe', prompt: 'write hello' },
        { id: 'ask', kind: 'action_task', action: 'llm.invoke', with: { prompt: 'hello', provider: 'wire' } },
      ],
    }),
  })
  await here.start(
    {},
    {
      environment: {
        PATH: process.env['PATH'],
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
      },
    },
  )
  ada = asAda(here)
  await here.untilCondition('Agent/default/scribe', 'Ready', 'True')
  await here.untilCondition('Agent/default/teller', 'Ready', 'True')
})
afterAll(async () => {
  await here.end()
  await server.close()
  await receiver.close()
})

const revision = () => here.stateward.sync.state.sync?.to_revision
const spans = (what: string, count: number, matches: (span: ReceivedSpan) => boolean) =>
  until(what, () => {
    const found = receiver.spans.filter(matches).sort((a, b) => a.start - b.start)
    return found.length >= count ? found : null
  })
const points = (metric: string, model: string) =>
  (receiver.metrics.get(metric) ?? []).filter(({ attributes }) => attributes['gen_ai.request.model'] === model)

describe('traces of models', () => {
  it('hang calls of models and tools below the step they were made for', async () => {
    const { body } = await ada('POST', '/api/v1/runs', { blueprint_ref: 'work' })
    const id = String(body.run_id)
    const run = await until('the run to end', async () => {
      const { body: seen } = await ada('GET', `/api/v1/runs/${id}`)
      return seen.status === 'completed' ? seen : null
    })
    const traceId = traceIdOf(run.correlation_id)
    const inTrace = (name: string) => (span: ReceivedSpan) => span.traceId === traceId && span.name === name
    const [agent] = await spans('the step of the agent', 1, inTrace('invoke_agent scribe'))
    expect(agent!.spanId).toBe(spanIdOf(`${id}/note/1`))
    const [first, second] = await spans('two turns', 2, inTrace('chat rules'))
    for (const turn of [first, second]) {
      expect(turn).toMatchObject({
        kind: 3,
        failed: false,
        parentSpanId: agent!.spanId,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'scripted',
          'gen_ai.request.model': 'rules',
          'gen_ai.response.model': 'rules',
          'gen_ai.agent.name': 'scribe',
          'stateward.run.id': id,
          'vcs.ref.head.revision': revision(),
        },
      })
      expect(turn!.end).toBeLessThanOrEqual(agent!.end)
    }
    expect(first!.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 70,
      'gen_ai.usage.output_tokens': 30,
      'gen_ai.response.finish_reasons': ['tool-calls'],
    })
    expect(second!.attributes['gen_ai.response.finish_reasons']).toEqual(['stop'])
    const [tool] = await spans('the call of the tool', 1, inTrace('execute_tool fs.write'))
    expect(tool).toMatchObject({
      parentSpanId: agent!.spanId,
      attributes: {
        'gen_ai.tool.name': 'fs.write',
        'gen_ai.agent.name': 'scribe',
        'gen_ai.conversation.id': first!.attributes['gen_ai.conversation.id'],
        'vcs.ref.head.revision': revision(),
      },
    })
    expect(tool!.spanId).toBe(spanIdOf(`${id}/note/1/${String(tool!.attributes['gen_ai.tool.call.id'])}`))
    const [asked] = await spans('the call of the step', 1, inTrace('chat m-1'))
    expect(asked!.parentSpanId).toBe(spanIdOf(`${id}/ask/1`))
    // The server was told of the very span it answered for.
    expect(server.requests.at(-1)!.headers['traceparent']).toBe(`00-${traceId}-${asked!.spanId}-01`)
  })

  it('hang those of a task outside of runs below the task, in the trace of who ordered it', async () => {
    server.answer({ text: 'Once upon a time.', usage: { input: 11, output: 4 }, model: 'm-1-2026' })
    const [trace, caller] = ['1af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
    const traced = callerWith(here, adminToken(here), { traceparent: `00-${trace}-${caller}-01` })
    const { body } = await traced('POST', '/api/v1/tasks', { agent: 'teller', prompt: 'tell' })
    const id = String(body.task_id)
    const [task] = await spans(
      'the task',
      1,
      ({ name, traceId }) => name === 'invoke_agent teller' && traceId === trace,
    )
    expect(task).toMatchObject({
      spanId: spanIdOf(id),
      parentSpanId: caller,
      failed: false,
      attributes: { 'gen_ai.conversation.id': id, 'vcs.ref.head.revision': revision() },
    })
    const [chat] = await spans('its call', 1, ({ name, traceId }) => name === 'chat m-1' && traceId === trace)
    expect(chat).toMatchObject({
      parentSpanId: task!.spanId,
      attributes: {
        'gen_ai.provider.name': 'openai-compatible',
        'stateward.model.provider': 'wire',
        'gen_ai.response.model': 'm-1-2026',
        'gen_ai.usage.input_tokens': 11,
        'gen_ai.usage.output_tokens': 4,
        'stateward.namespace': 'default',
        'vcs.ref.head.revision': revision(),
      },
    })
    const usage = await until('the tokens', () => {
      const found = points('gen_ai.client.token.usage', 'm-1').filter(
        ({ attributes }) => attributes['gen_ai.response.model'] === 'm-1-2026',
      )
      return found.length === 2 ? found : null
    })
    expect(Object.fromEntries(usage.map(({ sum, attributes }) => [attributes['gen_ai.token.type'], sum]))).toEqual({
      input: 11,
      output: 4,
    })
    expect(usage[0]!.attributes).toMatchObject({
      'gen_ai.provider.name': 'openai-compatible',
      'vcs.ref.head.revision': revision(),
    })
  })

  it('tell what failed, and that somebody else answered', async () => {
    server.answer({ status: 500 })
    const correlation = uuidv7()
    const asked = callerWith(here, adminToken(here), { 'x-correlation-id': correlation })
    const { body } = await asked('POST', '/api/v1/models/ask', { prompt: 'write it down' })
    expect(body).toMatchObject({ call: { provider: 'demo' } })
    const traceId = traceIdOf(correlation)
    const [failed] = await spans('the failure', 1, (span) => span.name === 'chat m-1' && span.traceId === traceId)
    expect(failed).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'error', 'gen_ai.provider.name': 'openai-compatible' },
    })
    expect(failed!.attributes).not.toHaveProperty('gen_ai.usage.input_tokens')
    await spans('the answer', 1, (span) => span.name === 'chat rules' && span.traceId === traceId && !span.failed)
    const late = await until(
      'the duration of the failure',
      () =>
        points('gen_ai.client.operation.duration', 'm-1').find(
          ({ attributes }) => attributes['error.type'] === 'error',
        ) ?? null,
    )
    expect(late.sum).toBeGreaterThan(0)
  })
})
