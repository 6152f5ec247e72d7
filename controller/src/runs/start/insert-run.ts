import { fail } from '../../lib/error-catalogue.ts'
import { StatewardError } from '../../lib/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendEvents } from '../../store/log.ts'
import { getRun } from '../../store/queries/runs.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { AcceptedBlueprint, Caller, EnvironmentOf, ToolRunner } from '../ports.ts'
import { assertAffordable } from './affordable.ts'
import { admitRun, noCapacity } from './backpressure.ts'
import { type CreateRun, createdEvent, createRun, type NewRunRequest, newRun } from './create.ts'

export interface InsertRunDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  readonly create: CreateRun
  /** Knows what steps cost; left out, nobody does. */
  readonly tools?: Pick<ToolRunner, 'find'>
  /** A run is durable that whoever is free may claim: called after the commit. */
  readonly nudge: (runId: string) => void
}

/** The admission of every run that somebody asks for. SW_CONFLICT: the name is taken. SW_NO_CAPACITY: back-pressure. SW_OVER_BUDGET: it costs more than it may. */
export async function insertRunOf(
  deps: InsertRunDeps,
  blueprint: AcceptedBlueprint,
  request: {
    readonly name: string | null
    /** Resolved and checked. */
    readonly inputs: JsonObject
    readonly priority: number
    readonly trigger: 'manual' | 'inline' | `operation:${string}`
  },
  caller: Caller,
): Promise<{ readonly runId: string }> {
  const wanted: NewRunRequest = {
    blueprint,
    name: request.name,
    inputs: request.inputs,
    trigger: request.trigger,
    event: null,
    dedupeKey: null,
    priority: request.priority,
    actor: caller.actor,
    correlationId: caller.correlationId,
    envId: deps.environmentOf(blueprint.namespace).id,
    ...(caller.operation === undefined ? {} : { runId: caller.operation }),
  }
  // Asked for before, by a request whose answer was lost.
  if (caller.operation !== undefined && (await getRun(deps.store.engine, caller.operation)) !== null)
    return { runId: caller.operation }
  if (deps.tools !== undefined) assertAffordable(deps.tools, blueprint.plan, blueprint.namespace)
  return { runId: blueprint.plan.backpressure === null ? await start(deps, wanted) : await startWithin(deps, wanted) }
}

/** A name that is made up is taken once in a billion; a few more tries and it is certain. */
const NAME_TRIES = 5

async function start({ store, create, nudge }: InsertRunDeps, wanted: NewRunRequest): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const now = store.clock.now()
    const run = newRun(wanted, now)
    try {
      if ((await create(run, wanted.blueprint.plan, createdEvent(run, wanted, now))) === 'free') nudge(run.run_id)
      return run.run_id
    } catch (error) {
      if (!(error instanceof StatewardError) || error.ref !== 'SW_CONFLICT') throw error
      if (wanted.name !== null) throw fail('SW_CONFLICT', `there is a run ${run.namespace}/${run.name} already`)
      if (attempt === NAME_TRIES) throw error
    }
  }
}

/** Within the limits of its blueprint, which are counted in the transaction that makes the run. */
async function startWithin({ store, nudge }: InsertRunDeps, wanted: NewRunRequest): Promise<string> {
  const runId = await transact(store, async (tx) => {
    const admission = await admitRun(tx, wanted.blueprint, store.clock.now())
    if (!admission.admitted) throw noCapacity(admission, store.clock.now())
    const result = await createRun(tx, store.clock.now(), wanted)
    if (result.kind === 'exists') throw fail('SW_CONFLICT', `the run is there already: ${result.name}`)
    await appendEvents(tx, store, [result.event])
    return result.runId
  })
  nudge(runId)
  return runId
}
