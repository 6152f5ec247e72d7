import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { CARRIED, type WireFormat } from '../../models/wire/question.ts'
import type { ApiContext } from '../context.ts'
import { toStatewardError } from '../http/error-reply.ts'
import { callerOf } from '../http/request-context.ts'
import { requestSignal } from '../http/request-signal.ts'
import type { Api } from '../http/typed.ts'
import { brokenOff } from './wire-error.ts'

/** Conversations with files in them are long: as much as Anthropic takes. */
const BODY_LIMIT = 33_554_432
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

const PATHS: Readonly<Record<string, WireFormat>> = {
  '/v1/messages': 'messages',
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
}

/**
 * Models where the clients of OpenAI and Anthropic look for them, with a token of ours in the place of the provider's key. Bodies
 * and answers are those of the providers: they are described there.
 */
export function addWireRoutes(app: Api, context: ApiContext): void {
  const { modelWire } = context.services
  for (const [url, format] of Object.entries(PATHS))
    app.route({
      method: 'POST',
      url,
      bodyLimit: BODY_LIMIT,
      config: { access: 'models.speak', operation: `models.${format}` },
      handler: (request, reply) => answer(request, reply, format, context),
    })
  app.route({
    method: 'POST',
    url: '/v1/messages/count_tokens',
    bodyLimit: BODY_LIMIT,
    config: { access: 'models.speak', operation: 'models.countTokens' },
    handler: async ({ body }) => ({ input_tokens: modelWire.countTokens('messages', bodyOf(body)) }),
  })
  app.route({
    method: 'GET',
    url: '/v1/models',
    config: { access: 'models.speak', operation: 'models.list' },
    handler: async () => {
      const data = modelWire.models().map(({ name, provider }) => ({
        ...{ id: name, object: 'model', type: 'model', display_name: name, owned_by: provider },
        ...{ created: 0, created_at: '1970-01-01T00:00:00Z' },
      }))
      return { object: 'list', data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
    },
  })
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  format: WireFormat,
  { services, stopping }: ApiContext,
): Promise<unknown> {
  const body = bodyOf(request.body)
  const { principal, url, headers } = request
  const instance = principal.type === 'agent' ? { id: principal.instanceId, agent: principal.agent } : null
  const out = new PassThrough()
  let isOpen = false
  const write = (chunk: string): void => {
    if (!isOpen) {
      isOpen = true
      reply.isStream = true
      reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      reply.send(out)
    }
    out.write(chunk)
  }
  try {
    const made = await services.modelWire.ask(
      {
        format,
        body,
        query: url.includes('?') ? url.slice(url.indexOf('?')) : '',
        headers: carried(headers),
        stream: body['stream'] === true ? { write } : null,
        namespace: principal.type === 'agent' ? principal.namespace : namespaceOf(headers['x-stateward-namespace']),
        instance,
        signal: requestSignal(reply, stopping),
      },
      callerOf(request),
    )
    if (made.kind === 'streamed') out.end()
    else if (made.kind === 'whole') return made.body
    else return reply.code(made.status).type('application/json').send(made.body)
  } catch (error) {
    if (!isOpen) throw error
    out.end(brokenOff(format, toStatewardError(error), request.id))
  }
  return reply
}

function bodyOf(body: unknown): JsonObject {
  if (!isObject(body)) throw fail('SW_INVALID_JSON', 'the body is no JSON object')
  return body as JsonObject
}

function namespaceOf(header: string | string[] | undefined): string {
  if (header === undefined) return 'default'
  if (typeof header !== 'string' || !NAMESPACE.test(header))
    throw fail('SW_BAD_REQUEST', 'X-Stateward-Namespace is not the name of a namespace')
  return header
}

function carried(headers: FastifyRequest['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      CARRIED.test(name) && typeof value === 'string' ? [[name, value]] : [],
    ),
  )
}
