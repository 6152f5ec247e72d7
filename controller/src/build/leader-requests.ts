import type { Caller } from '../api/caller.ts'
import { ERRORS, type ErrorRef, fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { newCorrelationId, uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import {
  answerLeaderRequest,
  insertLeaderRequest,
  type LeaderAnswer,
  type LeaderRequest,
  leaderAnswer,
  openLeaderRequests,
  removeLeaderRequest,
} from '../store/queries/leader-requests.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Wakes } from '../store/wakes.ts'
import { fromJson, LEADER_VERBS, type LeaderVerbs, toJson } from './leader-verbs.ts'

/** How long an answer is waited for; a leader that takes over in between answers, too. */
const PATIENCE_MS = 20_000
/** The backstops for wakes that get lost. */
const LOOK_MS = 500
const POLL_MS = 10_000

/**
 * The leader's verbs in a process that does not lead: a row in the database asks, and holds the answer. SW_NO_LEADER when
 * nobody answered in time; the row is removed, so nobody begins it later.
 */
export function remoteVerbs(store: Store, wakes: Wakes): LeaderVerbs {
  const verbsOf = ([group, verbs]: [string, object]) =>
    Object.fromEntries(
      Object.keys(verbs).map((verb) => [verb, (...sent: unknown[]) => ask(store, wakes, `${group}.${verb}`, sent)]),
    )
  const groups = Object.entries(LEADER_VERBS).map((entry) => [entry[0], verbsOf(entry)])
  return Object.fromEntries(groups) as LeaderVerbs
}

async function ask(store: Store, wakes: Wakes, verb: string, sent: readonly unknown[]): Promise<unknown> {
  const id = uuidv7(store.clock.now().getTime())
  const { actor, correlationId } = sent.find(isCaller) ?? { actor: 'system', correlationId: newCorrelationId() }
  const signal = sent.map(signalOf).find((each) => each !== undefined) ?? new AbortController().signal
  await transact(store, (tx) =>
    insertLeaderRequest(tx, {
      id,
      asker: store.writer.id,
      verb,
      arguments: { sent: toJson(sent) },
      actor,
      correlation_id: correlationId,
      created_at: store.clock.now(),
    }),
  )
  try {
    return fromJson(await answered(store, wakes, id, signal), signal)
  } finally {
    await transact(store, (tx) => removeLeaderRequest(tx, id))
  }
}

function isCaller(value: unknown): value is Caller {
  return typeof value === 'object' && value !== null && 'actor' in value && 'correlationId' in value
}

/** Of the options of a verb that can be broken off. */
function signalOf(value: unknown): AbortSignal | undefined {
  const { signal } = (value ?? {}) as { readonly signal?: unknown }
  return signal instanceof AbortSignal ? signal : undefined
}

async function answered(store: Store, wakes: Wakes, id: string, signal: AbortSignal): Promise<Json> {
  let wake = () => {}
  const unsubscribe = wakes.subscribe((heard) => {
    if (heard.kind === 'answered' && heard.id === id) wake()
  })
  wakes.send({ kind: 'asked' })
  try {
    const until = store.clock.monotonicMs() + PATIENCE_MS
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const given = await leaderAnswer(store.engine, id)
      if (given !== null) return answerOf(given)
      signal.throwIfAborted()
      if (store.clock.monotonicMs() > until)
        throw fail('SW_NO_LEADER', 'no process that leads has answered; whether it was begun is not known')
      await Promise.race([woken, new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref())])
    }
  } finally {
    unsubscribe()
  }
}

function answerOf({ answer, error }: LeaderAnswer): Json {
  if (error === null) return answer
  const { ref, message, remedy, details } = error as {
    ref: string
    message: string
    remedy: string
    details: JsonObject
  }
  throw fail(ref in ERRORS ? (ref as ErrorRef) : 'SW_INTERNAL', message, { remedy, details })
}

/** Answers what other processes ask of the leader, each once. */
export class LeaderRequests {
  readonly #store: Store
  readonly #wakes: Wakes
  readonly #verbs: LeaderVerbs
  readonly #working = new Map<string, Promise<void>>()
  readonly #unsubscribe: () => void
  readonly #poll: NodeJS.Timeout
  readonly #stopping = new AbortController()
  #looking: Promise<void> = Promise.resolve()

  constructor(store: Store, wakes: Wakes, verbs: LeaderVerbs) {
    this.#store = store
    this.#wakes = wakes
    this.#verbs = verbs
    this.#unsubscribe = wakes.subscribe(({ kind }) => {
      if (kind === 'asked' || kind === 'joined') this.#look()
    })
    this.#poll = setInterval(() => this.#look(), POLL_MS)
    this.#poll.unref()
    this.#look()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unsubscribe()
    clearInterval(this.#poll)
    await this.#looking
    await Promise.all(this.#working.values())
  }

  #look(): void {
    this.#looking = this.#looking.then(async () => {
      try {
        for (const request of await openLeaderRequests(this.#store.engine)) this.#take(request)
      } catch (error) {
        this.#store.log.warn({ err: error }, 'what was asked of the leader could not be read; it looks again')
      }
    })
  }

  #take(request: LeaderRequest): void {
    if (this.#working.has(request.id) || this.#stopping.signal.aborted) return
    const work = this.#answer(request)
      .catch((error: unknown) =>
        this.#store.log.warn({ verb: request.verb, err: error }, 'an answer could not be written'),
      )
      .finally(() => this.#working.delete(request.id))
    this.#working.set(request.id, work)
  }

  async #answer(request: LeaderRequest): Promise<void> {
    const { id } = request
    let given: LeaderAnswer
    try {
      given = { answer: toJson(await this.#perform(request)), error: null }
    } catch (error) {
      // A process that is ending leaves it to the next leader.
      if (this.#stopping.signal.aborted) return
      given = { answer: null, error: errorOf(error) }
    }
    await transact(this.#store, (tx) => answerLeaderRequest(tx, id, given, this.#store.clock.now()))
    this.#wakes.send({ kind: 'answered', id })
  }

  async #perform({ verb, arguments: { sent } }: LeaderRequest): Promise<unknown> {
    const [group = '', name = ''] = verb.split('.')
    const known = group in LEADER_VERBS && Object.hasOwn(LEADER_VERBS[group as keyof LeaderVerbs], name)
    if (!known || !Array.isArray(sent))
      throw fail('SW_INTERNAL', `this leader does not know the verb ${verb}: it is older than the process that asks`)
    const verbs = this.#verbs[group as keyof LeaderVerbs] as unknown as Record<string, (...sent: unknown[]) => unknown>
    return verbs[name]!(...(fromJson(sent, this.#stopping.signal) as unknown[]))
  }
}

function errorOf(error: unknown): JsonObject {
  const known = error instanceof StatewardError ? error : fail('SW_INTERNAL', errorMessage(error))
  return {
    ref: known.ref,
    message: known.message,
    remedy: known.remedy,
    details: JSON.parse(JSON.stringify(known.details ?? {})),
  }
}
