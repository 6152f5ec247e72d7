import type { AgentTaskStep, GateStep } from '../../blueprints/compiled-plan.ts'
import { isObject } from '../../lib/json.ts'
import type { Placed } from './frame.ts'
import { placeInNest } from './nest.ts'
import type { RunState } from './run-state.ts'

/** The steps that had to pass before this one could begin, those around the loops and calls it is in as well. */
function stepsAbove(run: RunState, step: Placed): Placed[] {
  const found: Placed[] = []
  for (let at: Placed | undefined = step; at !== undefined; ) {
    const seen = new Set<string>()
    const open = [...at.waitsFor]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const above = at.frame.steps.find((each) => each.id === id)
      if (above === undefined || seen.has(id)) continue
      seen.add(id)
      found.push(above)
      open.push(...above.waitsFor)
    }
    const place = placeInNest(at.path)
    at = place === null ? undefined : run.nests.get(place.header)?.header
  }
  return found
}

/** Who approved the gates of the plan that stand above a step; a list a gate. */
export function approversAbove(run: RunState, step: Placed): readonly (readonly string[])[] {
  return stepsAbove(run, step).flatMap((above) => {
    const row = run.steps.get(above.path)
    if (above.kind !== 'gate' || (above as GateStep).mode === 'policy' || row?.status !== 'completed') return []
    const said = isObject(row.outputs) ? row.outputs['approvers'] : undefined
    return Array.isArray(said) ? [said.map(String)] : []
  })
}

/** The agents whose work a step goes on from. */
export function agentsAbove(run: RunState, step: Placed): readonly string[] {
  const names = stepsAbove(run, step).flatMap((above) =>
    above.kind === 'agent_task' && run.steps.get(above.path)?.status === 'completed'
      ? [(above as AgentTaskStep).agent]
      : [],
  )
  return [...new Set(names)]
}
