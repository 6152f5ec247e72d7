import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { Tx } from '../../store/database.ts'
import type { Access, Principal } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'
import type { ApiContext } from '../context.ts'

/** One request as a handler gets it, checked against the schemas of its route. */
export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly headers: IncomingHttpHeaders
  readonly principal: Principal
  /** The principal's name and the correlation id, as services take them. */
  readonly caller: Caller
  readonly correlationId: string
  /** Aborted when the client went away or the server stops. */
  readonly signal: AbortSignal
  /** Of a route with `foreignBodies`: why the body does not fit its schema; null when it does. */
  readonly misfit: Error | null
  /** Answers with another status than the lowest of `answers`. */
  status(code: number): void
  header(name: string, value: string): void
  /** Of `transact`: runs once the transaction is committed, and not when a former answer is given again. */
  committed(work: () => void): void
}

/** Answer schemas by status. The lowest is what the route answers unless its handler says otherwise. */
export type Answers = Readonly<Record<number, TSchema>>

/** Handlers may return what they hold: lists of theirs need no copy. */
type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T
type AnswerOf<A extends Answers> = Immutable<Static<A[keyof A & number]>>
type Part<S> = S extends TSchema ? Static<S> : undefined

/** What everybody may know of a route: the OpenAPI document, the client and the reference page are made of this. */
export interface RouteFacts {
  /** The name of the operation everywhere: `cancelRun`. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/api/v1/runs/{run}/cancel` */
  readonly path: `/${string}`
  /** Other paths of the same route, with the same parameters. */
  readonly aliases?: readonly `/${string}`[]
  readonly tag: string
  readonly access: Access
  /** One line, without a full stop. */
  readonly summary: string
  /** What else somebody needs to know who calls it. */
  readonly description?: string
  /** What the body is. `stream` and `bytes` are handed on unread by any schema. Default: JSON. */
  readonly takes?: 'json' | 'bytes' | 'stream'
  /** Largest body in bytes; default: 20,480, and of a stream none. */
  readonly bodyLimit?: number
  /** `false`: an Idempotency-Key means nothing here, since doing it twice is doing it once. Default: true unless GET. */
  readonly idempotency?: boolean
  /** `false`: rate limits do not count it: probes, metrics, streams that stay open. Default: true. */
  readonly isCounted?: boolean
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly answers: Answers
  /** A request as one would send it, and what is answered; tests hold both to the schemas. */
  readonly example: Example
}

export interface Example {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: unknown
  readonly answer?: unknown
}

interface Typed<P, Q, B, A extends Answers> {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** A body that does not fit the schema is handed over nevertheless, with `misfit`: it may have another, known shape. */
  readonly foreignBodies?: boolean
  readonly answers: A
}

/** Exactly one of these three. */
type Handler<P, Q, B, A extends Answers, X> =
  /** Answers with JSON. */
  | { readonly answer: (call: Call<P, Q, B>, context: ApiContext) => Promise<AnswerOf<A>> }
  /** The same where all the work is one transaction: an Idempotency-Key is committed together with it. */
  | {
      /** What has to be done before the transaction is begun: it holds nothing but database work. */
      readonly prepare?: (call: Call<P, Q, B>, context: ApiContext) => Promise<X>
      /** For a request without an Idempotency-Key: the same, written together with what others send. Null = not this one. */
      readonly direct?: (call: Call<P, Q, B>, context: ApiContext, prepared: X) => Promise<AnswerOf<A> | null>
      readonly transact: (tx: Tx, call: Call<P, Q, B>, context: ApiContext, prepared: X) => Promise<AnswerOf<A>>
    }
  /** Sends something else than JSON itself. */
  | { readonly stream: (reply: FastifyReply, call: Call<P, Q, B>, context: ApiContext) => Promise<FastifyReply> }

type AnyCall = Call<unknown, unknown, unknown>

/** A route whose types are checked and forgotten: what the server and the generators read. */
export interface Route extends RouteFacts {
  readonly foreignBodies?: boolean
  readonly answer?: (call: AnyCall, context: ApiContext) => Promise<unknown>
  readonly prepare?: (call: AnyCall, context: ApiContext) => Promise<unknown>
  readonly direct?: (call: AnyCall, context: ApiContext, prepared: unknown) => Promise<unknown>
  readonly transact?: (tx: Tx, call: AnyCall, context: ApiContext, prepared: unknown) => Promise<unknown>
  readonly stream?: (reply: FastifyReply, call: AnyCall, context: ApiContext) => Promise<FastifyReply>
}

/**
 * One route: schemas, handler, words and example, in one place. The handler sees the types of the schemas. Add the route to
 * the list of its folder and everything else follows: validation, OpenAPI, the client, the reference page, the tests.
 */
export function route<
  P extends TSchema | undefined = undefined,
  Q extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
  const A extends Answers = Answers,
  X = undefined,
>(
  definition: Omit<RouteFacts, keyof Typed<P, Q, B, A>> & Typed<P, Q, B, A> & Handler<Part<P>, Part<Q>, Part<B>, A, X>,
): Route {
  // The handler is called with what its own schemas let through, and nothing else.
  return definition as unknown as Route
}
