import type { EventName } from '../../events/catalogue.ts'
import type { HealthSubject } from '../../expressions/health.ts'
import { kindOf } from '../../kinds/registry.ts'
import { keyOf, type ObjectKey, type ObjectStatus } from '../../kinds/resource.ts'
import { errorMessage } from '../../lib/errors.ts'
import { newCorrelationId, uuidv7 } from '../../lib/ids.ts'
import type { Issue } from '../../lib/issue.ts'
import type { Change } from '../../plan/change-set.ts'
import { ConditionSet } from '../../status/condition-set.ts'
import { summarize } from '../../status/summarize.ts'
import { appendEvents } from '../../store/log.ts'
import type { Log } from '../../store/ports.ts'
import { removeObject } from '../../store/queries/objects.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { DriftKeeper } from '../drift/keeper.ts'
import type { World, WorldObject } from '../world.ts'
import {
  awaitDependencies,
  reportBlockedRevision,
  reportHeldRevision,
  reportSuspension,
  resolveReferences,
} from './guards.ts'
import { reportHealthCheck } from './health-check.ts'
import { interpretOutcome, type Next } from './interpret-outcome.ts'
import { done, type Outcome } from './outcome.ts'
import type { KindReconciler, Phase, ReconcileContext } from './reconciler.ts'
import type { StatusWriter } from './status-writer.ts'

export interface ReconcileDeps {
  readonly store: Store
  readonly world: World
  readonly statuses: StatusWriter
  readonly reconcilers: ReadonlyMap<string, KindReconciler>
  readonly issuesOf: (key: ObjectKey) => readonly Issue[]
  readonly heldChangeOf: (key: ObjectKey) => Change | null
  readonly attemptedRevision: () => string | null
  readonly drift: DriftKeeper
  readonly resyncMs: number
  readonly log: Log
  /** The pods an agent has at this moment, as the cluster tells of them. */
  readonly podsOf: (agentUid: string) => readonly HealthSubject[]
}

/** `failed` = something threw: back off. `gone` = the object is no more. */
export type Result = Next | { readonly again: null; readonly result: 'failed' | 'gone' }

const GUARDS: readonly Phase[] = [
  reportSuspension,
  reportBlockedRevision,
  reportHeldRevision,
  resolveReferences,
  awaitDependencies,
]

/**
 * One reconcile of one object: the guards, then the kind's phases until one has an outcome. Whatever happens, the status is
 * written: early returns and throws included.
 */
export async function reconcileObject(key: ObjectKey, deps: ReconcileDeps): Promise<Result> {
  const object = deps.world.get(key)
  const reconciler = object === undefined ? undefined : deps.reconcilers.get(object.kind)
  if (object === undefined || reconciler === undefined) return { again: null, result: 'gone' }
  const context = contextOf(key, object, deps)
  if (object.deleting) return await finalize(object, reconciler, context, deps)
  let result: Result = { again: null, result: 'failed' }
  try {
    const outcome = await runPhases([...GUARDS, ...reconciler.phases], context)
    await deps.drift.look(context)
    result = atSuspensionEnd(interpretOutcome(outcome, context.conditions, deps.resyncMs), context)
  } catch (error) {
    reportFailure(error, context, deps)
  } finally {
    await deps.statuses.write(key, judgedStatusOf(object, context, deps), context.correlationId)
  }
  return result
}

/** The status, with what the health expressions of its source say of it. */
function judgedStatusOf(object: WorldObject, context: ReconcileContext, deps: ReconcileDeps): ObjectStatus {
  const status = statusOf(object, context, deps)
  const pods = object.kind === 'Agent' ? deps.podsOf(object.uid) : []
  return reportHealthCheck(context, status, pods) ? statusOf(object, context, deps) : status
}

/** What is suspended until a time is looked at again then. */
function atSuspensionEnd(next: Next, { spec, now }: ReconcileContext): Next {
  const until = spec['suspendUntil']
  const wait = typeof until === 'string' ? Date.parse(until) - now.getTime() : Number.NaN
  return wait > 0 ? { again: Math.min(next.again ?? wait, wait), result: 'requeue_after' } : next
}

async function runPhases(phases: readonly Phase[], context: ReconcileContext): Promise<Outcome> {
  for (const phase of phases) {
    const outcome = await phase(context)
    if (outcome !== null) return outcome
  }
  return done
}

async function finalize(
  object: WorldObject,
  reconciler: KindReconciler,
  context: ReconcileContext,
  deps: ReconcileDeps,
): Promise<Result> {
  try {
    const outcome = await reconciler.finalize(context)
    if (outcome.kind === 'done') {
      await confirmGone(object, context, deps)
      return { again: null, result: 'gone' }
    }
    const next = interpretOutcome(outcome, context.conditions, deps.resyncMs)
    context.conditions.set('Ready', 'False', 'Terminating', 'message' in outcome ? outcome.message : 'being removed')
    await deps.statuses.write(context.key, statusOf(object, context, deps), context.correlationId)
    return next
  } catch (error) {
    reportFailure(error, context, deps)
    await deps.statuses.write(context.key, statusOf(object, context, deps), context.correlationId)
    return { again: null, result: 'failed' }
  }
}

/** The row goes only now: what was not confirmed gone is never forgotten. */
async function confirmGone(object: WorldObject, context: ReconcileContext, deps: ReconcileDeps): Promise<void> {
  const { namespace, name, kind, uid, generation, labels, annotations, spec, createdAt } = object
  await transact(deps.store, async (tx) => {
    await removeObject(tx, uid)
    await appendEvents(tx, deps.store, [
      {
        event_id: uuidv7(context.now.getTime()),
        event_name: 'stateward.object.deleted' satisfies EventName,
        occurred_at: context.now,
        env_id: namespace === '' ? 'default' : namespace,
        actor: 'system',
        correlation_id: context.correlationId,
        resource: { type: kind, id: uid },
        data: { namespace, name, generation, labels, annotations, spec, creationTimestamp: createdAt.toISOString() },
      },
    ])
  })
  deps.world.remove(keyOf(object))
  await deps.drift.forget(object, context.correlationId)
}

function contextOf(key: ObjectKey, object: WorldObject, deps: ReconcileDeps): ReconcileContext {
  const spec = deps.world.effective(object)
  return {
    key,
    object,
    spec,
    world: deps.world,
    suspended: spec['suspend'] === true,
    issues: deps.issuesOf(key),
    held: deps.heldChangeOf(key),
    conditions: new ConditionSet(),
    fields: {},
    ready: { reason: 'Succeeded', message: 'as declared' },
    correlationId: newCorrelationId(),
    now: deps.store.clock.now(),
  }
}

function statusOf(object: WorldObject, context: ReconcileContext, deps: ReconcileDeps): ObjectStatus {
  const definition = kindOf(object.kind)!
  const attempted = context.issues.length > 0 ? deps.attemptedRevision() : object.lastAppliedRevision
  const requestedAt = object.annotations['stateward.dev/requestedAt']
  const overrides = deps.world.overrides(context.key).map((row) => ({
    path: row.path,
    value: row.value,
    actor: row.actor,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at.toISOString() }),
    ...(row.intervention_id === null ? {} : { intervention: row.intervention_id }),
  }))
  const { overrides: _before, ...old } = deps.world.get(context.key)?.status ?? object.status
  return summarize(old, {
    table: definition.conditions,
    generation: object.generation,
    now: context.now,
    said: context.conditions,
    fields: {
      effectiveDigest: object.effectiveDigest,
      lastAppliedRevision: object.lastAppliedRevision,
      ...(attempted === null ? {} : { lastAttemptedRevision: attempted }),
      ...context.fields,
      ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
      ...(overrides.length === 0 ? {} : { overrides }),
    },
    ready: {
      status: context.ready.reason === 'Succeeded' ? 'True' : 'Unknown',
      reason: context.ready.reason,
      message: context.ready.message,
    },
  })
}

function reportFailure(error: unknown, context: ReconcileContext, deps: ReconcileDeps): void {
  const { kind, namespace, name } = context.object
  context.conditions.set('Reconciling', 'True', 'ProgressingWithRetry', errorMessage(error))
  deps.log.error(
    { kind, namespace, name, err: error, correlation_id: context.correlationId },
    'reconcile failed; it will be tried again',
  )
}
