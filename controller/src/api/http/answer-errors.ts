import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import type { StatewardError } from '../../lib/errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { statusOf } from '../kube/status.ts'
import { wireErrorBody } from '../wire/wire-error.ts'
import { errorBody, toStatewardError } from './error-reply.ts'
import type { KnownRoutes } from './known-routes.ts'
import type { Api } from './typed.ts'

/** Gives every failure its shape: the one error shape, or metav1.Status under `/kube`. */
export function addErrorAnswers(
  app: Api,
  options: {
    readonly log: Logger
    readonly routes: KnownRoutes
    /** Where a client finds out how to get a credential for what it asked; null: nowhere. Default: nowhere. */
    readonly resourceMetadata?: (request: FastifyRequest) => string | null
  },
): void {
  const answer = (request: FastifyRequest, reply: FastifyReply, error: StatewardError): FastifyReply =>
    answerWith(request, reply, error, options.resourceMetadata?.(request) ?? null)
  app.setErrorHandler((thrown, request, reply) => {
    const error = toStatewardError(thrown)
    const fields = { correlation_id: request.id, method: request.method, route: request.routeOptions.url }
    // Whoever comes while the process starts comes again: that is no failure.
    if (error.ref === 'SW_NOT_READY') options.log.info({ ...fields, reason: error.message }, 'a request came too early')
    else if (error.status >= 500) options.log.error({ err: thrown, ...fields }, 'a request failed')
    return answer(request, reply, error)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    const methods = options.routes.methodsOf(path)
    if (methods.length === 0) {
      return answer(
        request,
        reply,
        fail('SW_NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`, { remedy: 'check the path' }),
      )
    }
    reply.header('allow', methods.join(', '))
    return answer(
      request,
      reply,
      fail('SW_METHOD_NOT_ALLOWED', `${request.method} is not possible here, only ${methods.join(', ')}`),
    )
  })
}

function answerWith(
  request: FastifyRequest,
  reply: FastifyReply,
  error: StatewardError,
  metadata: string | null,
): FastifyReply {
  // Git asks for a name and a password, and for nothing else.
  const scheme = request.url.startsWith('/git/') ? 'Basic' : 'Bearer'
  const more = metadata === null ? '' : `, resource_metadata="${metadata}"`
  if (error.status === 401) reply.header('www-authenticate', `${scheme} realm="stateward"${more}`)
  if (error.status === 429) reply.header('retry-after', String(error.details['retry_after_seconds'] ?? 1))
  reply.header('x-correlation-id', request.id)
  if (request.url.startsWith('/v1/')) return reply.code(error.status).send(wireErrorBody(error, request.id))
  if (request.url !== '/kube' && !request.url.startsWith('/kube/'))
    return reply.code(error.status).send(errorBody(error, request.id))
  const status = statusOf(error)
  return reply.code(status.code).send(status)
}
