import type { EventName } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Tx } from '../store/database.ts'
import { appendEvents } from '../store/log.ts'
import type { NewEvent } from '../store/ports.ts'
import { daemonsToHearFrom } from '../store/queries/intervention-receipts.ts'
import {
  type InterventionAction,
  type InterventionRow,
  insertIntervention,
  lockInterventionsOf,
  mergedTermination,
  moveIntervention,
  type NewIntervention,
  openInterventions,
} from '../store/queries/interventions.ts'
import { overridesOf, removeOverride, saveOverride } from '../store/queries/overrides.ts'
import { redirectTasks } from '../store/queries/task-allowance.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { effectOf } from './effect.ts'
import { endInterventions } from './end.ts'
import { CONTROLLER, interventionEvent } from './events.ts'
import type { Caller, InterventionTarget } from './ports.ts'

export interface InterventionRequest {
  readonly action: InterventionAction
  /** Of redirect {to?, goal?}, of constrain {constraints}. */
  readonly params: JsonObject
  readonly reason: string
  readonly expiresAt: Date | null
  readonly merge: boolean
}

/** Interventions of one group say something else about the same: the newest counts. */
const GROUPS: Readonly<Record<InterventionAction, string>> = {
  pause: 'running',
  resume: 'running',
  terminate: 'running',
  redirect: 'tasks',
  constrain: 'limits',
}
/** When a commit that could not be made right away is tried again. */
const PROPOSE_AGAIN_MS = 10_000

/**
 * Intervenes: the record, the overrides, the moved tasks and the events in one transaction. From its commit on it counts:
 * no process hands the agent a task it must not have. Nothing here touches Git.
 */
export async function issueIntervention(
  store: Store,
  target: InterventionTarget,
  request: InterventionRequest,
  caller: Caller,
): Promise<NewIntervention> {
  return transact(store, async (tx) => {
    await lockInterventionsOf(tx, target.uid)
    const at = store.clock.now()
    const agent = { kind: 'Agent', namespace: target.namespace, name: target.name }
    const overrides = await overridesOf(tx, agent)
    const terminated = request.action === 'resume' ? await mergedTermination(tx, target.uid) : null
    const effect = effectOf(request.action, request.params, target, overrides, terminated)
    const row: NewIntervention = {
      intervention_id: uuidv7(at.getTime()),
      namespace: target.namespace,
      agent: target.name,
      agent_uid: target.uid,
      action: request.action,
      params: effect.params,
      reason: request.reason,
      issued_by: caller.actor,
      issued_at: at,
      expires_at: request.expiresAt,
      in_force: effect.sets.length > 0,
      propose_at: movesTasksOnly(request) ? null : new Date(at.getTime() + PROPOSE_AGAIN_MS),
      merge: request.merge,
      correlation_id: caller.correlationId,
    }
    const moved =
      request.params['to'] !== undefined ? await redirect(tx, target, request.params, row, caller) : NO_TASKS
    await insertIntervention(tx, { ...row, params: { ...row.params, ...moved.params } })
    const paths = new Set(effect.sets.map(({ path }) => path))
    const over = [...effect.lifts, ...overrides.filter(({ path }) => paths.has(path))]
    for (const { id } of effect.lifts) await removeOverride(tx, id)
    for (const { path, value, base } of effect.sets)
      await saveOverride(tx, {
        id: uuidv7(at.getTime()),
        ...agent,
        path,
        value,
        base,
        actor: caller.actor,
        reason: request.reason,
        created_at: at,
        expires_at: request.expiresAt,
        intervention_id: row.intervention_id,
      })
    const why = request.action === 'resume' ? ('resumed' as const) : ('replaced' as const)
    const ids = [...new Set(over.flatMap(({ intervention_id }) => intervention_id ?? []))]
    const by = { at, actor: caller.actor }
    const ended = await endInterventions(
      tx,
      ids.map((id) => ({ id, why })),
      by,
    )
    const replaced = await expireOlder(tx, row, by)
    const applied = await applyForNobody(tx, row, at)
    await appendEvents(tx, store, [
      ...ended,
      ...replaced,
      issuedEvent(row, moved.params, caller),
      ...moved.events,
      ...applied,
    ])
    return row
  })
}

/** Of that nothing has to be said in Git. */
function movesTasksOnly({ action, params }: InterventionRequest): boolean {
  return action === 'redirect' && params['goal'] === undefined
}

function issuedEvent(row: NewIntervention, more: JsonObject, { actor }: Caller): NewEvent {
  return interventionEvent('issued', row, row.issued_at, actor, {
    reason: row.reason,
    params: { ...row.params, ...more },
    in_force: row.in_force,
    expires_at: row.expires_at?.toISOString() ?? null,
  })
}

const NO_TASKS: { readonly params: JsonObject; readonly events: readonly NewEvent[] } = { params: {}, events: [] }

/** Waiting tasks go to another agent; what somebody works on stays with him. */
async function redirect(
  tx: Tx,
  target: InterventionTarget,
  params: JsonObject,
  row: NewIntervention,
  { actor }: Caller,
): Promise<typeof NO_TASKS> {
  const to = String(params['to'])
  const tasks = await redirectTasks(tx, target, to)
  const { namespace } = target
  return {
    params: { tasks: tasks.length },
    events: tasks.map((task) => ({
      event_id: uuidv7(row.issued_at.getTime()),
      event_name: 'stateward.task.redirected' satisfies EventName,
      occurred_at: row.issued_at,
      env_id: namespace,
      actor,
      correlation_id: task.correlation_id,
      run_id: task.run_id,
      resource: { type: 'Agent', id: `${namespace}/${to}` },
      data: { task_id: task.task_id, namespace, agent: to, from: target.name, intervention_id: row.intervention_id },
    })),
  }
}

/** What was said before about the same and is not in force has nothing to say any more, answered or not. */
async function expireOlder(
  tx: Tx,
  row: NewIntervention,
  by: { readonly at: Date; readonly actor: string },
): Promise<NewEvent[]> {
  const events: NewEvent[] = []
  for (const older of await openInterventions(tx, row.agent_uid)) {
    const isOlder = older.intervention_id !== row.intervention_id && GROUPS[older.action] === GROUPS[row.action]
    if (!isOlder || older.in_force) continue
    const detail = `replaced by ${row.action} ${row.intervention_id}`
    if (await moveIntervention(tx, older.intervention_id, 'expired', { ...by, detail }))
      events.push(interventionEvent('expired', older, by.at, by.actor, { detail }))
  }
  return events
}

/** An agent without a living daemon has nobody to answer: the controller does all there is to do. */
export async function applyForNobody(
  tx: Tx,
  row: Pick<
    InterventionRow,
    'intervention_id' | 'agent_uid' | 'namespace' | 'agent' | 'action' | 'correlation_id' | 'issued_by'
  >,
  at: Date,
): Promise<NewEvent[]> {
  if ((await daemonsToHearFrom(tx, row.intervention_id, row.agent_uid)) > 0) return []
  const moved = await moveIntervention(tx, row.intervention_id, 'applied', { at, actor: CONTROLLER, detail: null })
  return moved ? [interventionEvent('applied', row, at, CONTROLLER, { detail: null })] : []
}
