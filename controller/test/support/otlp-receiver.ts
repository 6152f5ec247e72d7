import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly start: number
  readonly end: number
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface OtlpReceiver {
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** Data points by metric. */
  readonly metrics: Map<string, { readonly sum: number; readonly attributes: Readonly<Record<string, unknown>> }[]>
  readonly headers: string[]
  readonly resources: Readonly<Record<string, unknown>>[]
  /** What it answers; 200 unless a test says otherwise. */
  status: number
  close(): Promise<void>
}

type Wire = { readonly [key: string]: unknown }
interface Attribute {
  readonly key: string
  readonly value: Wire
}

/** A collector that speaks OTLP over HTTP with JSON. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { resourceSpans?: Wire[]; resourceMetrics?: Wire[] }
    receiver.headers.push(String(request.headers['api-key']))
    if (receiver.status === 200) {
      for (const of of body.resourceSpans ?? []) takeSpans(of)
      for (const of of body.resourceMetrics ?? []) takeMetrics(of)
    }
    response.writeHead(receiver.status, { 'content-type': 'application/json' }).end('{}')
  })
  const takeSpans = (of: Wire): void => {
    receiver.resources.push(attributesOf((of['resource'] as { attributes: Attribute[] }).attributes))
    for (const { spans } of of['scopeSpans'] as { spans: Wire[] }[])
      for (const span of spans)
        receiver.spans.push({
          traceId: String(span['traceId']),
          spanId: String(span['spanId']),
          parentSpanId: String(span['parentSpanId'] ?? ''),
          name: String(span['name']),
          kind: Number(span['kind']),
          start: Number(span['startTimeUnixNano']) / 1e6,
          end: Number(span['endTimeUnixNano']) / 1e6,
          failed: (span['status'] as { code?: number }).code === 2,
          attributes: attributesOf(span['attributes'] as Attribute[]),
        })
  }
  const takeMetrics = (of: Wire): void => {
    for (const { metrics } of of['scopeMetrics'] as { metrics: Wire[] }[])
      for (const metric of metrics) {
        const { dataPoints } = metric['histogram'] as { dataPoints: { sum: number; attributes: Attribute[] }[] }
        receiver.metrics.set(
          String(metric['name']),
          dataPoints.map(({ sum, attributes }) => ({ sum, attributes: attributesOf(attributes) })),
        )
      }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    metrics: new Map(),
    headers: [],
    resources: [],
    status: 200,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return receiver
}

function attributesOf(list: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainOf(value)]))
}

function plainOf(value: Wire): unknown {
  if ('arrayValue' in value) return ((value['arrayValue'] as { values: Wire[] }).values ?? []).map(plainOf)
  const [found] = Object.values(value)
  return 'intValue' in value ? Number(found) : found
}
