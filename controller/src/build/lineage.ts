import { type JsonObject, valueAt } from '../lib/json.ts'
import type { World } from '../reconcile/world.ts'
import type { AgentLineage } from '../store/queries/spenders.ts'

/** Nobody stands deeper than this; a circle of parents ends here as well. */
const MAX_DEPTH = 16

/** As `lineageOf` finds it in the database, of what this process has heard: what was written counts, then the template. */
export function lineageIn(world: World, namespace: string, agent: string): AgentLineage {
  const agents: string[] = []
  let project: string | null = null
  let name: string | null = agent
  while (name !== null && agents.length < MAX_DEPTH && !agents.includes(name)) {
    agents.push(name)
    const own: JsonObject = world.get(`Agent/${namespace}/${name}`)?.spec ?? {}
    const of = valueAt(own, '/templateRef/name')
    const template: JsonObject =
      typeof of === 'string' ? (world.get(`AgentTemplate/${namespace}/${of}`)?.spec ?? {}) : {}
    const named = (field: string): string | null => {
      const text = valueAt(own, `/${field}/name`) ?? valueAt(template, `/${field}/name`)
      return typeof text === 'string' ? text : null
    }
    project ??= named('projectRef')
    name = named('parentRef')
  }
  return { project, agents }
}
