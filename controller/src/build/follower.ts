import type { CompiledPlan } from '../blueprints/compiled-plan.ts'
import { WorldFollower } from '../reconcile/world-follower.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import { getPlans } from '../store/queries/plans.ts'
import { agentTargets } from './agent-targets.ts'
import type { Core } from './core.ts'

export interface Follower {
  /** Stops following: the world is the leader's from here on. */
  stop(): Promise<void>
}

/**
 * Keeps what a process that does not lead has to know: the world, the accepted blueprints, and how agents are wanted.
 * Resolves when it knows what is there now.
 */
export async function followLeader(core: Core, accepted: Map<string, AcceptedBlueprint>): Promise<Follower> {
  const { store, world, feed, parts } = core
  const plans = new Map<string, CompiledPlan>()
  const follower = new WorldFollower(store, world, async () => {
    await followBlueprints(core, plans, accepted)
    parts.agents?.follow(agentTargets(world))
  })
  const unsubscribe = feed.subscribe(() => follower.nudge())
  await follower.load()
  return {
    async stop() {
      unsubscribe()
      await follower.stop()
    },
  }
}

/** The leader compiles and keeps the plan; its digest stands in the status of the blueprint. */
async function followBlueprints(
  { store, world }: Core,
  plans: Map<string, CompiledPlan>,
  accepted: Map<string, AcceptedBlueprint>,
): Promise<void> {
  const blueprints = [...world.ofKind('Blueprint').values()].flatMap((object) => {
    const digest = object.status['planDigest']
    return object.deleting || typeof digest !== 'string' ? [] : [{ object, digest }]
  })
  const missing = new Set(blueprints.map(({ digest }) => digest).filter((digest) => !plans.has(digest)))
  if (missing.size > 0) for (const [digest, plan] of await getPlans(store.reader, [...missing])) plans.set(digest, plan)
  const wanted = new Set(blueprints.map(({ digest }) => digest))
  for (const digest of [...plans.keys()]) if (!wanted.has(digest)) plans.delete(digest)
  accepted.clear()
  for (const { object, digest } of blueprints) {
    const plan = plans.get(digest)
    if (plan === undefined) continue
    const { uid, namespace, name, lastAppliedRevision: revision } = object
    const suspended = world.effective(object)['suspend'] === true
    accepted.set(uid, { uid, namespace, name, plan, digest, revision, suspended })
  }
}
