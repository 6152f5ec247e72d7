import { AGENT_HEALTH, type AgentHealth, agentHealth, healthOf } from '../agents/health.ts'
import type { AgentReaders, AgentStanding, InstanceStanding } from '../api/ports/agents.ts'
import { isPerTask } from '../kinds/agent/runtime-mode.ts'
import { parseDuration } from '../lib/duration.ts'
import { isObject, type JsonObject, valueAt } from '../lib/json.ts'
import type { WorldObject } from '../reconcile/world.ts'
import { readyOf } from '../status/summarize.ts'
import { type LiveInstanceRow, liveInstances } from '../store/queries/agent-health.ts'
import type { Core } from './core.ts'

/** How agents stand, from what was accepted and what their instances report: the same in every process. */
export function agentReaders({ store, world, clock, parts }: Core): AgentReaders {
  const standingOf = (object: WorldObject, rows: readonly LiveInstanceRow[]): AgentStanding => {
    const spec = world.effective(object)
    const beat = {
      intervalMs: parseDuration(String(valueAt(spec, '/heartbeat/interval'))),
      timeoutMs: parseDuration(String(valueAt(spec, '/heartbeat/timeout'))),
    }
    const now = clock.now().getTime()
    const observedSince = parts.agents?.fleet.observedSince ?? 0
    const instances = rows.map((row) => instanceStanding(row, healthOf(factsOf(row), beat, now, observedSince)))
    const ready = readyOf(object.status)
    const { daemons, ...rest } = {
      daemons: instances.filter(({ mode }) => mode === 'daemon'),
      mode: modeOf(spec),
      replicas: Number(spec['replicas']),
      suspended: spec['suspend'] === true,
      deleting: object.deleting,
    }
    return {
      uid: object.uid,
      namespace: object.namespace,
      name: object.name,
      labels: object.labels,
      spec,
      createdAt: object.createdAt,
      ...rest,
      ready: ready.status === 'True',
      message: ready.message,
      health: agentHealth({
        ...rest,
        ready: ready.status,
        reason: ready.reason,
        instances: daemons.map(({ health }) => health),
      }),
      instances,
    }
  }
  const all = (namespace: string | null): WorldObject[] =>
    [...world.ofKind('Agent').values()]
      .filter((object) => namespace === null || object.namespace === namespace)
      .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
  const standings = async (objects: readonly WorldObject[]): Promise<AgentStanding[]> => {
    const byAgent = Map.groupBy(
      await liveInstances(
        store.reader,
        objects.map(({ uid }) => uid),
      ),
      ({ agent_uid }) => agent_uid,
    )
    return objects.map((object) => standingOf(object, byAgent.get(object.uid) ?? []))
  }
  return {
    async page({ namespace, after, limit }) {
      const behind = all(namespace).filter(
        (one) => after === null || (compare(one.namespace, after.namespace) || compare(one.name, after.name)) > 0,
      )
      return standings(behind.slice(0, limit))
    },
    async find(uid) {
      const object = all(null).find((one) => one.uid === uid)
      return object === undefined ? null : ((await standings([object]))[0] ?? null)
    },
    async countByHealth() {
      const counts = Object.fromEntries(AGENT_HEALTH.map((word) => [word, 0])) as Record<AgentHealth, number>
      for (const { health } of await standings(all(null))) counts[health as AgentHealth]++
      return counts
    },
  }
}

function factsOf(row: LiveInstanceRow) {
  return {
    registered: row.registered_at !== null || row.mode === 'perTask',
    // A command lives, or its row has ended: it has no reports to miss.
    lastSeenAt: row.mode === 'perTask' ? Number.MAX_SAFE_INTEGER : (row.last_heartbeat_at ?? row.created_at).getTime(),
    draining: row.state === 'stopping',
  }
}

function instanceStanding(row: LiveInstanceRow, health: InstanceStanding['health']): InstanceStanding {
  return {
    id: row.id,
    ordinal: row.ordinal,
    host: row.host,
    mode: row.mode,
    health,
    busy: row.busy || row.current_task !== null,
    startedAt: row.created_at,
    lastHeartbeatAt: row.last_heartbeat_at,
    restarts: row.restart_count,
    currentTask: row.current_task,
    slots: row.slots,
    tokens: row.tokens,
    costNanoUsd: row.cost_nano_usd,
    cpuPercent: row.cpu_percent,
    memoryBytes: row.memory_bytes,
  }
}

function modeOf(spec: JsonObject): AgentStanding['mode'] {
  const runtime = spec['runtime']
  if (isObject(runtime) && isObject(runtime['external'])) return 'external'
  if (isObject(runtime) && isObject(runtime['model'])) return 'model'
  return isPerTask(spec) ? 'perTask' : 'daemon'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
