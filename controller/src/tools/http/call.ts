import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { traceparentOf } from '../../lib/trace-context.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { readBody, responseOutput } from './response.ts'
import { type Outgoing, sendWithin } from './send.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** RFC 9110 §9.2.2: repeating them has the effect of doing them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
const DEFAULT_MAX_BYTES = 512 * 1024
const MAX_REDIRECTS = 5

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    method: { enum: METHODS, description: 'Default: GET.' },
    url: { type: 'string', pattern: '^[Hh][Tt][Tt][Pp][Ss]?://', maxLength: 8192, description: 'http or https.' },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'A header whose value is a secret is written `<name>_ref: <path of the secret>`.',
    },
    bearer_ref: {
      type: ['string', 'object'],
      description: 'The secret that is sent as `Authorization: Bearer …`: its path, or {name, key}.',
    },
    body: { description: 'A text is sent as it is, anything else as JSON.' },
    maxRedirects: { type: 'integer', minimum: 0, maximum: 10, description: 'Default: 5.' },
    maxBytes: { type: 'integer', minimum: 1, maximum: 786432, description: 'Of the response. Default: 524288.' },
    okStatus: {
      type: 'array',
      items: { type: 'integer', minimum: 100, maximum: 599 },
      description: 'Statuses from 400 on that are no failure.',
    },
  },
}

const outputSchema: JsonObject = {
  type: 'object',
  required: ['status', 'headers', 'body'],
  properties: {
    status: { type: 'integer' },
    headers: { type: 'object' },
    body: { type: 'string' },
    encoding: { const: 'base64' },
    json: {},
  },
}

export interface Parameters {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** In the place of `bearer_ref`. */
  readonly bearer?: string
  readonly body?: Json
  readonly maxRedirects?: number
  readonly maxBytes?: number
  readonly okStatus?: readonly number[]
}

type Request = Outgoing

/** Where a request ends, and whom it is for: whoever chooses these puts a second request into the first, or reaches another host. */
const OF_THE_CONNECTION =
  /^(host|connection|content-length|transfer-encoding|upgrade|expect|te|trailer|keep-alive|proxy-.*)$/i

function requestOf(parameters: Parameters, { operationId, correlationId }: Invocation): Request {
  const method = parameters.method ?? 'GET'
  const own = Object.keys(parameters.headers ?? {}).find((name) => OF_THE_CONNECTION.test(name))
  if (own !== undefined)
    throw fail('SW_VALIDATION_FAILED', `the header ${own} follows from the address and the body`, {
      remedy: `leave ${own} out`,
    })
  const headers = new Headers({ 'user-agent': 'stateward', ...parameters.headers })
  const { body, bearer } = parameters
  if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`)
  if (body !== undefined && body !== null && (method === 'GET' || method === 'HEAD')) {
    throw fail('SW_VALIDATION_FAILED', `a ${method} request has no body`, {
      remedy: 'remove body, or choose another method',
    })
  }
  if (body !== undefined && body !== null && typeof body !== 'string' && !headers.has('content-type')) {
    headers.set('content-type', 'application/json')
  }
  if (!headers.has('traceparent')) headers.set('traceparent', traceparentOf(correlationId, operationId))
  // A server that knows the header recognises a repeated call.
  if (!IDEMPOTENT.has(method) && !headers.has('idempotency-key')) headers.set('idempotency-key', operationId)
  const text = body === undefined || body === null ? null : typeof body === 'string' ? body : JSON.stringify(body)
  return { url: urlOf(parameters.url), method, headers, body: text }
}

function urlOf(text: string, base?: URL): URL {
  const url = base === undefined ? URL.parse(text) : URL.parse(text, base.href)
  if (url === null) throw fail('SW_VALIDATION_FAILED', `${JSON.stringify(text)} is not a URL`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw fail('SW_TOOL_FAILED', `${url.protocol} is not allowed, only http and https`, {
      remedy: 'use an http or https address',
    })
  }
  return url
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** What says nothing of whoever asks: any other header may be a credential, and stays with its origin. */
const OF_ANY_ORIGIN = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'content-type', 'content-length'],
  ...['idempotency-key', 'traceparent', 'user-agent'],
])

/** The request a redirect asks for, as browsers do it: credentials stay with their origin. */
function redirected(request: Request, response: Response, location: string): Request {
  const url = urlOf(location, request.url)
  const headers = new Headers(request.headers)
  if (url.origin !== request.url.origin)
    for (const name of [...headers.keys()]) if (!OF_ANY_ORIGIN.has(name)) headers.delete(name)
  const becomesGet =
    (response.status === 303 && request.method !== 'HEAD') || (response.status < 303 && request.method === 'POST')
  if (!becomesGet) return { ...request, url, headers }
  for (const name of ['content-type', 'content-length', 'idempotency-key']) headers.delete(name)
  return { url, method: 'GET', headers, body: null }
}

async function send(request: Request, { signal, reach }: Invocation, declared: string | null): Promise<Response> {
  const { url, method } = request
  try {
    // An address that a commit declares may be a private one, also for agents; what the environment lets out is asked all the same.
    const within = url.origin === declared ? { ...reach, byAgent: false } : reach
    return await sendWithin(within, request, signal)
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof StatewardError) throw cause
    const reason = cause instanceof AggregateError ? cause.errors.map(errorMessage).join('; ') : errorMessage(cause)
    throw fail('SW_TOOL_FAILED', `${method} ${url.origin}${url.pathname} failed: ${reason}`, {
      cause,
      remedy: 'check the address and that the server answers',
      // A request that was sent may have had its effect, though nobody answered.
      details: { retryable: IDEMPOTENT.has(method) || neverSent(cause) },
    })
  }
}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** True when there was no connection to send anything on. */
function neverSent(error: unknown): boolean {
  const causes = error instanceof AggregateError ? error.errors : [error instanceof Error ? error.cause : undefined]
  if (error instanceof Error && 'code' in error && NEVER_SENT.has(String(error.code))) return true
  return causes.length > 0 && causes.every((cause) => cause !== undefined && neverSent(cause))
}

/** Statuses that say the request was not carried out, or, where repeating does no harm, that another try may help. */
function isRetryableStatus(status: number, method: string): boolean {
  if (status === 408 || status === 429 || status === 503) return true
  return status >= 500 && IDEMPOTENT.has(method)
}

async function run(call: Invocation): Promise<Json> {
  return exchange(call, call.parameters as unknown as Parameters, null)
}

/** One request and its redirects; `declared`: the origin that a Tool names, null = the caller chose the address. */
export async function exchange(call: Invocation, parameters: Parameters, declared: string | null): Promise<JsonObject> {
  const maxRedirects = parameters.maxRedirects ?? MAX_REDIRECTS
  let request = requestOf(parameters, call)
  for (let redirects = 0; ; redirects++) {
    const response = await send(request, call, declared)
    call.log(`${request.method} ${request.url.origin}${request.url.pathname} → ${response.status}`)
    const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null
    if (location === null || maxRedirects === 0) return await result(response, parameters, request.method, call.signal)
    await response.body?.cancel()
    if (redirects === maxRedirects)
      throw fail('SW_TOOL_FAILED', `${parameters.url} redirects more than ${maxRedirects} times`)
    request = redirected(request, response, location)
  }
}

async function result(
  response: Response,
  parameters: Parameters,
  method: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  let bytes: Buffer
  try {
    bytes = await readBody(response, parameters.url, parameters.maxBytes ?? DEFAULT_MAX_BYTES)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  const output = responseOutput(response, bytes)
  if (response.status < 400 || parameters.okStatus?.includes(response.status) === true) return output
  const { status } = response
  throw fail('SW_TOOL_FAILED', `the server answered ${status}: ${String(output['body']).slice(0, 1024)}`, {
    remedy: 'correct the request, or list the status in okStatus when it is an answer you expect',
    details: { status, retryable: isRetryableStatus(status, method) },
  })
}

export const httpCall: BuiltinTool = {
  name: 'http.call',
  aliases: ['http_call', 'net.http_request'],
  description: 'Sends one HTTP request. A status of 400 or more is a failure unless okStatus lists it.',
  inputSchema,
  outputSchema,
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: false,
  idempotentFor: (parameters) => IDEMPOTENT.has(String(parameters['method'] ?? 'GET')),
  outbound: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 500 },
  timeout: '60s',
  run,
}
