import type { FastifyReply, FastifyRequest } from 'fastify'
import { digestOf } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Executor, Tx } from '../../store/database.ts'
import {
  type Claim,
  claimKey,
  completeKey,
  type IdempotencyKey,
  type KeyRow,
  leaveKey,
} from '../../store/queries/idempotency.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'

const DAY = 24 * 60 * 60 * 1000
/** A request that has not ended after this is taken for one that never will. */
const ABANDONED_MS = 60_000

/** What a handler answers: a status and a JSON body. */
export interface Answer<T> {
  readonly status: number
  readonly body: T
}

/**
 * `Idempotency-Key` on a POST: the same key with the same request gives the first answer again (24 hours, per principal and
 * route) instead of doing it twice. Another request under the key is 409, and so is one that is still under way.
 * A failure leaves the key to the next request. `work` gets the id of the operation, which stays the same then: when the
 * answer was lost after the effect, by a crash or with the connection to the database, it finds it done.
 */
export async function idempotent<T>(
  store: Store,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (operation: string | null) => Promise<Answer<T>>,
): Promise<T> {
  const key = keyOf(request)
  if (key === null) return send(reply, await work(null))
  const claimed = await transact(store, (tx) => claim(tx, store, request, key))
  if (claimed.kind === 'taken') return replay<T>(reply, request, claimed.row)
  const { operation } = claimed
  underWay.add(operation)
  try {
    const answer = await work(operation)
    await transact(store, (tx) => completeKey(tx, key, answer.status, JSON.stringify(answer.body)))
    return send(reply, answer)
  } catch (error) {
    // A database that is away cannot be told; then this process remembers, or its end does.
    await transact(store, (tx) => leaveKey(tx, key)).catch((problem: unknown) =>
      store.log.warn({ err: problem }, 'an idempotency key could not be given back'),
    )
    throw error
  } finally {
    underWay.delete(operation)
  }
}

/** Operations this process works on: a key that names another one of ours is that of a request that failed. */
const underWay = new Set<string>()

/** The same where the work is one transaction: key and effect are committed together, so a crash leaves both or none. */
export async function idempotentTransaction<T>(
  store: Store,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Tx) => Promise<Answer<T>>,
): Promise<T> {
  const key = keyOf(request)
  if (key === null) return send(reply, await transact(store, work))
  const result = await transact(
    store,
    async (tx): Promise<{ readonly taken: KeyRow } | { readonly answer: Answer<T> }> => {
      const claimed = await claim(tx, store, request, key)
      if (claimed.kind === 'taken') return { taken: claimed.row }
      const answer = await work(tx)
      await completeKey(tx, key, answer.status, JSON.stringify(answer.body))
      return { answer }
    },
  )
  return 'taken' in result ? replay<T>(reply, request, result.taken) : send(reply, result.answer)
}

function claim(sql: Executor, store: Store, request: FastifyRequest, key: IdempotencyKey): Promise<Claim> {
  const now = store.clock.now()
  return claimKey(sql, key, {
    digest: requestDigest(request),
    by: { operation: uuidv7(now.getTime()), writer: store.writer.id, underWay: [...underWay] },
    now,
    staleBefore: new Date(now.getTime() - DAY),
    abandonedBefore: new Date(now.getTime() - ABANDONED_MS),
  })
}

function keyOf(request: FastifyRequest): IdempotencyKey | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw fail('SW_BAD_REQUEST', 'Idempotency-Key is 1 to 255 visible ASCII characters')
  }
  return {
    principal: request.principal.name,
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    key: header,
  }
}

function requestDigest(request: FastifyRequest): string {
  return digestOf({ params: request.params, query: request.query, body: request.body ?? null })
}

function replay<T>(reply: FastifyReply, request: FastifyRequest, row: KeyRow): T {
  if (row.request_digest !== requestDigest(request))
    throw fail('SW_CONFLICT', 'this Idempotency-Key was used for another request')
  if (row.status === 0)
    throw fail('SW_CONFLICT', 'the request with this Idempotency-Key is still under way', {
      remedy: 'wait, then send it again',
    })
  reply.header('idempotency-replayed', 'true')
  // The same route wrote it, so it has the same shape.
  return send(reply, { status: row.status, body: row.response as T })
}

function send<T>(reply: FastifyReply, answer: Answer<T>): T {
  reply.code(answer.status)
  return answer.body
}
