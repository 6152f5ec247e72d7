import type { ObjectKey } from '../kinds/resource.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { createSchedules, type Schedules } from '../runs/schedules/schedules.ts'
import { type CreateRun, createsFreeRuns } from '../runs/start/create.ts'
import { createHeldBack, type HeldBack } from '../runs/start/held-back.ts'
import { createTriggers } from '../runs/triggers/triggers.ts'
import type { Core } from './core.ts'
import { blueprintsOf } from './world-views.ts'

/** What starts runs by itself: events and schedules. The leader's alone. */
export interface Intake {
  readonly heldBack: HeldBack
  readonly schedules: Schedules
  start(): void
  /** The blueprints changed. */
  nudge(): void
  stop(): Promise<void>
}

export function makeIntake(
  core: Core,
  accepted: ReadonlyMap<string, AcceptedBlueprint>,
  enqueue: (key: ObjectKey) => void,
): Intake {
  const { store, world, environments, announce, feed, log } = core
  const blueprints = blueprintsOf(world, accepted)
  const heldBack = createHeldBack((uid) => {
    const blueprint = accepted.get(uid)
    if (blueprint !== undefined) enqueue(`Blueprint/${blueprint.namespace}/${blueprint.name}`)
  })
  const created = (runIds: readonly string[]): void => {
    for (const runId of runIds) announce.run(runId)
  }
  const triggers = createTriggers({
    store,
    held: ({ uid }, message) => heldBack.set('events', uid, message),
    blueprints,
    environmentOf: environments,
    tools: core.tools,
    create: runMaker(core),
    created,
    mismatch: ({ blueprint, event, missingKey, error }) =>
      log.warn(
        {
          kind: 'Blueprint',
          namespace: blueprint.namespace,
          name: blueprint.name,
          event: event.event_name,
          missing: missingKey,
          error,
        },
        'a trigger filter could not be applied to an event',
      ),
  })
  const schedules = createSchedules({
    store,
    held: ({ uid }, message) => heldBack.set('schedules', uid, message),
    blueprints,
    environmentOf: environments,
    tools: core.tools,
    changed: created,
  })
  let unsubscribe = (): void => {}
  return {
    heldBack,
    schedules,
    start() {
      unsubscribe = feed.subscribe(() => triggers.nudge())
      triggers.start()
      schedules.start()
    },
    nudge() {
      triggers.nudge()
      schedules.nudge()
    },
    async stop() {
      unsubscribe()
      await schedules.stop()
      await triggers.stop()
    },
  }
}

/** Alone, this process moves the runs of events at once; where others work too, whoever is free takes them. */
function runMaker({ store, journal, parts }: Core): CreateRun {
  const free = createsFreeRuns(store, journal)
  return (run, plan, event) => {
    const { engine } = parts
    return engine === null || store.writer.hasPeers ? free(run, plan, event) : engine.create(run, plan, event)
  }
}
