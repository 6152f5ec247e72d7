import Type from 'typebox'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { ApiContext } from '../context.ts'
import { checkText } from '../http/text-check.ts'
import type { Api } from '../http/typed.ts'
import { errorResponses, NamespaceQuery, Uuid } from './schemas.ts'

/** Largest delivery, in bytes: what GitHub sends at most is larger, what people send in practice is not. */
const BODY_LIMIT = 1_048_576

const WebhookAccepted = Type.Object({ event_id: Uuid, event_name: Type.String(), correlation_id: Type.String() })

/** Deliveries of other systems. Their signature is over the bytes as they came, so here a body is not read by the server. */
export function addWebhookRoutes(app: Api, context: ApiContext): void {
  app.register(async (scope: Api) => {
    const parseJson = app.getDefaultJsonParser('error', 'error')
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
      done(null, body),
    )
    scope.post(
      '/api/v1/webhooks/:name',
      {
        config: { access: 'public' },
        bodyLimit: BODY_LIMIT,
        schema: {
          summary: 'Deliver to a webhook',
          params: Type.Object({ name: Type.String({ maxLength: 63 }) }),
          querystring: Type.Object(NamespaceQuery, { additionalProperties: false }),
          response: { 200: WebhookAccepted, 202: WebhookAccepted, ...errorResponses },
        },
      },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const content = (): Json => {
          const value = contentOf(body, request.headers['content-type'] ?? '', (text) => {
            let parsed: unknown = null
            parseJson(request, text, (error, result) => {
              if (error !== null) throw fail('SW_INVALID_JSON', 'the body is not JSON', { cause: error })
              parsed = result
            })
            return parsed as Json
          })
          checkText(value, 'body')
          return value
        }
        const { eventId, eventName, seq } = await context.services.webhooks.receive({
          namespace: request.query.namespace ?? 'default',
          name: request.params.name,
          headers: request.headers,
          body,
          content,
          correlationId: request.id,
        })
        if (seq !== null) context.nudge(seq)
        reply.code(seq === null ? 200 : 202)
        return { event_id: eventId, event_name: eventName, correlation_id: request.id }
      },
    )
  })
}

/** A body by its content type: JSON, a form as an object of texts, else text; null when it is empty. */
function contentOf(body: Buffer, contentType: string, parse: (text: string) => Json): Json {
  if (body.length === 0) return null
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    throw fail('SW_INVALID_TEXT', 'the body is not UTF-8', { cause: error })
  }
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return parse(text)
  if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text))
  return text
}
