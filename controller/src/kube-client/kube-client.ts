import type { IncomingMessage } from 'node:http'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent, type AgentOptions, request as httpsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import type { ApiType, KubeConfig } from '@kubernetes/client-node'
import { canonicalJson } from '../lib/digest.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Json } from '../lib/json.ts'
import { errorOfAnswer, KubeError } from './kube-error.ts'

const DEFAULT_TIMEOUT_MS = 30_000
/** A server that says more about what went wrong is not read on. */
const MAX_ERROR_BYTES = 64 * 1024
const KEEP_ALIVE_MS = 30_000

export type ContentType =
  | 'application/json'
  | 'application/merge-patch+json'
  | 'application/json-patch+json'
  /** Server-side apply; the body is JSON all the same. */
  | 'application/apply-patch+yaml'

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root of the server, encoded: `/apis/stateward.dev/v1alpha1/agents`. */
  readonly path: string
  /** Parameters without a value (undefined) are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: Json
  /** Of the body; default `application/json`. */
  readonly contentType?: ContentType
  readonly signal?: AbortSignal
  /** To the whole answer, of a stream to its head. Default 30 s. */
  readonly timeoutMs?: number
}

/** A connection to the API server of a cluster. Every failure throws a {@link KubeError}. */
export interface KubeClient {
  /** The address, for people. */
  readonly server: string
  /** The namespace of the pod or of the context; `default` when neither says. */
  readonly namespace: string
  /** One request with a JSON answer. */
  request(request: KubeRequest): Promise<unknown>
  /** The body as it comes (a watch, a log); whoever asked destroys it. Nothing is said of it for `timeoutMs` at most until its head is there. */
  stream(request: KubeRequest): Promise<IncomingMessage>
  /** A typed API of the library, with its own errors (`ApiException`). */
  api<T extends ApiType>(type: Parameters<KubeConfig['makeApiClient']>[0] & (new (...given: never[]) => T)): T
  /** Ends connections that are kept open. */
  close(): void
}

/** A client of what a loaded kubeconfig names. Its credentials (certificates, tokens of files, programs) are looked up at each request. */
export function kubeClient(config: KubeConfig): KubeClient {
  const server = config.getCurrentCluster()?.server ?? ''
  const context = config.getContextObject(config.getCurrentContext())
  let agent: { readonly key: string; readonly agent: Agent | HttpAgent } | null = null

  /** The library makes an agent for every request: one that keeps its connections takes its place. */
  const kept = (made: unknown): RequestOptions['agent'] => {
    if (!(made instanceof HttpAgent)) return made as RequestOptions['agent']
    if (made.constructor !== Agent && made.constructor !== HttpAgent) return made as Agent
    const { options } = made as unknown as { readonly options: AgentOptions }
    const key = canonicalJson(JSON.parse(JSON.stringify(options)) as Json)
    if (agent?.key !== key) {
      agent?.agent.destroy()
      const keeping = { ...options, keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS }
      agent = { key, agent: made.constructor === Agent ? new Agent(keeping) : new HttpAgent(keeping) }
    }
    return agent.agent as Agent
  }

  const open = async (request: KubeRequest): Promise<IncomingMessage> => {
    const url = urlOf(server, request)
    const options: RequestOptions = { method: request.method ?? 'GET', headers: {} }
    await config.applyToHTTPSOptions(options)
    const body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body))
    const made = {
      ...options,
      agent: kept(options.agent),
      headers: {
        ...options.headers,
        accept: 'application/json',
        'user-agent': 'stateward',
        ...(body === null
          ? {}
          : { 'content-type': request.contentType ?? 'application/json', 'content-length': String(body.byteLength) }),
      },
    }
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, made, resolve)
      sent.on('error', reject)
      sent.end(body ?? undefined)
      const end = () => sent.destroy(new Error('ended by the client'))
      if (request.signal?.aborted === true) end()
      request.signal?.addEventListener('abort', end, { once: true })
      sent.once('close', () => request.signal?.removeEventListener('abort', end))
    })
  }

  const stream = async (request: KubeRequest): Promise<IncomingMessage> => {
    const what = `${request.method ?? 'GET'} ${request.path}`
    const timer = new AbortController()
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const timeout = setTimeout(() => timer.abort(), timeoutMs)
    const signal = request.signal === undefined ? timer.signal : AbortSignal.any([request.signal, timer.signal])
    try {
      const answer = await open({ ...request, signal })
      const status = answer.statusCode ?? 0
      if (status >= 200 && status < 300) return answer
      throw errorOfAnswer(status, answer.headers, jsonOf(await firstBytes(answer)), what)
    } catch (error) {
      if (error instanceof KubeError) throw error
      const why = timer.signal.aborted ? `no answer within ${timeoutMs} ms` : errorMessage(error)
      throw new KubeError({ status: 0 }, `${what} at ${server}: ${why}`, { cause: error })
    } finally {
      clearTimeout(timeout)
    }
  }

  return {
    server,
    namespace: context?.namespace ?? 'default',
    stream,
    async request(request) {
      const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS
      const signals = [AbortSignal.timeout(timeoutMs), ...(request.signal === undefined ? [] : [request.signal])]
      const answer = await stream({ ...request, signal: AbortSignal.any(signals) })
      try {
        return JSON.parse(await text(answer)) as unknown
      } catch (error) {
        const what = `${request.method ?? 'GET'} ${request.path} at ${server}`
        throw new KubeError({ status: 0 }, `${what}: its answer cannot be read: ${errorMessage(error)}`, {
          cause: error,
        })
      }
    },
    api: (type) => config.makeApiClient(type as never),
    close() {
      agent?.agent.destroy()
      agent = null
    },
  }
}

function urlOf(server: string, { path, query }: KubeRequest): URL {
  const url = new URL(`${server.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

async function firstBytes(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.byteLength
    if (bytes > MAX_ERROR_BYTES) break
  }
  answer.destroy()
  return Buffer.concat(parts).toString('utf8')
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return null
  }
}
