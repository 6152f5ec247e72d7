import type { EventName } from '../../events/catalogue.ts'
import { digestOf } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Executor } from '../../store/database.ts'
import type { StepRow } from '../../store/journal.ts'
import { appendEvents, readEvents } from '../../store/log.ts'
import type { LoggedEvent } from '../../store/ports.ts'
import { eventById } from '../../store/queries/events-page.ts'
import { getPlan } from '../../store/queries/plans.ts'
import { type EndedRun, lockRunStatus, replaceRun } from '../../store/queries/rebuild.ts'
import { getRun } from '../../store/queries/runs.ts'
import { stepsOfRuns } from '../../store/queries/steps.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { Caller, EnvironmentOf, ValueStore } from '../ports.ts'
import { compareRun, type Difference, type StoredRun } from './compare.ts'
import { type Rebuilt, rebuildRun, type Told } from './fold.ts'

export interface ReplayDeps {
  readonly store: Store
  readonly environmentOf: EnvironmentOf
  readonly values: Pick<ValueStore, 'read'>
}

export interface Replay {
  readonly runId: string
  readonly name: string
  /** Events it was built from. */
  readonly events: number
  readonly steps: number
  /** Where the rows were not what the events say, before anything was written. */
  readonly differences: readonly Difference[]
  readonly written: boolean
}

/**
 * Builds a run's rows from its events and compares them with what is stored; with `write` the rows become what the events
 * say. Only a run that has ended is written: one that goes on has gates and effects that no rebuilt row may overtake.
 * SW_NOT_FOUND: the log does not hold its beginning. SW_CONFLICT: it has not ended, or a value that was too large for
 * its event is neither stored nor kept as an artifact any more.
 */
export async function replayRun(
  deps: ReplayDeps,
  request: { readonly runId: string; readonly write: boolean },
  caller: Caller,
): Promise<Replay> {
  const { runId } = request
  const { rebuilt, events } = await rebuild(deps.store.engine, runId)
  const stored = await storedRun(deps.store.engine, runId)
  const differences = compareRun(rebuilt, stored)
  const replay = { runId, name: rebuilt.run.name, events, steps: rebuilt.steps.length, differences }
  if (!request.write || differences.length === 0) return { ...replay, written: false }
  await write(deps, rebuilt, differences.length, caller)
  return { ...replay, written: true }
}

async function rebuild(sql: Executor, runId: string): Promise<{ readonly rebuilt: Rebuilt; readonly events: number }> {
  const events: LoggedEvent[] = []
  for (;;) {
    const page = await readEvents(sql, { runId, after: events.at(-1)?.seq ?? 0, limit: 1000 })
    events.push(...page)
    if (page.length < 1000) break
  }
  const created = events.find(({ event_name }) => event_name === 'stateward.run.created')?.data
  const triggerId = created?.['trigger_event'] ?? created?.['event_id']
  const trigger = typeof triggerId === 'string' ? await eventById(sql, triggerId) : null
  const rebuilt = rebuildRun(events, trigger)
  if (rebuilt === null || (typeof triggerId === 'string' && trigger === null))
    throw fail('SW_NOT_FOUND', `the log does not hold the beginning of run ${runId}`, {
      remedy: 'events are kept as long as retention.events says',
    })
  return { rebuilt, events: events.length }
}

async function storedRun(sql: Executor, runId: string): Promise<StoredRun> {
  return { run: await getRun(sql, runId), steps: await stepsOfRuns(sql, [runId]) }
}

async function write(deps: ReplayDeps, rebuilt: Rebuilt, differences: number, caller: Caller): Promise<void> {
  const { store } = deps
  const { run } = rebuilt
  if (isOpen(run.status)) throw notEnded(run.name)
  const large = await readLarge(deps, rebuilt)
  await transact(store, async (tx) => {
    const status = await lockRunStatus(tx, run.run_id)
    if (status !== null && isOpen(status)) throw notEnded(run.name)
    if ((await getPlan(tx, run.plan_digest)) === null)
      throw fail('SW_CONFLICT', `the plan ${run.plan_digest} of run ${run.name} is not stored any more`)
    const stored = await storedRun(tx, run.run_id)
    await replaceRun(tx, runRow(rebuilt, stored, large), stepRows(rebuilt, stored, large))
    const now = store.clock.now()
    await appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.run.rebuilt' satisfies EventName,
        occurred_at: now,
        env_id: deps.environmentOf(run.namespace).id,
        actor: caller.actor,
        correlation_id: caller.correlationId,
        run_id: run.run_id,
        resource: { type: 'Run', id: run.run_id },
        data: { run: run.name, steps: rebuilt.steps.length, differences },
      },
    ])
  })
}

function isOpen(status: string): boolean {
  return status === 'created' || status === 'running'
}

function notEnded(name: string): Error {
  return fail('SW_CONFLICT', `run ${name} has not ended; only a run that has ended is written`)
}

/** Values that events name by their digest, as far as they are kept. */
type Large = ReadonlyMap<string, Json>

async function readLarge({ values }: ReplayDeps, { run, steps }: Rebuilt): Promise<Large> {
  const large = new Map<string, Json>()
  for (const told of [run, ...steps].flatMap(({ inputs, outputs }) => [inputs, outputs])) {
    if (!('digest' in told) || large.has(told.digest)) continue
    const value = await values.read(told.digest)
    if (value !== null) large.set(told.digest, value)
  }
  return large
}

function runRow({ run }: Rebuilt, stored: StoredRun, large: Large): EndedRun {
  return {
    ...run,
    inputs: whole('the inputs of the run', run.inputs, stored.run?.inputs, large) as JsonObject,
    outputs: whole('the outputs of the run', run.outputs, stored.run?.outputs, large) as JsonObject | null,
  }
}

function stepRows({ steps }: Rebuilt, stored: StoredRun, large: Large): Omit<StepRow, 'condition'>[] {
  return steps.map((step) => {
    const row = stored.steps.find(({ path, attempt }) => path === step.path && attempt === step.attempt)
    return {
      ...step,
      inputs: whole(`the inputs of step ${step.path}`, step.inputs, row?.inputs, large),
      outputs: whole(`the output of step ${step.path}`, step.outputs, row?.outputs, large),
    }
  })
}

/** Of what an event has the digest only: what is stored, when it is that, else what its artifact holds. */
function whole(what: string, told: Told, stored: Json | undefined, large: Large): Json {
  if (!('digest' in told)) return told.value
  if (stored != null && digestOf(stored) === told.digest) return stored
  const kept = large.get(told.digest)
  if (kept !== undefined) return kept
  throw fail('SW_CONFLICT', `${what} is too large for an event, and it is not kept any more: sha256:${told.digest}`, {
    remedy: 'artifacts are kept as long as retention.artifacts says',
  })
}
