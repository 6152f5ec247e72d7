import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { parseTraceparent } from '../../lib/trace-context.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { AccessLog, Asked } from '../auth/access-log.ts'
import { type Authenticator, NOBODY } from '../auth/authenticate.ts'
import { authorize } from '../auth/authorize.ts'
import { VERBS, type Verb } from '../auth/verbs.ts'
import { isOverUnixSocket } from './listeners.ts'
import type { RateLimiter } from './rate-limits.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { checkText } from './text-check.ts'
import { checkHost, type TrustedHosts } from './trusted-host.ts'
import type { Api } from './typed.ts'
import './request-context.ts'

/** Takes the secrets an agent was given out of what it sends; undefined when there are none. */
export type BodyRedactor = (agentUid: string, body: Json) => Promise<Json> | undefined

/**
 * The id that ties a request to everything it caused: the caller's own when it is a plain word, else the `traceparent` it
 * came with, so that its trace goes on here, else a new one.
 */
export function correlationIdOf({ 'x-correlation-id': own, traceparent }: IncomingHttpHeaders): string {
  if (typeof own === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(own)) return own
  return typeof traceparent === 'string' && parseTraceparent(traceparent) !== null ? traceparent : uuidv7()
}

/**
 * What every request passes, in this order: its correlation id is given back, its host is ours, it is counted, its credential is read,
 * the route's access is checked (all before the body is read), then text the database cannot hold and what does not fit
 * the schemas is refused. What is privileged is then written to the log, and only then done.
 */
export function addRequestHooks(
  app: Api,
  options: {
    readonly trusted: TrustedHosts
    readonly authenticator: Authenticator
    readonly accessLog: Pick<AccessLog, 'allowed' | 'denied'>
    readonly rateLimiter: RateLimiter
    readonly metrics: Metrics
    readonly log: Logger
    /** What an agent sends, without the secrets it was given; undefined = there is nothing to take out. */
    readonly redact?: BodyRedactor
    /** False until this process knows the accepted state: what it answered before would leave things out. */
    readonly loaded: () => boolean
  },
): void {
  app.decorateRequest('principal')
  app.decorateRequest('route')
  app.decorateReply('isStream', false)
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined)
      throw new TypeError(`route ${String(route.method)} ${route.url} does not say who may call it`)
  })
  const count = async (request: FastifyRequest): Promise<void> => {
    if (isCounted(request)) await options.rateLimiter.countCaller(request)
  }
  const admit = async (request: FastifyRequest): Promise<void> => {
    if (isCounted(request)) await options.rateLimiter.countAll(request)
    const access = request.route?.access
    // No route: the answer is 404 or 405 for everybody.
    if (access === undefined || access === 'public') return count(request)
    try {
      request.principal = await options.authenticator.authenticate(request.headers, request.method)
      authorize(request.principal, access)
    } catch (error) {
      if (error instanceof StatewardError && error.status < 500 && VERBS[access].privileged)
        options.accessLog.denied(askedOf(request, access), error.code)
      // Whoever tries credentials is limited, too.
      await count(request)
      throw error
    }
    await count(request)
    // An agent's daemon goes on while the controller starts: its tasks and its instance are rows.
    if (access !== 'agent.work' && !options.loaded())
      throw fail('SW_NOT_READY', 'Stateward is starting and does not know the accepted state yet')
  }
  // What waits for nothing is no promise: this is done for every request there is.
  app.addHook('onRequest', (request, reply, done) => {
    request.principal = NOBODY
    // Once: every look at `routeOptions` makes them anew.
    request.route = request.routeOptions.config
    reply.headers(SECURITY_HEADERS)
    reply.header('x-correlation-id', request.id)
    if (!isOverUnixSocket(request.raw)) checkHost(request.headers, options.trusted)
    admit(request).then(() => done(), done)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    checkText(request.params, 'params')
    checkText(request.query, 'querystring')
    // Bytes that are handed on as they come are no text.
    if (!(request.body instanceof Readable)) checkText(request.body, 'body')
    done()
  })
  const { redact } = options
  if (redact !== undefined)
    app.addHook('preHandler', (request, _reply, done) => {
      const { principal, body } = request
      if (principal.type !== 'agent' || !isJson(body)) return done()
      const clean = redact(principal.agentUid, body)
      if (clean === undefined) return done()
      clean.then((redacted) => {
        request.body = redacted
        done()
      }, done)
    })
  app.addHook('preHandler', (request, _reply, done) => {
    const access = request.route?.access
    if (access === undefined || access === 'public' || !VERBS[access].privileged) done()
    else options.accessLog.allowed(askedOf(request, access)).then(() => done(), done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.route?.url ?? '(none)'
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
    done()
  })
}

/** Bytes that are handed on as they come are nobody's to change here. */
function isJson(body: unknown): body is Json {
  return body !== undefined && body !== null && !(body instanceof Readable) && !Buffer.isBuffer(body)
}

function isCounted({ route }: FastifyRequest): boolean {
  return route?.isCounted ?? true
}

function askedOf(request: FastifyRequest, verb: Verb): Asked {
  return {
    actor: request.principal.name,
    correlationId: request.id,
    verb,
    operation: request.route?.operation ?? `${request.method} ${request.route?.url ?? ''}`,
    // As it was asked for, with names and ids, but without a query, and no longer than a path may be.
    path: printable(request.url.split('?', 1)[0] ?? '').slice(0, 300),
  }
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
