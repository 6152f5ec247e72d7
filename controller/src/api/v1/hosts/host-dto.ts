import Type, { type Static } from 'typebox'
import { BOOT_PHASES } from '../../../lifecycle/boot-phases.ts'
import type { HostStanding } from '../../ports/hosts.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, Time } from '../schemas.ts'

export const HostParams = Type.Object({ host: Name })
export const HostLabels = Type.Record(
  Type.String({ minLength: 1, maxLength: 63, pattern: '^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$' }),
  Type.String({ maxLength: 63 }),
  { maxProperties: 32 },
)
export const BootPhaseName = Type.Enum([...BOOT_PHASES])
/** Milliseconds, bytes and the like. */
export const Amount = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const Hardware = Type.Object(
  {
    cpu: Type.Number({ description: 'cores' }),
    memory: Type.Number({ description: 'bytes' }),
    storage: Type.Number({ description: 'bytes' }),
    network: Nullable(Type.Number({ description: 'bits a second of the fastest link' })),
    gpu: Type.Integer({ description: 'devices' }),
  },
  { title: 'HostHardware' },
)

const HostMetrics = Type.Object(
  {
    cpu: Type.Number({ description: 'share of all cores, 0 to 1' }),
    load1: Type.Number(),
    memory_used: Type.Number({ description: 'bytes' }),
    storage_used: Type.Number({ description: 'bytes' }),
    network_received: Type.Number({ description: 'bytes since the machine was started' }),
    network_sent: Type.Number({ description: 'bytes since the machine was started' }),
    gpu: Type.Integer({ description: 'devices' }),
  },
  { title: 'HostMetrics' },
)

export const Host = Type.Object(
  {
    name: Type.String(),
    connection: Type.Enum(['local', 'joined']),
    role: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    ready: Type.Boolean(),
    reason: Type.String(),
    message: Type.String(),
    schedulable: Type.Boolean({ description: 'it takes new instances' }),
    unfit: Nullable(Type.String({ description: 'why it takes none' })),
    slots: Type.Object({ total: Type.Integer(), used: Type.Integer() }),
    memory: Type.Object({
      total: Nullable(Type.Number({ description: 'bytes; null = nobody says' })),
      claimed: Type.Number({ description: 'bytes agents placed there have claimed' }),
    }),
    instances: Type.Integer({ description: 'processes of agents that live there' }),
    hardware: Nullable(Hardware),
    metrics: Nullable(HostMetrics),
    boot_phase: Nullable(Type.String()),
    boot_duration_ms: Nullable(Type.Integer()),
    cordoned_by: Nullable(Type.String()),
    drain: Nullable(
      Type.Object({
        since: Time,
        total: Type.Integer({ description: 'instances when it began' }),
        remaining: Type.Integer({ description: 'instances that still live' }),
        completed_at: Nullable(Time),
      }),
    ),
    version: Nullable(Type.String()),
    joined_at: Nullable(Time),
    last_heartbeat_at: Nullable(Time),
  },
  { title: 'Host' },
)

export function hostDto({ facts, row, slotsUsed, memoryClaimed, instances }: HostStanding): Static<typeof Host> {
  const iso = (time: Date | null | undefined): string | null => time?.toISOString() ?? null
  return {
    name: facts.name,
    connection: facts.connection,
    role: facts.role,
    labels: { ...facts.labels },
    ready: facts.ready,
    reason: facts.reason,
    message: facts.message,
    schedulable: facts.schedulable,
    unfit: facts.unfit,
    slots: { total: facts.slots, used: slotsUsed },
    memory: { total: facts.memory, claimed: memoryClaimed },
    instances,
    hardware: (row?.hardware ?? null) as Static<typeof Hardware> | null,
    metrics: (row?.metrics ?? null) as Static<typeof HostMetrics> | null,
    boot_phase: row?.boot_phase ?? null,
    boot_duration_ms: row?.boot_duration_ms ?? null,
    cordoned_by: row?.cordoned_by ?? null,
    drain:
      row?.draining_since == null
        ? null
        : {
            since: row.draining_since.toISOString(),
            total: row.drain_total ?? 0,
            remaining: instances,
            completed_at: iso(row.drained_at),
          },
    version: row?.version ?? null,
    joined_at: iso(row?.joined_at),
    last_heartbeat_at: iso(row?.last_heartbeat_at),
  }
}

export const sampleHost: Static<typeof Host> = {
  name: 'web-1',
  connection: 'joined',
  role: 'operator',
  labels: { zone: 'eu' },
  ready: true,
  reason: 'Succeeded',
  message: 'it runs agents',
  schedulable: true,
  unfit: null,
  slots: { total: 10, used: 2 },
  memory: { total: 16_777_216_000, claimed: 536_870_912 },
  instances: 2,
  hardware: { cpu: 8, memory: 16_777_216_000, storage: 107_374_182_400, network: 1_000_000_000, gpu: 0 },
  metrics: {
    cpu: 0.12,
    load1: 0.4,
    memory_used: 4_294_967_296,
    storage_used: 21_474_836_480,
    network_received: 1_048_576,
    network_sent: 524_288,
    gpu: 0,
  },
  boot_phase: 'Autonomy',
  boot_duration_ms: 1840,
  cordoned_by: null,
  drain: null,
  version: '0.1.0',
  joined_at: SAMPLE.time,
  last_heartbeat_at: SAMPLE.later,
}
