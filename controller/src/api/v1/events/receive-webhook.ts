import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import type { Json } from '../../../lib/json.ts'
import { parseJsonText } from '../../http/json-body.ts'
import { route } from '../../http/route.ts'
import { checkText } from '../../http/text-check.ts'
import { SAMPLE } from '../samples.ts'
import { media, NamespaceQuery, only, Uuid } from '../schemas.ts'

/** What GitHub sends at most is larger, what people send in practice is not. */
const BODY_LIMIT = 1_048_576

const WebhookAccepted = Type.Object(
  { event_id: Uuid, event_name: Type.String(), correlation_id: Type.String() },
  { title: 'WebhookAccepted' },
)

export const receiveWebhook = route({
  operation: 'receiveWebhook',
  method: 'POST',
  path: '/api/v1/webhooks/{name}',
  tag: 'events',
  access: 'public',
  summary: 'Deliver to a webhook',
  description:
    'A delivery of another system becomes an event when its signature is right. 202 when it is new, 200 when it had come before. The body may be JSON, a form or text.',
  // The signature is over the bytes as they came.
  takes: 'bytes',
  bodyLimit: BODY_LIMIT,
  idempotency: false,
  params: Type.Object({ name: Type.String({ maxLength: 63 }) }),
  query: only(NamespaceQuery),
  body: media('*/*', 'the delivery'),
  answers: { 200: WebhookAccepted, 202: WebhookAccepted },
  example: {
    params: { name: 'checkmk' },
    body: '{"host":"web-1","service":"nginx","state":"CRIT"}',
    answer: { event_id: SAMPLE.event, event_name: 'checkmk.alert', correlation_id: SAMPLE.correlation },
  },
  async answer({ params, query, headers, body: sent, status, correlationId }, { services, nudge }) {
    const bytes: unknown = sent
    const body = Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
    const content = (): Json => {
      const value = contentOf(body, headers['content-type'] ?? '')
      checkText(value, 'body')
      return value
    }
    const { eventId, eventName, seq } = await services.webhooks.receive({
      namespace: query.namespace ?? 'default',
      name: params.name,
      headers,
      body,
      content,
      correlationId,
    })
    if (seq !== null) nudge(seq)
    status(seq === null ? 200 : 202)
    return { event_id: eventId, event_name: eventName, correlation_id: correlationId }
  },
})

/** A body by its content type: JSON, a form as an object of texts, else text; null when it is empty. */
function contentOf(body: Buffer, contentType: string): Json {
  if (body.length === 0) return null
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    throw fail('SW_INVALID_TEXT', 'the body is not UTF-8', { cause: error })
  }
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return parseJsonText(text)
  if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text))
  return text
}
