import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { type Authenticator, NOBODY } from '../auth/authenticate.ts'
import { authorize } from '../auth/authorize.ts'
import { checkText } from './text-check.ts'
import { checkHost, type TrustedHosts } from './trusted-host.ts'
import type { Api } from './typed.ts'
import './request-context.ts'

/** The id that ties a request to everything it caused: the caller's own when it is a plain word, else a new one. */
export function correlationIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(header) ? header : uuidv7()
}

/**
 * What every request passes, in this order: its correlation id is given back, its host is ours, its credential is read,
 * the route's access is checked (all before the body is read), then text the database cannot hold is refused.
 */
export function addRequestHooks(
  app: Api,
  options: {
    readonly trusted: TrustedHosts
    readonly authenticator: Authenticator
    readonly metrics: Metrics
    readonly log: Logger
    /** False until this process knows the accepted state: what it answered before would leave things out. */
    readonly loaded: () => boolean
  },
): void {
  app.decorateRequest('principal')
  app.decorateReply('isStream', false)
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined)
      throw new TypeError(`route ${String(route.method)} ${route.url} does not say who may call it`)
  })
  app.addHook('onRequest', async (request, reply) => {
    request.principal = NOBODY
    reply.header('x-correlation-id', request.id)
    checkHost(request.headers, options.trusted)
    const access = request.routeOptions.config?.access
    // No route: the answer is 404 or 405 for everybody.
    if (access === undefined || access === 'public') return
    request.principal = await options.authenticator.authenticate(request.headers)
    authorize(request.principal, access)
    // An agent's daemon goes on while the controller starts: its tasks and its instance are rows.
    if (access !== 'agent.work' && !options.loaded())
      throw fail('SW_NOT_READY', 'Stateward is starting and does not know the accepted state yet')
  })
  app.addHook('preValidation', async (request: FastifyRequest) => {
    checkText(request.params, 'params')
    checkText(request.query, 'querystring')
    // Bytes that are handed on as they come are no text.
    if (!(request.body instanceof Readable)) checkText(request.body, 'body')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? '(none)'
    const seconds = reply.elapsedTime / 1000
    if (!reply.isStream) options.metrics.stateward.httpAnswered(request.method, route, reply.statusCode, seconds)
    const fields = {
      correlation_id: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      principal: request.principal?.name,
      seconds,
    }
    options.log.debug(fields, 'answered')
  })
}
