import { dirname } from 'node:path'
import { Agents } from '../agents/agents.ts'
import { DEFAULT_SETTINGS, type PodsContext } from '../agents/context.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/schema.ts'
import { tellAgent } from '../interventions/delivery.ts'
import { connectCluster } from '../kube-client/connect.ts'
import { fail } from '../lib/error-catalogue.ts'
import { LOCAL_HOST } from './builtin-objects.ts'
import type { Core } from './core.ts'
import { databaseHosts, placements } from './hosts.ts'
import { databaseUrlOf, localHost } from './world-views.ts'

/** The agents of this machine. Until this process leads, nothing is started: it only answers those that report here. */
export function makeAgents(core: Core, url: () => string): Agents {
  const { store, config, environment, world, secrets, announce, parts } = core
  const agents: Agents = new Agents({
    store,
    clock: store.clock,
    log: store.log,
    dataDir: config.data,
    url,
    inherited: inheritedEnvironment(environment),
    nodeFolder: dirname(process.execPath),
    localHost: localHost(world, LOCAL_HOST),
    databaseUrl: databaseUrlOf(world, LOCAL_HOST, config.agentDatabaseUrl),
    isDatabaseHost: databaseHosts(store, world),
    secrets,
    writeTree: async (tree, target) => {
      if (parts.leader === null) throw fail('SW_NO_LEADER', 'this process does not lead, so it has no state repo')
      await parts.leader.source.writeTree(tree, target)
    },
    placements: placements(
      store,
      world,
      (tree) => agents.fleet.trees.ensure(tree),
      () => parts.leader?.holdsUp() ?? null,
    ),
    pods: podsOf(config),
    nudgeRun: announce.run,
    interventions: { tell: ({ id, agent_uid: uid }) => tellAgent(store, { agent: { uid }, instanceId: id }) },
    settings: DEFAULT_SETTINGS,
  })
  agents.onChange(announce.object)
  return agents
}

/** Where agents run as pods. Throws SW_CONFIG_INVALID when only half of it is said. */
function podsOf({ pods: { namespace, url, image }, cluster }: Config): PodsContext | null {
  if (namespace === null) return null
  if (url === null)
    throw fail('SW_CONFIG_INVALID', 'pods.namespace is set, and pods.url is not', {
      remedy: 'say with STATEWARD_PODS_URL where pods find the API: http://stateward.stateward.svc:8088',
    })
  return { namespace, url: url.replace(/\/+$/, ''), filesImage: image, connect: () => connectCluster(cluster) }
}

/** What agents may see of the environment of the process that starts them. */
export function inheritedEnvironment(environment: Environment) {
  const { PATH, LANG, TZ, TMPDIR } = environment
  return {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    ...(LANG === undefined ? {} : { LANG }),
    ...(TZ === undefined ? {} : { TZ }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
  }
}
