import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.ts'
import { idempotent, idempotentTransaction } from './idempotency.ts'
import { BODY_LIMIT } from './json-body.ts'
import { callerOf } from './request-context.ts'
import { requestSignal } from './request-signal.ts'
import type { Call, Route } from './route.ts'
import type { Api } from './typed.ts'

/** Serves routes. Throws TypeError for one that contradicts itself or another. */
export function addRoutes(app: Api, context: ApiContext, routes: readonly Route[]): void {
  const operations = new Set<string>()
  for (const route of routes) {
    if (operations.has(route.operation)) throw new TypeError(`two routes are called ${route.operation}`)
    operations.add(route.operation)
    if (isRaw(route)) app.register(async (scope: Api) => addRoute(withRawBodies(scope, route), context, route))
    else addRoute(app, context, route)
  }
}

function isRaw({ takes = 'json' }: Route): boolean {
  return takes !== 'json'
}

/** Whatever their type, bodies are handed on as they come. */
function withRawBodies(scope: Api, { takes, bodyLimit = BODY_LIMIT }: Route): Api {
  scope.removeAllContentTypeParsers()
  if (takes === 'stream') scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  else {
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body))
  }
  return scope
}

function addRoute(app: Api, context: ApiContext, route: Route): void {
  // Validation stops at the first part that does not fit: what comes after a foreign body would go unchecked.
  if (route.foreignBodies === true && route.query !== undefined)
    throw new TypeError(`${route.operation} takes foreign bodies, so it cannot have a query`)
  for (const path of [route.path, ...(route.aliases ?? [])]) {
    app.route({
      method: route.method,
      url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      config: { access: route.access, operation: route.operation, isCounted: route.isCounted ?? true },
      attachValidation: route.foreignBodies ?? false,
      ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
      schema: {
        ...(route.params === undefined ? {} : { params: route.params }),
        ...(route.query === undefined ? {} : { querystring: route.query }),
        // What is handed on unread fits whatever it says.
        ...(route.body === undefined || isRaw(route) ? {} : { body: route.body }),
      },
      handler: handlerOf(route, context),
    })
  }
}

type Handle = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function handlerOf(route: Route, context: ApiContext): Handle {
  const { answer, prepare, direct, transact, stream } = route
  const mayRepeat = route.idempotency ?? route.method !== 'GET'
  if (stream !== undefined) return (request, reply) => stream(reply, callOf(request, reply, route, context), context)
  if (transact !== undefined) {
    return async (request, reply) => {
      const call = callOf(request, reply, route, context)
      const prepared = await prepare?.(call, context)
      if (direct !== undefined && request.headers['idempotency-key'] === undefined) {
        const body = await direct(call, context, prepared)
        if (body !== null) {
          reply.code(call.code)
          return correlated(body, request, reply)
        }
      }
      const sent = await idempotentTransaction(context.store, request, reply, async (tx) => {
        // The transaction may be run again; only the run that is committed counts.
        call.afterwards.length = 0
        const body = await transact(tx, call, context, prepared)
        return { status: call.code, body }
      })
      for (const work of call.afterwards) work()
      return correlated(sent, request, reply)
    }
  }
  if (answer === undefined) throw new TypeError(`${route.operation} has no handler`)
  return (request, reply) => {
    const call = callOf(request, reply, route, context)
    const work = async (operation: string | null = null) => {
      if (operation !== null) call.isOperation(operation)
      const body = await answer(call, context)
      return { status: call.code, body }
    }
    if (mayRepeat)
      return idempotent(context.store, request, reply, work).then((body) => correlated(body, request, reply))
    return work().then(({ status, body }) => {
      reply.code(status)
      return correlated(body, request, reply)
    })
  }
}

/**
 * What is answered names the request, too, unless it says what it came of itself. Answers of a type of their own stay as
 * they are.
 */
function correlated(body: unknown, { id }: FastifyRequest, reply: FastifyReply): unknown {
  if (!isRecord(body) || 'correlation_id' in body || reply.hasHeader('content-type')) return body
  return { ...body, correlation_id: id }
}

/** Not a stream, nor bytes, nor a list. */
function isRecord(body: unknown): body is object {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype
}

interface OpenCall extends Call<unknown, unknown, unknown> {
  readonly code: number
  readonly afterwards: (() => void)[]
  /** The request repeats, or may be repeated, under this id. */
  isOperation(operation: string): void
}

function callOf(request: FastifyRequest, reply: FastifyReply, route: Route, context: ApiContext): OpenCall {
  if (request.validationError !== undefined && request.validationError.validationContext !== 'body')
    throw request.validationError
  let code = Number(Object.keys(route.answers)[0])
  let signal: AbortSignal | null = null
  let caller = callerOf(request)
  const afterwards: (() => void)[] = []
  return {
    params: request.params,
    query: request.query,
    body: request.body,
    headers: request.headers,
    principal: request.principal,
    get caller() {
      return caller
    },
    isOperation(operation) {
      caller = { ...caller, operation }
    },
    correlationId: request.id,
    misfit: request.validationError ?? null,
    get signal() {
      signal ??= requestSignal(reply, context.stopping)
      return signal
    },
    get code() {
      return code
    },
    afterwards,
    status(other) {
      code = other
    },
    header(name, value) {
      reply.header(name, value)
    },
    committed(work) {
      afterwards.push(work)
    },
  }
}
