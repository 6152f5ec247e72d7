import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { spanIdOf, traceIdOf } from '../../src/lib/trace-context.ts'
import { appendEvents } from '../../src/store/log.ts'
import { openStore } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { openOtlp } from '../../src/telemetry/otlp/exporter.ts'
import { otlpSettings } from '../../src/telemetry/otlp/settings.ts'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call } from '../support/bus-agents.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let receiver: OtlpReceiver
let here: Installation
let ada: Call

const environment = () => ({
  PATH: process.env['PATH'],
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret-7',
  OTEL_SERVICE_NAME: 'fleet',
  OTEL_METRIC_EXPORT_INTERVAL: '200',
})

beforeAll(async () => {
  receiver = await startOtlpReceiver()
  here = await createInstallation({
    'echo.yaml': manifest('Agent', 'echo', PER_TASK),
    'work.yaml': manifest('Blueprint', 'work', {
      plan: [
        { id: 'write', kind: 'action_task', action: 'fs.write', with: { path: 'a.txt', content: 'x' } },
        { id: 'ask', kind: 'agent_task', agent: 'echo', prompt: 'hello' },
        { id: 'broken', kind: 'action_task', action: 'fs.read', with: { path: 'not-there.txt' } },
      ],
    }),
  })
  await here.start({}, { environment: environment() })
  ada = asAda(here)
})
afterAll(async () => {
  await here.end()
  await receiver.close()
})

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

async function run(headers: Record<string, string> = {}) {
  const response = await fetch(`${here.stateward.url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken(here)}`, ...headers },
    body: JSON.stringify({ blueprint_ref: 'work' }),
  })
  const { run_id: id } = (await response.json()) as { run_id: string }
  return until('the run to end', async () => {
    const { body } = await ada('GET', `/api/v1/runs/${id}`)
    return body.status === 'failed' ? body : null
  })
}
const spanNamed = (name: string, traceId: string) =>
  until(`span ${name}`, () => receiver.spans.find((span) => span.name === name && span.traceId === traceId) ?? null)

describe('traces', () => {
  it('show a run, its steps and what they used, on the commit they ran at', async () => {
    const body = await run()
    const traceId = traceIdOf(body.correlation_id)
    const whole = await spanNamed('invoke_workflow work', traceId)
    expect(whole).toMatchObject({
      spanId: spanIdOf(body.run_id),
      parentSpanId: '',
      failed: true,
      attributes: {
        'gen_ai.operation.name': 'invoke_workflow',
        'vcs.ref.head.revision': here.stateward.sync.state.sync?.to_revision,
        'stateward.run.name': body.name,
      },
    })
    expect(whole.end).toBeGreaterThanOrEqual(whole.start)
    const write = await spanNamed('execute_tool fs.write', traceId)
    expect(write).toMatchObject({
      parentSpanId: whole.spanId,
      spanId: spanIdOf(`${body.run_id}/write/1`),
      failed: false,
      attributes: { 'gen_ai.tool.name': 'fs.write', 'stateward.step.path': 'write' },
    })
    const ask = await spanNamed('invoke_agent echo', traceId)
    expect(ask.attributes).toMatchObject({ 'gen_ai.agent.name': 'echo', 'vcs.ref.head.revision': expect.any(String) })
    expect(ask.start).toBeGreaterThanOrEqual(whole.start)
    const broken = await until(
      'the failed step',
      () => receiver.spans.find(({ attributes }) => attributes['stateward.step.path'] === 'broken') ?? null,
    )
    expect(broken).toMatchObject({ failed: true, attributes: { 'error.type': expect.any(String) } })
    expect(receiver.resources[0]).toMatchObject({ 'service.name': 'fleet', 'service.version': expect.any(String) })
    expect(receiver.headers[0]).toBe('secret-7')
  })

  it('go on with the trace of whoever asked', async () => {
    await run({ traceparent: TRACE })
    const whole = await spanNamed('invoke_workflow work', '0af7651916cd43dd8448eb211c80319c')
    expect(whole.parentSpanId).toBe('b7ad6b7169203331')
    await spanNamed('execute_tool fs.write', '0af7651916cd43dd8448eb211c80319c')
  })

  it('tell calls of models, and their tokens and durations as metrics', async () => {
    await here.stop()
    const store = await openStore(here.database.urls, {
      clock: systemClock,
      roles: [],
      host: 'test',
      dataDirLocked: false,
      onLeaseLost: () => {},
      log: silentLogger(),
    } as never)
    const call = {
      call_id: uuidv7(),
      provider: 'main',
      provider_type: 'openai',
      class: 'cloud',
      model_asked: 'm-1',
      model_answered: 'm-1-2026',
      input_tokens: 12,
      output_tokens: 30,
      usage: 'reported',
      cost_usd: '0.01',
      latency_ms: 1500,
      agent: 'echo',
      task_id: uuidv7(),
      turn: 1,
      step: null,
      route: null,
      rule: null,
      complexity: 'low',
      place: 1,
      finish_reason: 'stop',
    }
    await transact(store, (tx) =>
      appendEvents(tx, store, [
        {
          event_id: uuidv7(),
          event_name: 'stateward.model.call.completed',
          occurred_at: new Date(),
          env_id: 'default',
          actor: 'agent:default/echo',
          correlation_id: uuidv7(),
          data: call,
        },
      ]),
    )
    await store.end()
    await here.start({}, { environment: environment() })
    const chat = await until('the call', () => receiver.spans.find(({ name }) => name === 'chat m-1') ?? null)
    expect(chat.end - chat.start).toBeCloseTo(1500, 0)
    expect(chat).toMatchObject({
      kind: 3,
      attributes: {
        'gen_ai.provider.name': 'openai',
        'gen_ai.response.model': 'm-1-2026',
        'gen_ai.usage.input_tokens': 12,
        'gen_ai.response.finish_reasons': ['stop'],
        'vcs.ref.head.revision': expect.any(String),
      },
    })
    const tokens = await until('the metrics', () => receiver.metrics.get('gen_ai.client.token.usage') ?? null)
    expect(tokens.map(({ sum, attributes }) => [attributes['gen_ai.token.type'], sum]).sort()).toEqual([
      ['input', 12],
      ['output', 30],
    ])
    expect(receiver.metrics.get('gen_ai.client.operation.duration')).toMatchObject([{ sum: 1.5 }])
  })

  it('wait for a collector that is away for a moment', async () => {
    receiver.status = 400
    const body = await run()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    receiver.status = 200
    await spanNamed('invoke_workflow work', traceIdOf(body.correlation_id))
  })

  it('go out as protobuf unless JSON is asked for', async () => {
    const types: string[] = []
    const collector = createServer((request, response) => {
      types.push(`${request.url} ${String(request.headers['content-type'])}`)
      request.resume().on('end', () => response.end())
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const exporter = await openOtlp(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url })!, '1')
    const [start, end] = [new Date(0), new Date(1)]
    const span = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      parentSpanId: null,
      name: 'x',
      start,
      end,
      error: null,
    }
    await exporter.export([{ ...span, kind: 'internal', attributes: { list: ['a'] } }])
    exporter.measure({ metric: 'gen_ai.client.token.usage', value: 1, attributes: {} })
    await exporter.close()
    expect(types).toEqual(['/v1/traces application/x-protobuf', '/v1/metrics application/x-protobuf'])
    collector.close()
  })

  it('that are off keep nothing of the log, and load nothing', async () => {
    await here.stop()
    await here.start()
    await until(
      'the consumer to be gone',
      async () => (await here.sql`SELECT 1 FROM consumers WHERE name = 'traces'`).length === 0,
    )
    const before = receiver.spans.length
    await run()
    expect(receiver.spans.length).toBe(before)
  })
})
