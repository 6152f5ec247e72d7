import Type, { type Static } from 'typebox'
import { AGENT_HEALTH } from '../../../agents/health.ts'
import { isObject, valueAt } from '../../../lib/json.ts'
import { formatUsd } from '../../../lib/usd.ts'
import type { AgentStanding, InstanceStanding } from '../../ports/agents.ts'
import { SAMPLE } from '../samples.ts'
import { JsonMap, Nullable, Time, Uuid } from '../schemas.ts'

const Health = Type.Unsafe<string>({
  ...Type.Enum([...AGENT_HEALTH]),
  description:
    'degraded: only some of it is as wanted; late: two reports are missing; silent: its heartbeat timeout is over; starting: it has not registered yet',
})

const Usage = Type.Object({ tokens: Type.Integer(), cost_usd: Type.String() }, { title: 'InstanceUsage' })

const Instance = Type.Object(
  {
    instance_id: Uuid,
    ordinal: Type.Integer(),
    host: Type.String(),
    health: Health,
    busy: Type.Boolean(),
    started_at: Time,
    last_heartbeat: Nullable(Time),
    current_task: Nullable(Uuid),
    restarts: Type.Integer(),
    slots: Type.Integer(),
    usage: Usage,
    cpu_percent: Nullable(Type.Number()),
    memory_bytes: Nullable(Type.Integer()),
  },
  { title: 'AgentInstance' },
)

const named = { id: Uuid, name: Type.String(), namespace: Type.String() }

export const AgentHealth = Type.Object(
  {
    ...named,
    status: Health,
    ready: Type.Boolean(),
    message: Type.String(),
    last_heartbeat: Nullable(Time),
    current_task: Nullable(Uuid),
    instances: Type.Array(Instance),
  },
  { title: 'AgentHealth' },
)

export const AgentRecord = Type.Object(
  {
    ...named,
    agent_id: Nullable(Type.String({ description: 'three digits, where it has a number' })),
    display_name: Nullable(Type.String()),
    description: Nullable(Type.String()),
    labels: Type.Record(Type.String(), Type.String()),
    capabilities: Type.Array(Type.String()),
    mode: Type.Enum(['daemon', 'perTask', 'external', 'model']),
    replicas: Type.Integer(),
    suspended: Type.Boolean(),
    status: Health,
    ready: Type.Boolean(),
    message: Type.String(),
    hosts: Type.Array(Type.String(), { description: 'where its instances run' }),
    host_selector: JsonMap,
    resources: JsonMap,
    parent: Nullable(Type.String()),
    template: Nullable(Type.String()),
    project: Nullable(Type.String()),
    last_heartbeat: Nullable(Time),
    current_task: Nullable(Uuid),
    created_at: Time,
  },
  { title: 'AgentRecord' },
)

export function agentDto(agent: AgentStanding): Static<typeof AgentRecord> {
  const { spec } = agent
  const text = (pointer: string): string | null => {
    const value = valueAt(spec, pointer)
    return typeof value === 'string' ? value : null
  }
  const map = (key: string) => (isObject(spec[key]) ? spec[key] : {})
  return {
    ...sharedDto(agent),
    agent_id: text('/agentId'),
    display_name: text('/displayName'),
    description: text('/description'),
    labels: { ...agent.labels },
    capabilities: Array.isArray(spec['capabilities']) ? (spec['capabilities'] as string[]) : [],
    mode: agent.mode,
    replicas: agent.replicas,
    suspended: agent.suspended,
    hosts: [...new Set(agent.instances.map(({ host }) => host))],
    host_selector: map('hostSelector'),
    resources: map('resources'),
    parent: text('/parentRef/name'),
    template: text('/templateRef/name'),
    project: text('/projectRef/name'),
    created_at: agent.createdAt.toISOString(),
  }
}

export function healthDto(agent: AgentStanding): Static<typeof AgentHealth> {
  return { ...sharedDto(agent), instances: agent.instances.map(instanceDto) }
}

function sharedDto(agent: AgentStanding) {
  const beats = agent.instances.flatMap(({ lastHeartbeatAt: at }) => (at === null ? [] : [at.getTime()]))
  return {
    id: agent.uid,
    name: agent.name,
    namespace: agent.namespace,
    status: agent.health,
    ready: agent.ready,
    message: agent.message,
    last_heartbeat: beats.length === 0 ? null : new Date(Math.max(...beats)).toISOString(),
    current_task: agent.instances.find(({ currentTask }) => currentTask !== null)?.currentTask ?? null,
  }
}

function instanceDto(one: InstanceStanding): Static<typeof Instance> {
  return {
    instance_id: one.id,
    ordinal: one.ordinal,
    host: one.host,
    health: one.health,
    busy: one.busy,
    started_at: one.startedAt.toISOString(),
    last_heartbeat: one.lastHeartbeatAt?.toISOString() ?? null,
    current_task: one.currentTask,
    restarts: one.restarts,
    slots: one.slots,
    usage: { tokens: one.tokens, cost_usd: formatUsd(one.costNanoUsd) },
    cpu_percent: one.cpuPercent,
    memory_bytes: one.memoryBytes,
  }
}

const shared = {
  id: SAMPLE.agent,
  name: 'sre',
  namespace: 'default',
  status: 'healthy',
  ready: true,
  message: 'it runs and reports',
  last_heartbeat: SAMPLE.later,
  current_task: null,
}

export const sampleAgent: Static<typeof AgentRecord> = {
  ...shared,
  agent_id: '001',
  display_name: 'Athena',
  description: 'Watches alerts and proposes fixes.',
  labels: { team: 'platform' },
  capabilities: ['alerts', 'linux'],
  mode: 'daemon',
  replicas: 1,
  suspended: false,
  hosts: ['local'],
  host_selector: {},
  resources: { slots: 1 },
  parent: null,
  template: null,
  project: 'platform',
  created_at: SAMPLE.time,
}

export const sampleHealth: Static<typeof AgentHealth> = {
  ...shared,
  instances: [
    {
      instance_id: SAMPLE.instance,
      ordinal: 0,
      host: 'local',
      health: 'healthy',
      busy: false,
      started_at: SAMPLE.time,
      last_heartbeat: SAMPLE.later,
      current_task: null,
      restarts: 0,
      slots: 1,
      usage: { tokens: 1200, cost_usd: '0.00018' },
      cpu_percent: 2.5,
      memory_bytes: 52_428_800,
    },
  ],
}
