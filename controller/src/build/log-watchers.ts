import { watchForAlerts } from '../alerts/watch.ts'
import { watchAgentBreakers } from '../breakers/agent-breakers.ts'
import { watchDeclaredBreakers } from '../breakers/declared-breakers.ts'
import { keepBudgets } from '../budgets/keeper.ts'
import { keyOf, type ObjectKey } from '../kinds/resource.ts'
import { StatewardError } from '../lib/errors.ts'
import { newCorrelationId } from '../lib/ids.ts'
import { watchTreasury } from '../policy/treasury-watch.ts'
import type { World } from '../reconcile/world.ts'
import { cancelRun } from '../runs/cancel.ts'
import type { LongRuns } from '../runs/long-runs.ts'
import type { LogConsumer } from '../store/log-consumer.ts'
import { declaredBreakers, type terminations } from './breakers.ts'
import { breakerSettingsOf } from './builtin-tools.ts'
import type { Core } from './core.ts'
import { makeNotifications } from './notifications.ts'

export interface LogWatcherDeps {
  /** Merged decisions of gates; null = the source has none. */
  readonly gates: LogConsumer | null
  readonly wakeObject: (key: ObjectKey) => void
  readonly terminate: ReturnType<typeof terminations>
  readonly longRuns: LongRuns
}

/** What the leader does because of events: each part is told when the log has grown, and reads what is its own. */
export function logWatchers(core: Core, { gates, wakeObject, terminate, longRuns }: LogWatcherDeps) {
  const { store, world } = core
  const notifications = makeNotifications(core)
  const budgets = keepBudgets({
    store,
    nudgeRun: core.announce.run,
    changed({ account, row }) {
      if (account.startsWith('Budget/')) wakeObject(keyOf({ kind: 'Budget', ...row }))
    },
    kill: runKiller(core),
  })
  const declared = watchDeclaredBreakers({
    ...{ store, declared: declaredBreakers(world), wake: core.announce.task },
    ...terminate,
  })
  const followers = [
    watchForAlerts(store),
    watchTreasury(store, core.policies.treasury),
    notifications.watch,
    watchAgentBreakers(store, agentsWithBreakers(world), core.announce.task),
    budgets,
    longRuns,
    ...(gates === null ? [] : [gates]),
  ]
  const nudge = () => {
    for (const follower of followers) follower.nudge()
  }
  let unsubscribe = (): void => {}
  return {
    start() {
      budgets.start()
      declared.start()
      notifications.deliverer.start()
      unsubscribe = core.feed.subscribe(nudge)
      nudge()
    },
    async stop() {
      unsubscribe()
      for (const follower of followers) await follower.stop()
      await notifications.deliverer.stop()
      await declared.stop()
    },
  }
}

/** Cancels a run because its budget says so; one that has ended meanwhile is as it should be. */
function runKiller({ store, environments: environmentOf, announce }: Core) {
  return async (runId: string, reason: string): Promise<void> => {
    const caller = { actor: 'system:budgets', correlationId: newCorrelationId() }
    try {
      await cancelRun({ store, environmentOf, nudge: announce.run }, { runId, reason }, caller)
    } catch (error) {
      if (!(error instanceof StatewardError) || error.ref !== 'SW_CONFLICT') throw error
    }
  }
}

/** Worked out again only when a spec may have changed: it is asked for whenever the log has grown. */
function agentsWithBreakers(world: World) {
  let known: { readonly version: number; readonly agents: ReturnType<typeof brokenOffAgents> } | null = null
  return () => {
    if (known?.version !== world.version) known = { version: world.version, agents: brokenOffAgents(world) }
    return known.agents
  }
}

function brokenOffAgents(world: World) {
  return [...world.ofKind('Agent').values()].flatMap((object) => {
    const settings = object.deleting ? null : breakerSettingsOf(world.effective(object))
    return settings === null ? [] : [{ namespace: object.namespace, name: object.name, settings }]
  })
}
