/** A span as plain data: what made it knows nothing of OpenTelemetry's SDK. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  /** client: it waits for an answer from elsewhere. */
  readonly kind: 'internal' | 'client'
  readonly start: Date
  readonly end: Date
  /** Null: it ended well. */
  readonly error: { readonly type: string; readonly message: string } | null
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** One value of a histogram. */
export interface Measurement {
  readonly metric: 'gen_ai.client.operation.duration' | 'gen_ai.client.token.usage'
  readonly value: number
  readonly attributes: Readonly<Record<string, string>>
}
