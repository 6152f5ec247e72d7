import type { Caller } from '../api/caller.ts'
import type { ObjectVerbs, OverrideResult } from '../api/ports/objects.ts'
import type { SourceVerbs, Standing } from '../api/ports/sources.ts'
import type { EventName } from '../events/catalogue.ts'
import { endInterventions } from '../interventions/end.ts'
import { keyOf, type ObjectRef } from '../kinds/resource.ts'
import { ERRORS, type ErrorRef, fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Counts } from '../plan/change-set.ts'
import type { Proposals } from '../proposals/proposals.ts'
import type { Controller } from '../reconcile/controller.ts'
import type { SourceSync } from '../reconcile/sync/source-sync.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import { removeOverride, saveOverride } from '../store/queries/overrides.ts'
import { approveDeletions } from '../store/queries/sources.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { proposeFor } from './object-proposals.ts'
import type { OpenSource } from './source.ts'
import { SOURCE_NAME } from './state-repo.ts'

export interface VerbDeps {
  readonly store: Store
  readonly world: World
  readonly controller: Controller
  readonly sync: SourceSync
  readonly source: OpenSource
  /** Null for a plain folder. */
  readonly proposals: Proposals | null
  /** Full name of the protected ref. */
  readonly ref: string
  /** The source's directory in the repository, `.` = its root. */
  readonly path: string
  /** Takes back what interventions set on an agent. */
  readonly resumeAgent: (
    ref: ObjectRef,
    options: { readonly merge: boolean },
    caller: Caller,
  ) => Promise<OverrideResult>
}

const SUSPEND = '/spec/suspend'

/** Imperative verbs on objects: an override at once, the same as a commit afterwards. */
export function objectVerbs(deps: VerbDeps): ObjectVerbs {
  return {
    async reconcile(ref, caller) {
      if (ref === null) await deps.controller.pass({ actor: caller.actor, full: true })
      else {
        existing(deps, ref)
        deps.controller.enqueue(keyOf(ref))
      }
      return { requestedAt: deps.store.clock.now().toISOString() }
    },
    async suspend(ref, options, caller) {
      const object = existing(deps, ref)
      if (object.kind === 'Policy' && object.spec['type'] === 'window' && options.reason === null)
        throw fail('SW_BAD_REQUEST', `why ${keyOf(ref)} is not to count has to be said`, {
          remedy: 'give a reason: --reason <text>',
        })
      const now = deps.store.clock.now()
      const declared = object.spec['suspend']
      await transact(deps.store, async (tx) => {
        await saveOverride(tx, {
          id: uuidv7(now.getTime()),
          ...identity(object),
          path: SUSPEND,
          value: true,
          base: declared === undefined ? null : (declared as boolean),
          actor: caller.actor,
          reason: options.reason,
          created_at: now,
          expires_at: options.expiresAt,
          intervention_id: null,
        })
        // An intervention that paused it before has nothing to say any more.
        const replaced = deps.world
          .overrides(keyOf(ref))
          .flatMap((row) => (row.path === SUSPEND && row.intervention_id !== null ? [row.intervention_id] : []))
        const ended = await endInterventions(
          tx,
          replaced.map((id) => ({ id, why: 'replaced' as const })),
          { at: now, actor: caller.actor },
        )
        await appendEvents(tx, deps.store, [...ended, verbEvent('suspended', object, caller, now, options.reason)])
      })
      await deps.controller.overridesChanged([keyOf(ref)])
      return await propose(deps, object, true, options, caller)
    },
    async resume(ref, options, caller) {
      const object = existing(deps, ref)
      // Somebody intervened: then all of it is taken back, and the agent is told.
      if (deps.world.overrides(keyOf(ref)).some(({ intervention_id }) => intervention_id !== null))
        return await deps.resumeAgent(ref, options, caller)
      const now = deps.store.clock.now()
      const override = deps.world.overrides(keyOf(ref)).find((row) => row.path === SUSPEND)
      if (override === undefined && object.spec['suspend'] !== true)
        throw fail('SW_CONFLICT', `${keyOf(ref)} is not suspended`)
      await transact(deps.store, async (tx) => {
        if (override !== undefined) await removeOverride(tx, override.id)
        // Git still says suspend: the operator's word counts until Git follows.
        if (object.spec['suspend'] === true) {
          await saveOverride(tx, {
            id: uuidv7(now.getTime()),
            ...identity(object),
            path: SUSPEND,
            value: false,
            base: true,
            actor: caller.actor,
            reason: null,
            created_at: now,
            expires_at: null,
            intervention_id: null,
          })
        }
        await appendEvents(tx, deps.store, [verbEvent('resumed', object, caller, now, null)])
      })
      await deps.controller.overridesChanged([keyOf(ref)])
      return await propose(deps, object, false, { ...options, reason: null }, caller)
    },
  }
}

export function sourceVerbs(deps: VerbDeps): SourceVerbs {
  return {
    async sync(source, { signal }, caller) {
      assertKnown(source)
      await deps.source.refresh()
      signal.throwIfAborted()
      const accepted = await deps.controller.pass({ actor: caller.actor })
      const { head, failure } = deps.sync.state
      if (failure !== null)
        throw fail(failure.code in ERRORS ? (failure.code as ErrorRef) : 'SW_SOURCE_UNREACHABLE', failure.message, {
          remedy: failure.remedy,
          details: { cause: failure.code },
        })
      return { revision: head?.commit ?? '', syncId: accepted?.sync.id ?? null, standing: standingOf(deps.sync) }
    },
    async approveDeletions(source, revision, caller) {
      assertKnown(source)
      const { plan } = deps.sync.state
      const held =
        plan?.changes.filter((change) => change.action === 'blocked' && change.reason === 'BlastRadius') ?? []
      if (
        plan == null ||
        plan.blockedDeletions === null ||
        held.length === 0 ||
        !plan.toRevision.startsWith(revision)
      ) {
        throw fail('SW_NOT_FOUND', `no deletions are held back at ${revision}`, {
          remedy: 'see what is: stateward get sources, stateward describe source',
        })
      }
      const now = deps.store.clock.now()
      const digest = plan.blockedDeletions
      await transact(deps.store, async (tx) => {
        await approveDeletions(tx, { revision: plan.toRevision, digest, actor: caller.actor, approved_at: now })
        await appendEvents(tx, deps.store, [
          {
            event_id: uuidv7(now.getTime()),
            event_name: 'stateward.source.deletions.approved' satisfies EventName,
            occurred_at: now,
            env_id: 'default',
            actor: caller.actor,
            correlation_id: caller.correlationId,
            data: { source, revision: plan.toRevision, digest, deletions: held.length },
          },
        ])
      })
      await deps.controller.pass({ actor: caller.actor, replan: held.map(keyOf) })
      return { revision: plan.toRevision, deletions: held.length }
    },
  }
}

/** The last plan with what it did already done. */
function standingOf(sync: SourceSync): Standing {
  const { plan, sync: last } = sync.state
  const none: Counts = { create: 0, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 }
  if (plan === null) return { counts: none, issues: last?.issues ?? [] }
  const { create, update, unchanged, skip, blocked } = plan.counts
  return { counts: { ...none, unchanged: create + update + unchanged, skip, blocked }, issues: last?.issues ?? [] }
}

function assertKnown(source: string): void {
  if (source !== SOURCE_NAME)
    throw fail('SW_NOT_FOUND', `there is no source ${source} here`, { remedy: `the source is called ${SOURCE_NAME}` })
}

function existing(deps: VerbDeps, ref: ObjectRef): WorldObject {
  const object = deps.world.get(keyOf(ref))
  if (object === undefined || object.deleting) throw fail('SW_NOT_FOUND', `there is no ${keyOf(ref)}`)
  return object
}

function identity({ kind, namespace, name }: WorldObject) {
  return { kind, namespace, name }
}

async function propose(
  deps: VerbDeps,
  object: WorldObject,
  suspend: boolean,
  options: { readonly merge: boolean; readonly reason: string | null },
  caller: Caller,
) {
  const declared = object.spec['suspend'] === true
  const edits = declared === suspend ? [] : [{ field: 'suspend', value: suspend ? true : undefined }]
  const made = await proposeFor(
    deps,
    object,
    { verb: suspend ? 'suspend' : 'resume', edits },
    { ...caller, merge: options.merge, reason: options.reason },
  )
  return made ?? { branch: null, commit: null, merged: false }
}

function verbEvent(
  verb: 'suspended' | 'resumed',
  object: WorldObject,
  caller: Caller,
  now: Date,
  reason: string | null,
) {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: `stateward.object.${verb}` satisfies EventName,
    occurred_at: now,
    env_id: object.namespace === '' ? 'default' : object.namespace,
    actor: caller.actor,
    correlation_id: caller.correlationId,
    resource: { type: object.kind, id: object.uid },
    data: { namespace: object.namespace, name: object.name, reason },
  }
}
