import { resolveInputs } from '../../blueprints/inputs.ts'
import type { EventName } from '../../events/catalogue.ts'
import type { EventValue } from '../../expressions/values.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { appendEvents } from '../../store/log.ts'
import { type DeadLetter, deadLetter, insertRequeue } from '../../store/queries/dead-letters.ts'
import { eventById } from '../../store/queries/events-page.ts'
import { getPlan } from '../../store/queries/plans.ts'
import { getRun } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { AcceptedBlueprint, Blueprints, Caller, EnvironmentOf } from '../ports.ts'
import { createRun, type NewRunRequest } from '../start/create.ts'
import { triggeredBy } from './trigger-match.ts'

export interface RequeueDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  readonly nudge: (runId: string) => void
}

type Wanted = Omit<NewRunRequest, 'actor' | 'correlationId'>

/**
 * Tries again what failed for good, with the blueprint as it is accepted now: a new run of the event that was refused, or of
 * what the failed run was given. Each dead letter is requeued once; when it fails again, that is a new one.
 * SW_NOT_FOUND: no such dead letter, or what it needs is not held any more. SW_CONFLICT: requeued before.
 * SW_VALIDATION_FAILED: it would be refused again.
 */
export async function requeueDeadLetter(
  deps: RequeueDeps,
  id: string,
  caller: Caller,
): Promise<{ readonly runId: string; readonly name: string }> {
  const { store } = deps
  const letter = await deadLetter(store.engine, id)
  if (letter === null) throw fail('SW_NOT_FOUND', `there is no dead letter ${id}`)
  if (letter.requeued_run_id !== null) throw before(letter)
  const wanted = letter.kind === 'trigger' ? await fromEvent(deps, letter) : await fromRun(deps, letter)
  const made = await transact(store, async (tx) => {
    const now = store.clock.now()
    const request = { ...wanted, actor: caller.actor, correlationId: letter.correlation_id }
    const result = await createRun(tx, now, request)
    if (result.kind === 'exists')
      throw fail('SW_CONFLICT', `there is a run for it already: ${result.name}`, { details: { run: result.name } })
    const requeue = { dead_letter_id: id, run_id: result.runId, actor: caller.actor, requeued_at: now }
    if (!(await insertRequeue(tx, requeue))) throw before(letter)
    await appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.run.requeued' satisfies EventName,
        occurred_at: now,
        env_id: wanted.envId,
        actor: caller.actor,
        correlation_id: letter.correlation_id,
        run_id: letter.run_id,
        resource: { type: 'Blueprint', id: letter.blueprint_uid },
        data: {
          dead_letter: id,
          kind: letter.kind,
          run: result.name,
          run_id: result.runId,
          request_correlation_id: caller.correlationId,
        },
      },
      result.event,
    ])
    return result
  })
  deps.nudge(made.runId)
  return { runId: made.runId, name: made.name }
}

function before(letter: DeadLetter): Error {
  return fail('SW_CONFLICT', `dead letter ${letter.dead_letter_id} was requeued before`, {
    details: { run_id: letter.requeued_run_id },
  })
}

async function fromEvent({ store, blueprints, environmentOf }: RequeueDeps, letter: DeadLetter): Promise<Wanted> {
  const blueprint = blueprintOf(blueprints, letter)
  const event = await eventById(store.engine, letter.event_id!)
  if (event === null) throw fail('SW_NOT_FOUND', `event ${letter.event_id} is not held any more`)
  // Nobody is asked whether events may start it now: a person asks for this one.
  const { triggered } = triggeredBy(event, [{ ...blueprint, suspended: false }], environmentOf)
  const again = triggered.find((one) => (one.kind === 'run' ? one.request.trigger : one.trigger) === letter.trigger)
  if (again === undefined)
    throw fail('SW_CONFLICT', `blueprint ${blueprint.name} does not listen to event ${event.event_name} any more`)
  if (again.kind === 'run') return again.request
  throw refused(
    blueprint,
    again.problems.map(({ pointer, message }) => ({ pointer: String(pointer ?? ''), message: String(message) })),
  )
}

async function fromRun(deps: RequeueDeps, letter: DeadLetter): Promise<Wanted> {
  const run = await getRun(deps.store.engine, letter.run_id!)
  if (run === null) throw fail('SW_NOT_FOUND', `run ${letter.run} is not held any more`)
  const plan = letter.blueprint === null ? await getPlan(deps.store.engine, run.plan_digest) : null
  // A plan of its own cannot have changed; a blueprint may have been corrected since.
  const blueprint: AcceptedBlueprint =
    plan === null
      ? blueprintOf(deps.blueprints, letter)
      : {
          uid: run.blueprint_uid,
          namespace: run.namespace,
          name: '',
          plan,
          digest: run.plan_digest,
          revision: run.revision,
          suspended: false,
        }
  const event = run.event as unknown as EventValue | null
  const known = new Set(blueprint.plan.inputs.map(({ name }) => name))
  const given = Object.fromEntries(Object.entries(run.inputs).filter(([name]) => known.has(name)))
  const inputs = resolveInputs(blueprint.plan, given, event)
  if (!inputs.ok) throw refused(blueprint, inputs.problems)
  return {
    blueprint,
    name: null,
    inputs: inputs.values,
    trigger: `requeue:${run.name}`,
    event,
    dedupeKey: null,
    priority: run.priority,
    envId: deps.environmentOf(run.namespace).id,
  }
}

function blueprintOf(blueprints: Blueprints, letter: DeadLetter): AcceptedBlueprint {
  const found = blueprints.all().find(({ uid }) => uid === letter.blueprint_uid)
  if (found !== undefined) return found
  throw fail('SW_NOT_FOUND', `blueprint ${letter.blueprint} is not there any more`)
}

function refused(
  blueprint: AcceptedBlueprint,
  problems: readonly { readonly message: string; readonly pointer?: string }[],
): Error {
  const violations = problems.map(({ pointer = '', message }): { [key: string]: Json } => ({
    path: `/inputs${pointer}`,
    message,
  }))
  const first = problems[0]?.message ?? 'its inputs do not fit'
  return fail('SW_VALIDATION_FAILED', `blueprint ${blueprint.name} would refuse it again: ${first}`, {
    details: { violations },
  })
}
