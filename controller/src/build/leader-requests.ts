import type { Caller } from '../api/caller.ts'
import type { ApprovalVerbs } from '../api/ports/approvals.ts'
import type { DriftVerbs } from '../api/ports/drift.ts'
import type { InterventionVerbs } from '../api/ports/interventions.ts'
import type { McpServerVerbs } from '../api/ports/mcp-servers.ts'
import type { ObjectVerbs } from '../api/ports/objects.ts'
import type { ProposalDesk, ProposalVerbs } from '../api/ports/proposals.ts'
import type { RepositoryReads } from '../api/ports/repository.ts'
import type { SourceVerbs } from '../api/ports/sources.ts'
import type { SpawnRequest, SpawnVerbs } from '../api/ports/spawning.ts'
import type { ObjectRef } from '../kinds/resource.ts'
import { ERRORS, type ErrorRef, fail } from '../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../lib/errors.ts'
import { newCorrelationId, uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { InterventionAction } from '../store/queries/interventions.ts'
import {
  answerLeaderRequest,
  insertLeaderRequest,
  type LeaderAnswer,
  type LeaderRequest,
  leaderAnswer,
  openLeaderRequests,
  removeLeaderRequest,
} from '../store/queries/leader-requests.ts'
import type { SpawnedAgentRow } from '../store/queries/spawned-agents.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import type { Wakes } from '../store/wakes.ts'

/** Verbs that need what only the leader has: the state repo and the queue of objects. */
export interface LeaderVerbs {
  readonly objects: ObjectVerbs
  readonly sources: SourceVerbs
  readonly proposals: ProposalVerbs & ProposalDesk
  readonly approvals: ApprovalVerbs
  readonly repository: RepositoryReads
  readonly interventions: InterventionVerbs
  readonly drift: DriftVerbs
  readonly mcpServers: McpServerVerbs
  readonly spawning: SpawnVerbs
}

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
  const ask = async <T>(verb: Verb, args: JsonObject, caller: Caller, signal?: AbortSignal): Promise<T> => {
    const id = uuidv7(store.clock.now().getTime())
    await transact(store, (tx) =>
      insertLeaderRequest(tx, {
        id,
        asker: store.writer.id,
        verb,
        arguments: args,
        actor: caller.actor,
        correlation_id: caller.correlationId,
        created_at: store.clock.now(),
      }),
    )
    try {
      return (await answered(store, wakes, id, signal)) as T
    } finally {
      await transact(store, (tx) => removeLeaderRequest(tx, id))
    }
  }
  return {
    objects: {
      reconcile: (ref, caller) => ask('object.reconcile', { ref: ref as JsonObject | null }, caller),
      suspend: (ref, { reason, expiresAt, merge }, caller) =>
        ask('object.suspend', { ref: { ...ref }, reason, expiresAt: expiresAt?.toISOString() ?? null, merge }, caller),
      resume: (ref, { merge }, caller) => ask('object.resume', { ref: { ...ref }, merge }, caller),
    },
    sources: {
      sync: (source, { signal }, caller) => ask('source.sync', { source }, caller, signal),
      approveDeletions: (source, revision, caller) => ask('source.approve_deletions', { source, revision }, caller),
    },
    approvals: {
      commit: (revision) => ask('commit.read', { revision }, SYSTEM()),
      held: () => ask('change.held', {}, SYSTEM()),
      decide: (target, word, caller) =>
        ask('change.decide', { target: { ...target }, word: { ...word }, roles: [...(caller.roles ?? [])] }, caller),
      decideProposal: (id, word, caller) =>
        ask('change.decide_proposal', { id, word: { ...word }, roles: [...(caller.roles ?? [])] }, caller),
    },
    repository: {
      commits: (revisions) => ask('repository.commits', { revisions: [...revisions] }, SYSTEM()),
      change: (revision) => ask('repository.change', { revision }, SYSTEM()),
      text: (file) => ask('repository.text', { file: { ...file } }, SYSTEM()),
    },
    proposals: {
      set: (ref, { keys, value }, options, caller) =>
        ask('proposal.set', { ref: { ...ref }, keys: [...keys], value, options: { ...options } }, caller),
      create: (object, options, caller) =>
        ask('proposal.create', { object: { ...object }, options: { ...options } }, caller),
      update: (ref, patch, options, caller) =>
        ask('proposal.update', { ref: { ...ref }, patch, options: { ...options } }, caller),
      remove: (ref, options, caller) => ask('proposal.remove', { ref: { ...ref }, options: { ...options } }, caller),
      propose: (request, caller) => ask('proposal.propose', { request: { ...request } }, caller),
      reject: (id, reason, caller) => ask('proposal.reject', { id, reason }, caller),
      merge: (id, caller) => ask('proposal.merge', { id, roles: [...(caller.roles ?? [])] }, caller),
      heard: (event, caller) => ask('proposal.heard', { event: { ...event } }, caller),
      diff: (id) => ask('proposal.diff', { id }, SYSTEM()),
    },
    spawning: {
      spawn: async (request, self, caller) =>
        spawnedRow(await ask('agent.spawn', { request: request as unknown as JsonObject, self }, caller)),
      end: async (uid, self, caller) => spawnedRow(await ask('agent.end', { uid, self }, caller)),
    },
    mcpServers: { lock: ({ namespace, name }, caller) => ask('mcp.lock', { namespace, name }, caller) },
    drift: {
      enforce: (id, { reason }, caller) => ask('drift.enforce', { id, reason }, caller),
      adopt: (id, { reason }, caller) => ask('drift.adopt', { id, reason }, caller),
    },
    interventions: {
      intervene: (agent, { expiresAt, ...request }, caller) =>
        ask('agent.intervene', { agent, ...request, expiresAt: expiresAt?.toISOString() ?? null }, caller),
    },
  }
}

/** Whoever only looks. */
const SYSTEM = (): Caller => ({ actor: 'system', correlationId: newCorrelationId() })

type Verb =
  | 'object.reconcile'
  | 'object.suspend'
  | 'object.resume'
  | 'source.sync'
  | 'source.approve_deletions'
  | 'change.held'
  | 'commit.read'
  | 'repository.commits'
  | 'repository.change'
  | 'repository.text'
  | 'change.decide'
  | 'change.decide_proposal'
  | 'proposal.set'
  | 'proposal.create'
  | 'agent.intervene'
  | 'proposal.update'
  | 'proposal.remove'
  | 'proposal.propose'
  | 'proposal.reject'
  | 'proposal.merge'
  | 'proposal.diff'
  | 'proposal.heard'
  | 'agent.spawn'
  | 'agent.end'
  | 'drift.enforce'
  | 'drift.adopt'
  | 'mcp.lock'

type Arguments<F extends (...args: never[]) => unknown, N extends number> = Parameters<F>[N]

async function answered(store: Store, wakes: Wakes, id: string, signal?: AbortSignal): Promise<Json> {
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
      signal?.throwIfAborted()
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
      given = { answer: (await this.#perform(request)) as Json, error: null }
    } catch (error) {
      // A process that is ending leaves it to the next leader.
      if (this.#stopping.signal.aborted) return
      given = { answer: null, error: errorOf(error) }
    }
    await transact(this.#store, (tx) => answerLeaderRequest(tx, id, given, this.#store.clock.now()))
    this.#wakes.send({ kind: 'answered', id })
  }

  #perform({ verb, arguments: args, actor, correlation_id }: LeaderRequest): Promise<unknown> {
    const { objects, sources, approvals, proposals, interventions, spawning, drift, mcpServers, repository } =
      this.#verbs
    const caller = { actor, correlationId: correlation_id }
    const ref = args['ref'] as unknown as ObjectRef
    const merge = args['merge'] === true
    switch (verb as Verb) {
      case 'object.reconcile':
        return objects.reconcile(ref, caller)
      case 'object.suspend': {
        const { reason, expiresAt } = args as { reason: string | null; expiresAt: string | null }
        const until = expiresAt === null ? null : new Date(expiresAt)
        return objects.suspend(ref, { reason, expiresAt: until, merge }, caller)
      }
      case 'object.resume':
        return objects.resume(ref, { merge }, caller)
      case 'source.sync':
        return sources.sync(String(args['source']), { signal: this.#stopping.signal }, caller)
      case 'source.approve_deletions':
        return sources.approveDeletions(String(args['source']), String(args['revision']), caller)
      case 'change.held':
        return approvals.held()
      case 'commit.read':
        return approvals.commit(String(args['revision']))
      case 'repository.commits':
        return repository.commits(args['revisions'] as readonly string[])
      case 'repository.change':
        return repository.change(String(args['revision']))
      case 'repository.text':
        return repository.text(args['file'] as unknown as Arguments<RepositoryReads['text'], 0>)
      case 'change.decide': {
        const { target, word, roles } = args as unknown as {
          readonly target: Arguments<ApprovalVerbs['decide'], 0>
          readonly word: Arguments<ApprovalVerbs['decide'], 1>
          readonly roles: readonly string[]
        }
        return approvals.decide(target, word, { ...caller, roles })
      }
      case 'change.decide_proposal': {
        const { id, word, roles } = args as unknown as {
          readonly id: string
          readonly word: Arguments<ApprovalVerbs['decideProposal'], 1>
          readonly roles: readonly string[]
        }
        return approvals.decideProposal(id, word, { ...caller, roles })
      }
      // Both were put together from these by whoever asked.
      case 'proposal.set': {
        const { keys, value, options } = args as unknown as Arguments<ProposalVerbs['set'], 1> & {
          readonly options: Arguments<ProposalVerbs['set'], 2>
        }
        return proposals.set(ref, { keys, value }, options, caller)
      }
      case 'proposal.create': {
        const { object, options } = args as unknown as {
          readonly object: Arguments<ProposalVerbs['create'], 0>
          readonly options: Arguments<ProposalVerbs['create'], 1>
        }
        return proposals.create(object, options, caller)
      }
      case 'agent.intervene': {
        const { agent, action, params, reason, expiresAt } = args as unknown as RemoteIntervention
        const until = expiresAt === null ? null : new Date(expiresAt)
        return interventions.intervene(agent, { action, params, reason, expiresAt: until, merge }, caller)
      }
      case 'proposal.update':
        return proposals.update(ref, args['patch'] as JsonObject, optionsOf(args), caller)
      case 'proposal.remove':
        return proposals.remove(ref, optionsOf(args), caller)
      case 'agent.spawn':
        return spawning.spawn(args['request'] as unknown as SpawnRequest, args['self'] as string | null, caller)
      case 'agent.end':
        return spawning.end(String(args['uid']), args['self'] as string | null, caller)
      case 'drift.enforce':
      case 'drift.adopt': {
        const { id, reason } = args as { readonly id: string; readonly reason: string | null }
        return verb === 'drift.adopt' ? drift.adopt(id, { reason }, caller) : drift.enforce(id, { reason }, caller)
      }
      case 'mcp.lock':
        return mcpServers.lock({ namespace: String(args['namespace']), name: String(args['name']) }, caller)
      case 'proposal.propose':
        return proposals.propose(args['request'] as unknown as Arguments<ProposalDesk['propose'], 0>, caller)
      case 'proposal.reject':
        return proposals.reject(String(args['id']), args['reason'] as string | null, caller).then(() => ({}))
      case 'proposal.merge':
        return proposals
          .merge(String(args['id']), { ...caller, roles: args['roles'] as unknown as readonly string[] })
          .then(() => ({}))
      case 'proposal.heard':
        return proposals.heard(args['event'] as unknown as Arguments<ProposalDesk['heard'], 0>, caller)
      case 'proposal.diff':
        return proposals.diff(String(args['id']))
      default:
        throw fail('SW_INTERNAL', `this leader does not know the verb ${verb}: it is older than the process that asks`)
    }
  }
}

interface RemoteIntervention {
  readonly agent: { readonly namespace: string; readonly name: string }
  readonly action: InterventionAction
  readonly params: JsonObject
  readonly reason: string
  readonly expiresAt: string | null
}

/** Its times came as text. */
function spawnedRow(row: SpawnedAgentRow): SpawnedAgentRow {
  const time = (value: Date | null) => (value === null ? null : new Date(value))
  return {
    ...row,
    created_at: new Date(row.created_at),
    deadline: time(row.deadline),
    ended_at: time(row.ended_at),
  }
}

function optionsOf(args: JsonObject): Arguments<ProposalVerbs['remove'], 1> {
  return args['options'] as unknown as Arguments<ProposalVerbs['remove'], 1>
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
