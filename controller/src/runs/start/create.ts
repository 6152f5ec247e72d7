import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { EventName } from '../../events/catalogue.ts'
import type { EventValue } from '../../expressions/values.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { recordName, uuidv7 } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { cleanText } from '../../store/journal/clean.ts'
import type { Journal } from '../../store/journal.ts'
import type { NewEvent } from '../../store/ports.ts'
import { insertPlan } from '../../store/queries/plans.ts'
import { findEndedRun, findRunInTheWay, insertRun, type NewRun, type RunParent } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import type { AcceptedBlueprint } from '../ports.ts'
import { PlanCache } from '../state/load.ts'

export interface NewRunRequest {
  /** Left out = a new one. */
  readonly runId?: string
  readonly blueprint: AcceptedBlueprint
  /** Null = `<blueprint>-<6 base32>`; without a blueprint `inline-…`. */
  readonly name: string | null
  /** Resolved and checked. */
  readonly inputs: JsonObject
  /** `manual`, `inline`, `operation:<name>`, or `event:<name or glob of the trigger>`. */
  readonly trigger: string
  readonly event: EventValue | null
  readonly dedupeKey: string | null
  /** How long the key stays taken after its run has ended; default 0. */
  readonly dedupeWindowMs?: number
  readonly priority: number
  /** The run it follows from. */
  readonly parent?: RunParent
  readonly actor: string
  readonly correlationId: string
  readonly envId: string
}

export type NewRunResult =
  | { readonly kind: 'created'; readonly runId: string; readonly name: string; readonly event: NewEvent }
  /** The same event started it before, or a run with the same dedupe key has not ended, or not long ago. */
  | { readonly kind: 'exists'; readonly why: 'trigger' | 'dedupe'; readonly runId: string; readonly name: string }

/** A name that is made up is taken once in a billion; a few more tries and it is certain. */
const NAME_TRIES = 5

/**
 * Inserts a run, pinned to the commit and the plan its blueprint has now. It is free to be claimed as soon as the
 * transaction commits. The caller appends the returned event in the same transaction, last, and nudges the run engine
 * afterwards. SW_CONFLICT: the name that was asked for is taken.
 */
export async function createRun(tx: Tx, now: Date, request: NewRunRequest): Promise<NewRunResult> {
  const { blueprint } = request
  const recent = await endedWithinWindow(tx, now, request)
  if (recent !== null) return recent
  for (let attempt = 1; attempt <= NAME_TRIES; attempt++) {
    const run = newRun(request, now)
    // Sent together; the plan is there when the run is inserted.
    const [, inserted] = await Promise.all([
      insertPlan(tx, blueprint.digest, blueprint.plan, now),
      insertRun(tx, run, request.parent),
    ])
    if (inserted) return { kind: 'created', runId: run.run_id, name: run.name, event: createdEvent(run, request, now) }
    const other = await findRunInTheWay(tx, run)
    if (other !== null && other.why !== 'name')
      return { kind: 'exists', why: other.why, runId: other.run_id, name: other.name }
    if (request.name !== null) throw fail('SW_CONFLICT', `there is a run ${run.namespace}/${run.name} already`)
  }
  throw fail('SW_CONFLICT', `no free name was found for a run of ${blueprint.namespace}/${blueprint.name}`)
}

async function endedWithinWindow(tx: Tx, now: Date, request: NewRunRequest): Promise<NewRunResult | null> {
  const { blueprint, dedupeKey, dedupeWindowMs = 0, trigger, event } = request
  if (dedupeKey === null || dedupeWindowMs === 0) return null
  const since = new Date(now.getTime() - dedupeWindowMs)
  const run = await findEndedRun(tx, { blueprintUid: blueprint.uid, dedupeKey: cleanText(dedupeKey), since })
  if (run === null) return null
  const isSameEvent = run.trigger === trigger && run.trigger_event === (event?.id ?? null)
  return { kind: 'exists', why: isSameEvent ? 'trigger' : 'dedupe', runId: run.run_id, name: run.name }
}

/** What a run has that has not begun. */
export const UNBEGUN = {
  status: 'created',
  owner: null,
  wake_at: null,
  signals: 0,
  outputs: null,
  error: null,
  condition: null,
  started_at: null,
  completed_at: null,
  deadline: null,
  parent_run: null,
  parent_kind: null,
} as const

/**
 * Makes a run, in one commit with whatever else moves at that moment; resolves when it is durable, and tells whether this
 * process moves it or whoever is free. SW_CONFLICT: its name is taken.
 */
export type CreateRun = (run: NewRun, plan: CompiledPlan, event: NewEvent) => Promise<'moved' | 'free'>

/** For a process that moves no runs. */
export function createsFreeRuns(store: Store, journal: Journal): CreateRun {
  const plans = new PlanCache()
  return async (run, plan, event) => {
    await plans.store(store.engine, run.plan_digest, plan, run.created_at)
    await createFree(journal, run, event)
    return 'free'
  }
}

/** Its plan is stored. */
export async function createFree(journal: Journal, run: NewRun, event: NewEvent): Promise<void> {
  const { run_id, created_at } = run
  const none = { steps: [], gates: [], effects: [], tasks: [], taskCancels: [], waits: [], waitEnds: [], consumed: [] }
  const free = { run_id, from: [], release: true, now: created_at, ...UNBEGUN, wake_at: created_at }
  try {
    await journal.append({ run_id, created: run, run: free, ...none, events: [event] })
  } catch (error) {
    journal.readmit(run_id)
    throw error
  }
}

/** A run as it is made of what was asked for. */
export function newRun(request: NewRunRequest, now: Date): NewRun {
  const { blueprint, event } = request
  return {
    run_id: request.runId ?? uuidv7(now.getTime()),
    namespace: blueprint.namespace,
    name: request.name ?? recordName(blueprint.name === '' ? 'inline' : blueprint.name),
    blueprint_uid: blueprint.uid,
    blueprint: blueprint.name,
    revision: blueprint.revision,
    plan_digest: blueprint.digest,
    priority: request.priority,
    trigger: request.trigger,
    // The event started the first of them; the others only read it.
    trigger_event: request.parent === undefined ? (event?.id ?? null) : null,
    dedupe_key: request.dedupeKey === null ? null : cleanText(request.dedupeKey),
    event: event as unknown as JsonObject | null,
    inputs: request.inputs,
    actor: request.actor,
    correlation_id: request.correlationId,
    created_at: now,
  }
}

export function createdEvent(run: NewRun, request: NewRunRequest, now: Date): NewEvent {
  return {
    event_id: uuidv7(now.getTime()),
    event_name: 'stateward.run.created' satisfies EventName,
    occurred_at: now,
    env_id: request.envId,
    actor: request.actor,
    correlation_id: request.correlationId,
    run_id: run.run_id,
    resource: { type: 'Run', id: run.run_id },
    data: {
      run: run.name,
      namespace: run.namespace,
      blueprint: run.blueprint,
      blueprint_uid: run.blueprint_uid,
      revision: run.revision,
      plan_digest: run.plan_digest,
      trigger: run.trigger,
      trigger_event: run.trigger_event,
      dedupe_key: run.dedupe_key,
      priority: run.priority,
      ...parentOf(request),
      inputs: run.inputs,
    },
  }
}

function parentOf({ parent, event }: NewRunRequest): JsonObject {
  if (parent === undefined) return {}
  return { parent_run: parent.runId, parent_kind: parent.kind, ...(event === null ? {} : { event_id: event.id }) }
}
