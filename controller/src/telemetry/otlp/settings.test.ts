import { describe, expect, it } from 'vitest'
import { otlpSettings } from './settings.ts'

describe('OTEL_* variables', () => {
  it('turn nothing on unless an endpoint is named', () => {
    expect(otlpSettings({})).toBeNull()
    expect(otlpSettings({ OTEL_SERVICE_NAME: 'x' })).toBeNull()
    const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }
    expect(otlpSettings({ ...all, OTEL_SDK_DISABLED: 'true' })).toBeNull()
    expect(otlpSettings({ ...all, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' })).toBeNull()
  })

  it('have the meaning they have elsewhere', () => {
    const settings = otlpSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b,x=1',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m/own',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,service.name=fleet',
    })
    const headers = { 'api-key': 'a b', x: '1' }
    expect(settings).toMatchObject({
      traces: { url: 'http://c:4318/v1/traces', headers, timeoutMs: 500, protocol: 'http/protobuf' },
      metrics: { url: 'http://m/own', protocol: 'http/json' },
      serviceName: 'fleet',
      resource: { 'deployment.environment': 'prod' },
    })
  })

  it('that ask for what there is not are refused', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }
    expect(() => otlpSettings({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toThrow(RangeError)
    expect(() => otlpSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' })).toThrow(RangeError)
  })
})
