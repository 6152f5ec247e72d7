import Type from 'typebox'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { media } from '../schemas.ts'

/** What GitHub sends at most is 25 MB; what concerns a pull request is far smaller. */
const BODY_LIMIT = 5 * 1024 * 1024

export const receiveForgeWebhook = route({
  operation: 'receiveForgeWebhook',
  method: 'POST',
  path: '/api/v1/forge/webhook',
  tag: 'proposals',
  access: 'public',
  summary: 'Take a webhook of the forge',
  description:
    'Of the configured forge, with its signature (`X-Hub-Signature-256`): a review is a word about what is asked, a merge is an approval by whoever merged, closing a pull request rejects its proposal, a push has the branches looked at. The same delivery again changes nothing.',
  takes: 'bytes',
  bodyLimit: BODY_LIMIT,
  idempotency: false,
  body: media('*/*', 'the delivery, as it was signed: JSON'),
  answers: {
    200: Type.Object({ done: Type.String(), correlation_id: Type.String() }, { title: 'ForgeWebhookTaken' }),
  },
  example: {
    body: '{"action":"submitted","review":{"state":"approved"}}',
    answer: { done: 'user:ada: approve let-sre-restart-k3q9zt', correlation_id: SAMPLE.correlation },
  },
  async answer({ headers, body: sent, correlationId }, { services }) {
    const bytes: unknown = sent
    const body = Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
    return { done: await services.forge.receive(headers, body, correlationId), correlation_id: correlationId }
  },
})
