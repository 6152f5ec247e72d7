import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Time } from '../schemas.ts'

export const createPageLink = route({
  operation: 'createPageLink',
  method: 'POST',
  path: '/api/v1/page-links',
  tag: 'access',
  access: 'read',
  summary: 'Make a link that signs a browser in to the page',
  description:
    'It works once, for five minutes. The cookie it sets lasts twelve hours and only reads, as much as the caller may read.',
  // The answer is a credential, and answers that can be given again are stored.
  idempotency: false,
  answers: {
    201: Type.Object(
      {
        path: Type.String({ description: 'to be opened at the address of this server' }),
        expires_at: Time,
        correlation_id: Type.String(),
      },
      { title: 'PageLink' },
    ),
  },
  example: {
    answer: { path: '/ui/sign-in/swl_3fT9…', expires_at: SAMPLE.later, correlation_id: SAMPLE.correlation },
  },
  async transact(tx, { principal, caller, correlationId, committed }, { pageSessions, nudge }) {
    if (principal.type === 'anonymous')
      throw fail('SW_UNAUTHENTICATED', 'nobody is asking, so nobody can be signed in', {
        remedy: 'open /ui/: without --auth, whoever reaches it may read',
      })
    const { token, expiresAt, seq } = await pageSessions.createLink(tx, principal, caller)
    committed(() => nudge(seq))
    return { path: `/ui/sign-in/${token}`, expires_at: expiresAt.toISOString(), correlation_id: correlationId }
  },
})
