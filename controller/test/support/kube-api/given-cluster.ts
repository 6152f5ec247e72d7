import type { IncomingMessage, ServerResponse } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { delimiter } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { KubeConfig } from '@kubernetes/client-node'
import type { Json } from '../../../src/lib/json.ts'
import type { Asked } from './kube-api-server.ts'
import { kubeconfigOf } from './kube-api-server.ts'
import { LoopbackListener } from './loopback-listener.ts'
import { type Refusal, statusOf } from './refusal.ts'

/** The kubeconfig of a real cluster to hold tests against as well; null = none is given. */
export const GIVEN: string | null = process.env['KUBECONFIG'] || null

/**
 * The API server of a kubeconfig, seen through a proxy: what is asked is kept, answers can be refusals instead, and it can be
 * away. Whoever asks through it asks as the user of the kubeconfig.
 */
export class GivenApi {
  readonly asked: Asked[] = []
  /** Answers instead of the server where it returns a refusal. */
  disturb: (asked: Asked) => Refusal | null = () => null
  readonly #config = new KubeConfig()
  readonly #listener = new LoopbackListener((request, response) => void this.#serve(request, response))

  constructor(kubeconfig: string) {
    this.#config.loadFromFile(kubeconfig.split(delimiter)[0]!)
  }

  async start(): Promise<this> {
    await this.#listener.start()
    return this
  }

  /** To those who ask through it, as if it were killed. */
  stop(): Promise<void> {
    return this.#listener.stop()
  }

  /** Ends every connection that is open. */
  cut(): void {
    this.#listener.cut()
  }

  kubeconfig(): string {
    return kubeconfigOf(this.#listener.url, {})
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { server } = this.#config.getCurrentCluster()!
    const url = new URL(`${server.replace(/\/+$/, '')}${request.url ?? '/'}`)
    const { host: _host, connection: _connection, authorization: _authorization, ...headers } = request.headers
    const body = await buffer(request)
    const asked: Asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      client: headers['user-agent'] ?? '',
      body: body.byteLength === 0 ? null : (JSON.parse(body.toString('utf8')) as Json),
      contentType: (headers['content-type'] ?? 'application/json').split(';')[0]!,
    }
    this.asked.push(asked)
    const refusal = this.disturb(asked)
    if (refusal !== null) {
      response.writeHead(refusal.code, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify(statusOf(refusal)))
    }
    const options: RequestOptions = { method: asked.method, headers: {} }
    await this.#config.applyToHTTPSOptions(options)
    const sent = httpsRequest(url, { ...options, headers: { ...headers, ...options.headers } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    sent.once('error', () => response.destroy())
    response.once('close', () => sent.destroy())
    sent.end(body)
  }
}
