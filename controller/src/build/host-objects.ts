import { type HostFacts, hostFacts, knownHardware } from '../hosts/host-facts.ts'
import { API_VERSION } from '../kinds/definition.ts'
import type { ObjectView } from '../kinds/resource.ts'
import { uuidOf } from '../lib/ids.ts'
import type { World } from '../reconcile/world.ts'
import { type HostRow, listHosts } from '../store/queries/hosts.ts'
import { liveInstancesOfHost } from '../store/queries/instances.ts'
import { committedByHost } from '../store/queries/placements.ts'
import type { Store } from '../store/store.ts'
import { hostSpecOf } from './hosts.ts'

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** What of a host's status changes by itself. */
export async function liveHostStatus(
  store: Store,
  name: string,
  row: HostRow | null,
): Promise<Readonly<Record<string, unknown>>> {
  const live = await liveInstancesOfHost(store.reader, name)
  const memory = (await committedByHost(store.reader, NOBODY)).find(({ host }) => host === name)?.memory ?? 0
  return {
    allocated: { agentSlots: live.reduce((sum, { slots }) => sum + slots, 0), memory },
    ...(row?.boot_phase == null ? {} : { bootPhase: row.boot_phase }),
    ...(row?.boot_duration_ms == null ? {} : { bootDurationMs: row.boot_duration_ms }),
    ...(row?.last_heartbeat_at == null ? {} : { lastHeartbeatTime: row.last_heartbeat_at.toISOString() }),
    ...(row?.metrics == null ? {} : { metrics: row.metrics }),
    ...(row?.draining_since == null ? {} : { drain: { total: row.drain_total ?? 0, remaining: live.length } }),
  }
}

/** Machines that joined and have no Host document, as read-only objects of kind Host. */
export async function joinedHostObjects({
  store,
  world,
}: {
  readonly store: Store
  readonly world: World
}): Promise<ObjectView[]> {
  const specOf = hostSpecOf(world)
  const undeclared = (await listHosts(store.reader)).filter(({ name }) => specOf(name) === null)
  return Promise.all(
    undeclared.map(async (row) =>
      viewOf(row, hostFacts(row.name, row, null), await liveHostStatus(store, row.name, row)),
    ),
  )
}

function viewOf(row: HostRow, facts: HostFacts, live: Readonly<Record<string, unknown>>): ObjectView {
  const { name, connection, role, labels, slots: agentSlots, memory, schedulable } = facts
  const since = (row.last_heartbeat_at ?? row.joined_at).toISOString()
  return {
    apiVersion: API_VERSION,
    kind: 'Host',
    metadata: {
      name,
      uid: uuidOf(`stateward.dev/host/${name}/${row.joined_at.toISOString()}`),
      generation: 1,
      resourceVersion: '0',
      creationTimestamp: row.joined_at.toISOString(),
    },
    spec: {
      role,
      labels: { ...labels },
      capacity: { agentSlots },
      connection,
      unschedulable: row.cordoned_at !== null,
    },
    status: {
      observedGeneration: 1,
      allocatable: schedulable ? { agentSlots, ...(memory === null ? {} : { memory }) } : { agentSlots: 0 },
      ...(row.hardware === null ? {} : { hardware: knownHardware(row) }),
      ...live,
      conditions: [
        {
          type: 'Ready',
          status: facts.ready ? 'True' : 'False',
          reason: facts.reason,
          message: facts.message,
          observedGeneration: 1,
          lastTransitionTime: since,
        },
      ],
    },
  }
}
