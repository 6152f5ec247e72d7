import { c as archive } from 'tar'
import type { AgentTarget } from '../agents/agent-target.ts'
import type { Agents } from '../agents/agents.ts'
import type { Hindrance } from '../agents/observation.ts'
import type { Placements } from '../agents/ports.ts'
import { type HostFacts, hostFacts } from '../hosts/host-facts.ts'
import { DATABASE_LABEL, type PlaceableAgent } from '../hosts/placement.ts'
import { Placer } from '../hosts/placer.ts'
import type { EndWithHost, HoldsUp, HostSpecOf } from '../hosts/ports.ts'
import { digestOf } from '../lib/digest.ts'
import type { JsonObject } from '../lib/json.ts'
import { parseQuantity } from '../lib/quantity.ts'
import type { World } from '../reconcile/world.ts'
import type { TaskDispatch } from '../runs/ports.ts'
import { type HostRow, hostByName, listHosts } from '../store/queries/hosts.ts'
import { hostReportsOf, hostsOfAgent } from '../store/queries/placements.ts'
import { spawnedAgent } from '../store/queries/spawned-agents.ts'
import { taskById } from '../store/queries/tasks.ts'
import { hasTreeArchive, insertTreeArchive } from '../store/queries/tree-archives.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { LOCAL_HOST } from './builtin-objects.ts'

/** What Git says of a host. */
export function hostSpecOf(world: World): HostSpecOf {
  return (name) => {
    const object = world.get(`Host/${name}`)
    return object === undefined || object.deleting ? null : world.effective(object)
  }
}

export function hostViewOf(
  store: Store,
  world: World,
): (name: string) => Promise<{ readonly facts: HostFacts; readonly row: HostRow | null }> {
  const specOf = hostSpecOf(world)
  return async (name) => {
    const row = await hostByName(store.engine, name)
    return { row, facts: hostFacts(name, row, specOf(name)) }
  }
}

/** Where agents run. Placing is the leader's; what stands against it, everybody may ask. */
export function placements(
  store: Store,
  world: World,
  ensureTree: (tree: string) => Promise<string>,
  holdsUp: HoldsUp,
): Placements {
  const placer = new Placer(store, hostSpecOf(world), holdsUp)
  return {
    async place(target) {
      const wanted = target as unknown as JsonObject
      const placed = await placer.place({
        uid: target.uid,
        digest: digestOf(wanted),
        target: wanted,
        agent: placeableOf(target, (await spawnedAgent(store.engine, target.uid))?.host ?? null),
        deleting: target.deleting,
      })
      if (target.filesTree !== null && [...placed.values()].some((host) => host !== LOCAL_HOST))
        await keepArchive(store, target.filesTree, ensureTree)
      return [...placed].flatMap(([ordinal, host]) => (host === LOCAL_HOST ? [ordinal] : []))
    },
    async hindrance(agentUid) {
      const reports = (await hostReportsOf(store.engine, agentUid)).map(({ report }) => report as unknown as Hindrance)
      return {
        held: reports.flatMap(({ held }) => held),
        obstacle: placer.obstacleOf(agentUid) ?? reports.find(({ obstacle }) => obstacle !== null)?.obstacle ?? null,
      }
    },
    forget: (agentUid) => placer.forget(agentUid),
  }
}

function placeableOf({ spec, suspended }: AgentTarget, preferred: string | null): PlaceableAgent {
  return {
    replicas: spec.replicas,
    mode: spec.runtime.process.mode,
    slots: spec.resources.slots,
    memory: spec.resources.memory === undefined ? 0 : Math.ceil(parseQuantity(spec.resources.memory)),
    selector: spec.hostSelector?.matchLabels ?? {},
    bulk: spec.dataAccess === 'bulk',
    preferred,
    suspended,
  }
}

/** How long what a host was found to be counts: it is asked with every look for tasks. */
const LABELS_FRESH_MS = 5_000

/** Whether a host is labelled as one of the database, by what was declared, else by what it said when it joined. */
export function databaseHosts(store: Store, world: World): (host: string) => Promise<boolean> {
  const specOf = hostSpecOf(world)
  const known = new Map<string, { readonly is: boolean; readonly at: number }>()
  return async (host) => {
    const now = store.clock.monotonicMs()
    const before = known.get(host)
    if (before !== undefined && now - before.at < LABELS_FRESH_MS) return before.is
    const is = hostFacts(host, await hostByName(store.engine, host), specOf(host)).labels['database'] === 'true'
    known.set(host, { is, at: now })
    return is
  }
}

/** Why no host may have a bulk task of an agent at this moment; null when one may, or has it already. */
export function bulkObstacle(store: Store, world: World): TaskDispatch['bulkObstacle'] {
  return async ({ namespace, agent, taskId }) => {
    try {
      if ((await taskById(store.engine, taskId))?.status !== 'queued') return null
      const labelled = (await everyHost(store, world)).flatMap(({ facts }) =>
        facts.labels[DATABASE_LABEL] === 'true' ? [facts] : [],
      )
      if (labelled.length === 0) return `bulk work needs a host labelled ${DATABASE_LABEL}: "true", and there is none`
      const names = labelled.map(({ name }) => name).join(', ')
      const there = labelled.filter(({ connected }) => connected)
      if (there.length === 0) return `bulk work needs a host of the database, and ${names} does not report`
      const uid = world.get(`Agent/${namespace}/${agent}`)?.uid
      const hosts = uid === undefined ? [] : await hostsOfAgent(store.engine, uid)
      if (there.some(({ name }) => hosts.includes(name))) return null
      return `bulk work needs a host of the database, and agent ${agent} does not run on ${names}`
    } catch (error) {
      store.log.warn({ err: error, agent }, 'whether a host may have bulk work could not be asked; it is asked again')
      return 'whether a host of the database may have it could not be asked'
    }
  }
}

/** Hosts have no state repo: what their agents run is kept as an archive in the database. */
async function keepArchive(store: Store, tree: string, ensureTree: (tree: string) => Promise<string>): Promise<void> {
  if (await hasTreeArchive(store.engine, tree)) return
  const folder = await ensureTree(tree)
  const pieces: Buffer[] = []
  for await (const piece of archive({ cwd: folder, gzip: true, portable: true }, ['.'])) pieces.push(piece)
  await transact(store, (tx) => insertTreeArchive(tx, tree, Buffer.concat(pieces), store.clock.now()))
}

/** Ends what ran on a host that was lost. */
export function endWithHost(agents: Agents): EndWithHost {
  return async ({ id, host, mode }) => {
    const ledger = agents.ledgerOf(host)
    if (mode === 'daemon') {
      await ledger.ended(id, { exitCode: null, reason: 'host_lost', pid: null })
      return
    }
    const [task] = await ledger.tasksOf([id])
    await ledger.commandEnded(id, {
      exitCode: null,
      reason: 'host_lost',
      attempt: task === undefined ? null : { task_id: task.task_id, attempt: task.attempt },
      verdict: { type: 'give-back', why: 'the host it ran on was lost' },
    })
  }
}

/** Every host there is: machines, and Host documents whose machine never came. */
export async function everyHost(
  store: Store,
  world: World,
): Promise<readonly { facts: HostFacts; row: HostRow | null }[]> {
  const specOf = hostSpecOf(world)
  const rows = await listHosts(store.reader)
  const known = new Set(rows.map(({ name }) => name))
  const declared = [...world.ofKind('Host').values()].filter(({ name, deleting }) => !deleting && !known.has(name))
  return [
    ...rows.map((row) => ({ row, facts: hostFacts(row.name, row, specOf(row.name)) })),
    ...declared.map(({ name }) => ({ row: null, facts: hostFacts(name, null, specOf(name)) })),
  ].sort((a, b) => (a.facts.name < b.facts.name ? -1 : 1))
}
