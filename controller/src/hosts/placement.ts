/** A host as placement sees it. */
export interface PlaceableHost {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** It is there: its lease holds. What runs on one that is not there is lost. */
  readonly connected: boolean
  /** It takes new instances: it is ready, and nobody said that it should not. */
  readonly schedulable: boolean
  /** Why it does not, for people; null when it does. */
  readonly unfit: string | null
  /** What runs there has to go elsewhere. */
  readonly draining: boolean
  readonly slots: number
  /** Bytes agents may have together; null = nobody says. */
  readonly memory: number | null
  /** What other agents take of it. */
  readonly committed: { readonly slots: number; readonly memory: number; readonly replicas: number }
}

/** An agent as placement sees it. */
export interface PlaceableAgent {
  readonly replicas: number
  /** A daemon holds its room all the time, a command only while it runs. */
  readonly mode: 'daemon' | 'perTask'
  readonly slots: number
  /** Bytes. */
  readonly memory: number
  readonly selector: Readonly<Record<string, string>>
  /** It works on the database itself: only hosts with the label `database: "true"` may have it. */
  readonly bulk: boolean
  /** The host it is to go to if that one takes it; null = any. */
  readonly preferred: string | null
  /** It is left where it is unless its host goes away. */
  readonly suspended: boolean
}

export interface Placement {
  readonly hosts: ReadonlyMap<number, string>
  /** Why some replica has no host; null = each has one. */
  readonly obstacle: { readonly reason: 'NoHost' | 'DatabaseHostRequired'; readonly message: string } | null
}

/** The label that says: the database runs on this host. */
export const DATABASE_LABEL = 'database'

/**
 * Which host each replica runs on. Pure. A replica stays where it is as long as it may; a new one goes to the fitting host
 * with the fewest replicas of its agent, then the one with the most room, then by name: replicas are spread.
 *
 * `alive` are replicas whose process lives: they stay on a host that takes no new ones, unless it is drained.
 */
export function place(
  agent: PlaceableAgent,
  current: ReadonlyMap<number, string>,
  alive: ReadonlyMap<number, string>,
  hosts: readonly PlaceableHost[],
): Placement {
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const placed = new Map<number, string>()
  const missing: number[] = []
  const ordinals = Array.from({ length: agent.replicas }, (_, ordinal) => ordinal)
  for (const ordinal of ordinals) {
    const name = current.get(ordinal)
    const host = name === undefined ? undefined : byName.get(name)
    if (host !== undefined && stays(agent, host, alive.get(ordinal) === host.name, takenOf(agent, placed, host)))
      placed.set(ordinal, host.name)
    else missing.push(ordinal)
  }
  let full = false
  for (const ordinal of missing) {
    const choice = hosts
      .filter((host) => host.schedulable && matches(agent, host))
      .filter((host) => {
        const fits = hasRoom(agent, host, takenOf(agent, placed, host))
        full ||= !fits
        return fits
      })
      .sort((a, b) => rank(agent, placed, a, b))[0]
    if (choice !== undefined) placed.set(ordinal, choice.name)
  }
  const obstacle = placed.size === agent.replicas ? null : obstacleOf(agent, hosts, full)
  return { hosts: new Map([...placed].sort(([a], [b]) => a - b)), obstacle }
}

/** How many replicas of the agent a host has by now. */
function takenOf(agent: PlaceableAgent, placed: ReadonlyMap<number, string>, { name }: PlaceableHost) {
  const replicas = [...placed.values()].filter((host) => host === name).length
  const holds = agent.mode === 'daemon' ? replicas : 0
  return { replicas, slots: holds * agent.slots, memory: holds * agent.memory }
}

type Taken = ReturnType<typeof takenOf>

function stays(agent: PlaceableAgent, host: PlaceableHost, lives: boolean, taken: Taken): boolean {
  if (!host.connected || host.draining) return false
  if (agent.suspended) return true
  if (!matches(agent, host)) return false
  // What lives there goes on; what ended by itself goes where there is room for it.
  return lives || (host.schedulable && hasRoom(agent, host, taken))
}

function matches(agent: PlaceableAgent, host: PlaceableHost): boolean {
  if (agent.bulk && host.labels[DATABASE_LABEL] !== 'true') return false
  return Object.entries(agent.selector).every(([label, value]) => host.labels[label] === value)
}

function hasRoom(agent: PlaceableAgent, host: PlaceableHost, taken: Taken): boolean {
  if (agent.mode === 'perTask') return agent.slots <= host.slots
  if (host.committed.slots + taken.slots + agent.slots > host.slots) return false
  return host.memory === null || host.committed.memory + taken.memory + agent.memory <= host.memory
}

function rank(agent: PlaceableAgent, placed: ReadonlyMap<number, string>, a: PlaceableHost, b: PlaceableHost): number {
  const [takenA, takenB] = [takenOf(agent, placed, a), takenOf(agent, placed, b)]
  const free = (host: PlaceableHost, taken: Taken) =>
    (host.slots - host.committed.slots - taken.slots) / Math.max(host.slots, 1)
  return (
    Number(b.name === agent.preferred) - Number(a.name === agent.preferred) ||
    takenA.replicas - takenB.replicas ||
    free(b, takenB) - free(a, takenA) ||
    a.committed.replicas - b.committed.replicas ||
    (a.name < b.name ? -1 : 1)
  )
}

function obstacleOf(agent: PlaceableAgent, hosts: readonly PlaceableHost[], full: boolean): Placement['obstacle'] {
  if (agent.bulk && !hosts.some(({ labels }) => labels[DATABASE_LABEL] === 'true'))
    return {
      reason: 'DatabaseHostRequired',
      message: `it works on the database itself, and no host has the label ${DATABASE_LABEL}=true`,
    }
  for (const [label, value] of Object.entries(agent.selector)) {
    if (!hosts.some(({ labels }) => labels[label] === value)) return noHost(`no host has the label ${label}=${value}`)
  }
  const fitting = hosts.filter((host) => matches(agent, host))
  if (fitting.length === 0) return noHost('no host has all the labels of its hostSelector')
  const willing = fitting.filter(({ schedulable }) => schedulable)
  if (willing.length === 0) return noHost(fitting.map(({ name, unfit }) => `host ${name} ${unfit}`).join('; '))
  const wanted = agent.slots === 1 ? 'a slot' : `${agent.slots} slots`
  const one = willing[0]!
  if (willing.length === 1 && full)
    return noHost(`host ${one.name} has no free room for ${wanted} (capacity ${one.slots})`)
  return noHost(`none of ${willing.map(({ name }) => name).join(', ')} has free room for ${wanted}`)
}

function noHost(message: string) {
  return { reason: 'NoHost', message } as const
}
