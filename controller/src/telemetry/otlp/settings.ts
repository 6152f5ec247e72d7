/** Where traces and metrics go, by the variables that every OpenTelemetry program reads. */
export interface OtlpSettings {
  readonly traces: OtlpTarget | null
  readonly metrics: OtlpTarget | null
  readonly serviceName: string
  /** Of OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource: Readonly<Record<string, string>>
  readonly metricIntervalMs: number
}

export interface OtlpTarget {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly protocol: 'http/protobuf' | 'http/json'
}

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Null unless OTEL_EXPORTER_OTLP_ENDPOINT, or that of a signal, is set; OTEL_SDK_DISABLED=true turns all of it off,
 * OTEL_TRACES_EXPORTER=none and OTEL_METRICS_EXPORTER=none one of them. Throws RangeError for a protocol or an exporter that
 * there is not.
 */
export function otlpSettings(env: Variables): OtlpSettings | null {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null
  const [traces, metrics] = [targetOf(env, 'TRACES'), targetOf(env, 'METRICS')]
  if (traces === null && metrics === null) return null
  const resource = pairs(env['OTEL_RESOURCE_ATTRIBUTES'])
  return {
    traces,
    metrics,
    serviceName: env['OTEL_SERVICE_NAME'] || resource['service.name'] || 'stateward',
    resource,
    metricIntervalMs: milliseconds(env['OTEL_METRIC_EXPORT_INTERVAL'], 60_000),
  }
}

function targetOf(env: Variables, signal: 'TRACES' | 'METRICS'): OtlpTarget | null {
  const exporter = env[`OTEL_${signal}_EXPORTER`] || 'otlp'
  if (exporter === 'none') return null
  if (exporter !== 'otlp') throw new RangeError(`OTEL_${signal}_EXPORTER is ${exporter}; there is otlp, and none`)
  const of = (name: string) => env[`OTEL_EXPORTER_OTLP_${signal}_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`]
  const own = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  // An address of a signal is taken as it is; of the one for all, each signal has its path.
  const url = own || (base ? `${base.replace(/\/+$/, '')}/v1/${signal.toLowerCase()}` : undefined)
  if (url === undefined) return null
  const protocol = of('PROTOCOL') || 'http/protobuf'
  if (protocol !== 'http/protobuf' && protocol !== 'http/json')
    throw new RangeError(`OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}; there is http/protobuf, and http/json`)
  return { url, headers: pairs(of('HEADERS')), timeoutMs: milliseconds(of('TIMEOUT'), 10_000), protocol }
}

function milliseconds(text: string | undefined, otherwise: number): number {
  const value = Number(text)
  return text === undefined || text === '' || !Number.isFinite(value) || value <= 0 ? otherwise : value
}

/** `a=1,b=two%20words`. */
function pairs(text = ''): Record<string, string> {
  const found = text.split(',').flatMap((part) => {
    const at = part.indexOf('=')
    return at < 1 ? [] : [[part.slice(0, at).trim(), decoded(part.slice(at + 1).trim())] as const]
  })
  return Object.fromEntries(found)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
