import type { Histogram } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { OtlpSettings, OtlpTarget } from './settings.ts'
import type { Measurement, Span } from './span.ts'

export interface OtlpExporter {
  /** Rejects when they could not be delivered. */
  export(spans: readonly Span[]): Promise<void>
  measure(measurement: Measurement): void
  /** Sends what is still here. */
  close(): Promise<void>
}

/** Buckets as the semantic conventions for generative AI advise. */
const BUCKETS = {
  'gen_ai.client.operation.duration': [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
  ],
  'gen_ai.client.token.usage': [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
  ],
} as const
const UNITS = { 'gen_ai.client.operation.duration': 's', 'gen_ai.client.token.usage': '{token}' } as const
const SCOPE = 'stateward'

/** Speaks OTLP. The SDK is loaded here and nowhere else: without this call nothing of it is. */
export async function openOtlp(settings: OtlpSettings, version: string): Promise<OtlpExporter> {
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const resource = resourceFromAttributes({
    ...settings.resource,
    'service.name': settings.serviceName,
    'service.version': version,
  })
  const spans = settings.traces === null ? null : await spanExporter(settings.traces)
  const metrics = settings.metrics === null ? null : await meters(settings.metrics, settings, resource, version)
  const scope = { name: SCOPE, version }
  return {
    async export(list) {
      if (spans === null || list.length === 0) return
      await new Promise<void>((resolve, reject) => {
        spans.export(
          list.map((span) => readable(span, { resource, instrumentationScope: scope })),
          ({ code, error }) => (code === 0 ? resolve() : reject(error ?? new Error('the collector refused the spans'))),
        )
      })
    },
    measure({ metric, value, attributes }) {
      metrics?.histograms[metric].record(value, { ...attributes })
    },
    async close() {
      await metrics?.close()
      await spans?.shutdown()
    },
  }
}

async function spanExporter({ url, headers, timeoutMs: timeoutMillis, protocol }: OtlpTarget): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis })
}

async function meters(
  { url, headers, timeoutMs: timeoutMillis, protocol }: OtlpTarget,
  { metricIntervalMs }: OtlpSettings,
  resource: ReadableSpan['resource'],
  version: string,
) {
  const { MeterProvider, PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics')
  const { OTLPMetricExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto')
  const exporter = new OTLPMetricExporter({ url, headers: { ...headers }, timeoutMillis })
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(timeoutMillis, metricIntervalMs),
  })
  const provider = new MeterProvider({ resource, readers: [reader] })
  const meter = provider.getMeter(SCOPE, version)
  const histogram = (metric: keyof typeof BUCKETS): Histogram =>
    meter.createHistogram(metric, {
      unit: UNITS[metric],
      advice: { explicitBucketBoundaries: [...BUCKETS[metric]] },
    })
  return {
    histograms: {
      'gen_ai.client.operation.duration': histogram('gen_ai.client.operation.duration'),
      'gen_ai.client.token.usage': histogram('gen_ai.client.token.usage'),
    },
    close: () => provider.shutdown(),
  }
}

const KINDS = { internal: 0, client: 2 } as const
const SAMPLED = 1
const FAILED = 2
const UNSET = 0

function readable(span: Span, common: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>): ReadableSpan {
  const { traceId, spanId, parentSpanId, name, kind, start, end, error, attributes } = span
  const [from, to] = [start.getTime(), Math.max(start.getTime(), end.getTime())]
  return {
    ...common,
    name,
    kind: KINDS[kind],
    spanContext: () => ({ traceId, spanId, traceFlags: SAMPLED }),
    ...(parentSpanId === null ? {} : { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: SAMPLED } }),
    startTime: hrTime(from),
    endTime: hrTime(to),
    duration: hrTime(to - from),
    ended: true,
    status: error === null ? { code: UNSET } : { code: FAILED, message: error.message },
    attributes: {
      ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, plain(value)])),
      ...(error === null ? {} : { 'error.type': error.type }),
    },
    links: [],
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function plain(value: Span['attributes'][string]): string | number | boolean | string[] {
  return typeof value === 'object' ? [...value] : value
}

function hrTime(ms: number): [seconds: number, nanos: number] {
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000]
}
