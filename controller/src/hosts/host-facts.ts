import { isObject, type JsonObject } from '../lib/json.ts'
import { formatBytes, parseQuantity } from '../lib/quantity.ts'
import type { HostRow } from '../store/queries/hosts.ts'
import type { Hardware } from '../telemetry/machine.ts'

/** A host as it stands: what was declared of it, and what it reports. */
export interface HostFacts {
  readonly name: string
  readonly connection: 'local' | 'joined'
  readonly role: string
  readonly labels: Readonly<Record<string, string>>
  readonly slots: number
  /** Bytes agents may have together; null = nobody says. */
  readonly memory: number | null
  readonly connected: boolean
  readonly draining: boolean
  readonly schedulable: boolean
  /** Why it takes no new instances; null when it does. */
  readonly unfit: string | null
  readonly ready: boolean
  readonly reason: 'Succeeded' | 'Starting' | 'NoHost' | 'BelowMinimums' | 'HeartbeatMissed'
  readonly message: string
}

const DEFAULT_SLOTS = 10

/**
 * What is true of a host by its row (null: no machine has joined under the name) and its Host document (null: none was
 * committed). What is declared wins over what the machine said of itself. Pure.
 */
export function hostFacts(name: string, row: HostRow | null, spec: JsonObject | null): HostFacts {
  const capacity = objectIn(spec, 'capacity')
  const connection = row?.connection ?? 'joined'
  const connected = row !== null && (connection === 'local' || row.session !== null)
  const hardware = row === null ? null : hardwareOf(row)
  const shortage = shortageOf(objectIn(spec, 'minimums'), hardware)
  const standing = standingOf(row, connected, shortage)
  const cordoned = spec?.['unschedulable'] === true || row?.cordoned_at != null
  const draining = row?.draining_since != null
  const unfit = unfitOf({ connected, draining, cordoned, ready: standing.ready, message: standing.message })
  return {
    name,
    connection,
    role: typeof spec?.['role'] === 'string' ? spec['role'] : connection === 'local' ? 'control' : 'operator',
    labels: { ...row?.labels, ...(objectIn(spec, 'labels') as Record<string, string> | null) },
    slots: numberIn(capacity, 'agentSlots') ?? row?.agent_slots ?? DEFAULT_SLOTS,
    memory: quantityIn(capacity, 'memory') ?? hardware?.memory ?? null,
    connected,
    draining,
    schedulable: unfit === null,
    unfit,
    ...standing,
  }
}

function standingOf(row: HostRow | null, connected: boolean, shortage: string | null) {
  if (row === null) return { ready: false, reason: 'NoHost', message: 'no machine has joined under this name' } as const
  if (!connected)
    return { ready: false, reason: 'HeartbeatMissed', message: 'it does not report, and its lease is over' } as const
  if (shortage !== null) return { ready: false, reason: 'BelowMinimums', message: shortage } as const
  // This machine starts agents of its own; only models that it lacks hold it up.
  const starts =
    row.connection === 'joined'
      ? row.boot_phase !== 'Autonomy' && row.boot_phase !== 'AgentSpawn'
      : row.boot_phase === 'AIRuntime' && row.boot_message !== null
  if (starts)
    return {
      ready: false,
      reason: 'Starting',
      message: `it starts: ${row.boot_phase}${row.boot_message === null ? '' : `, ${row.boot_message}`}`,
    } as const
  return { ready: true, reason: 'Succeeded', message: 'it runs agents' } as const
}

function unfitOf(host: {
  readonly connected: boolean
  readonly draining: boolean
  readonly cordoned: boolean
  readonly ready: boolean
  readonly message: string
}): string | null {
  if (!host.connected) return 'does not report'
  if (host.draining) return 'is being drained'
  if (host.cordoned) return 'is unschedulable'
  return host.ready ? null : `is not ready (${host.message})`
}

/** What a machine lacks of what its Host document asks for; null when it lacks nothing, or nothing is known of it yet. */
function shortageOf(minimums: JsonObject | null, hardware: Hardware | null): string | null {
  if (minimums === null || hardware === null) return null
  const lacking: string[] = []
  for (const key of ['cpu', 'memory', 'storage', 'network', 'gpu'] as const) {
    const wanted = quantityIn(minimums, key)
    if (wanted === null) continue
    const has = hardware[key]
    const show = key === 'memory' || key === 'storage' ? formatBytes : String
    if (has === null) lacking.push(`nothing is known of its ${key}`)
    else if (has < wanted) lacking.push(`${key} ${show(has)} of at least ${show(wanted)}`)
  }
  return lacking.length === 0 ? null : `below spec.minimums: ${lacking.join(', ')}`
}

function hardwareOf(row: HostRow): Hardware | null {
  const { hardware } = row
  if (hardware === null) return null
  return {
    cpu: numberIn(hardware, 'cpu') ?? 0,
    memory: numberIn(hardware, 'memory') ?? 0,
    storage: numberIn(hardware, 'storage') ?? 0,
    network: numberIn(hardware, 'network'),
    gpu: numberIn(hardware, 'gpu') ?? 0,
  }
}

/** What is known of a machine, for its status, which has no nulls; null when nothing is. */
export function knownHardware({ hardware }: HostRow): JsonObject | null {
  return hardware === null ? null : Object.fromEntries(Object.entries(hardware).filter(([, one]) => one !== null))
}

function objectIn(value: JsonObject | null, key: string): JsonObject | null {
  const found = value?.[key]
  return isObject(found) ? (found as JsonObject) : null
}

function numberIn(value: JsonObject | null, key: string): number | null {
  const found = value?.[key]
  return typeof found === 'number' ? found : null
}

function quantityIn(value: JsonObject | null, key: string): number | null {
  const found = value?.[key]
  return typeof found === 'string' ? parseQuantity(found) : typeof found === 'number' ? found : null
}
