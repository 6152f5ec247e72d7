import { isObject, valueAt } from '../lib/json.ts'
import { agentTargetOf } from '../reconcile/kinds/agent.ts'
import type { World } from '../reconcile/world.ts'

/** What daemons that report here are told. Nothing is started from it, so the trees of their files are left out. */
export function agentTargets(world: World) {
  return [...world.ofKind('Agent').values()].flatMap((object) => {
    const spec = world.effective(object)
    // A model has no process that could report.
    if (isObject(valueAt(spec, '/runtime/model'))) return []
    return agentTargetOf(object, spec, { world, suspended: spec['suspend'] === true, filesTree: null })
  })
}
