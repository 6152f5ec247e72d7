import type { PrincipalSpec } from '../kinds/principal/principal.schema.ts'
import { isObject } from '../lib/json.ts'
import { type AgentParent, agentLineage } from '../plan/approvals/agent-lineage.ts'
import { type Identities, identitiesOf } from '../plan/approvals/identities.ts'
import type { World } from '../reconcile/world.ts'

/** Who is who, as of the last applied revision: people as Principals declare them, agents with who stands above them. */
export interface People {
  identities(): Identities
  lineage(of: readonly string[]): ReturnType<typeof agentLineage>
}

/** Read again when a spec may have changed. */
export function peopleOf(world: World): People {
  let version = -1
  let identities = identitiesOf([])
  let agents: readonly AgentParent[] | null = null
  const current = () => {
    if (version === world.version) return
    identities = identitiesOf(
      [...world.ofKind('Principal').values()].flatMap((object) =>
        object.deleting ? [] : [{ name: object.name, spec: world.effective(object) as PrincipalSpec }],
      ),
    )
    agents = null
    version = world.version
  }
  return {
    identities() {
      current()
      return identities
    },
    lineage(of) {
      if (!of.some((principal) => principal.startsWith('agent:'))) return NOBODY
      current()
      agents ??= agentsOf(world)
      return agentLineage(of, agents)
    },
  }
}

const NOBODY = { above: [], below: [] }

function agentsOf(world: World): AgentParent[] {
  return [...world.ofKind('Agent').values()].map((object) => {
    const parent = world.effective(object)['parentRef']
    const name = isObject(parent) && typeof parent['name'] === 'string' ? parent['name'] : null
    return {
      principal: `agent:${object.namespace}/${object.name}`,
      parent: name === null ? null : `agent:${object.namespace}/${name}`,
    }
  })
}
