import { agentTargetOf } from '../reconcile/kinds/agent.ts'
import type { World } from '../reconcile/world.ts'

/** What daemons that report here are told. Nothing is started from it, so the trees of their files are left out. */
export function agentTargets(world: World) {
  return [...world.ofKind('Agent').values()].map((object) => {
    const spec = world.effective(object)
    return agentTargetOf(object, spec, { world, suspended: spec['suspend'] === true, filesTree: null })
  })
}
