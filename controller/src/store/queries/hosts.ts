import type { JsonObject } from '../../lib/json.ts'
import type { Executor } from '../database.ts'

export interface HostRow {
  readonly name: string
  readonly connection: 'local' | 'joined'
  /** The process that supervises there; null = none, and nothing of it may run. */
  readonly session: string | null
  readonly machine: string | null
  readonly boot_id: string | null
  /** By the database's clock. */
  readonly lease_until: Date | null
  readonly labels: Readonly<Record<string, string>>
  readonly agent_slots: number | null
  readonly data_dir: string | null
  readonly version: string | null
  readonly hardware: JsonObject | null
  readonly metrics: JsonObject | null
  readonly boot_phase: string | null
  readonly boot_message: string | null
  readonly boot_duration_ms: number | null
  readonly cordoned_by: string | null
  readonly cordoned_at: Date | null
  readonly draining_since: Date | null
  readonly drain_total: number | null
  readonly drained_at: Date | null
  readonly joined_at: Date
  readonly last_heartbeat_at: Date | null
}

export async function listHosts(sql: Executor): Promise<HostRow[]> {
  return sql<HostRow[]>`SELECT ${columns(sql)} FROM hosts ORDER BY name`
}

export async function hostByName(sql: Executor, name: string): Promise<HostRow | null> {
  const [row] = await sql<HostRow[]>`SELECT ${columns(sql)} FROM hosts WHERE name = ${name}`
  return row ?? null
}

export async function hostByCredential(sql: Executor, sha256: string): Promise<HostRow | null> {
  const [row] = await sql<HostRow[]>`SELECT ${columns(sql)} FROM hosts WHERE credential_sha256 = ${sha256}`
  return row ?? null
}

/** The row of a host, locked until the transaction ends. */
export async function lockHost(tx: Executor, name: string): Promise<HostRow | null> {
  const [row] = await tx<HostRow[]>`SELECT ${columns(tx)} FROM hosts WHERE name = ${name} FOR UPDATE`
  return row ?? null
}

export interface JoiningHost {
  readonly name: string
  readonly credentialSha256: string
  readonly labels: Readonly<Record<string, string>>
  readonly agentSlots: number
  readonly at: Date
}

/** A host that joins again gets a new credential; the old one is worth nothing from then on. */
export async function upsertJoinedHost(tx: Executor, host: JoiningHost): Promise<void> {
  await tx`
    INSERT INTO hosts (name, connection, credential_sha256, labels, agent_slots, joined_at)
    VALUES (${host.name}, 'joined', ${host.credentialSha256}, ${tx.json({ ...host.labels })}, ${host.agentSlots}, ${host.at})
    ON CONFLICT (name) DO UPDATE SET credential_sha256 = excluded.credential_sha256, labels = excluded.labels,
           agent_slots = excluded.agent_slots, joined_at = excluded.joined_at, connection = 'joined'`
}

/** The machine of the process that leads: it holds no lease of its own, its process does. */
export async function upsertLocalHost(
  tx: Executor,
  host: { readonly name: string; readonly hardware: JsonObject; readonly metrics: JsonObject; readonly at: Date },
): Promise<void> {
  await tx`
    INSERT INTO hosts (name, connection, hardware, metrics, joined_at, last_heartbeat_at)
    VALUES (${host.name}, 'local', ${tx.json(host.hardware)}, ${tx.json(host.metrics)}, ${host.at}, ${host.at})
    ON CONFLICT (name) DO UPDATE SET hardware = excluded.hardware, metrics = excluded.metrics,
           last_heartbeat_at = excluded.last_heartbeat_at`
}

export async function setBootPhase(
  tx: Executor,
  name: string,
  {
    phase,
    message,
    tookMs,
  }: { readonly phase: string; readonly message: string | null; readonly tookMs: number | null },
): Promise<void> {
  await tx`
    UPDATE hosts SET boot_phase = ${phase}, boot_message = ${message}, boot_duration_ms = ${tookMs} WHERE name = ${name}`
}

/** False when the name is nobody's, or that of the controller's own machine. */
export async function deleteJoinedHost(tx: Executor, name: string): Promise<boolean> {
  await tx`DELETE FROM host_reports WHERE host = ${name}`
  const result = await tx`DELETE FROM hosts WHERE name = ${name} AND connection = 'joined'`
  return result.count === 1
}

export interface HostSession {
  readonly session: string
  readonly machine: string
  readonly bootId: string
  readonly dataDir: string
  readonly version: string
  readonly hardware: JsonObject
  readonly leaseMs: number
  readonly at: Date
}

/** How long the lease of a host still lasts, by the database's clock; null = it has none. */
export async function leaseLeftMs(sql: Executor, name: string): Promise<number | null> {
  const [row] = await sql<{ left: number | null }[]>`
    SELECT (extract(epoch FROM lease_until - clock_timestamp()) * 1000)::float8 AS left FROM hosts
    WHERE name = ${name} AND session IS NOT NULL`
  return row?.left ?? null
}

/** The row must be locked. */
export async function openSession(tx: Executor, name: string, session: HostSession): Promise<void> {
  await tx`
    UPDATE hosts SET session = ${session.session}, machine = ${session.machine}, boot_id = ${session.bootId},
           data_dir = ${session.dataDir}, version = ${session.version}, hardware = ${tx.json(session.hardware)},
           lease_until = clock_timestamp() + ${session.leaseMs} * interval '1 millisecond',
           last_heartbeat_at = ${session.at}, boot_phase = 'HardwareCheck', boot_message = NULL, boot_duration_ms = NULL
    WHERE name = ${name}`
}

export interface HostBeat {
  readonly metrics: JsonObject
  readonly phase: string
  readonly message: string | null
  readonly bootDurationMs: number | null
  readonly at: Date
}

/** False when that session is over: its lease ended, or another one began. */
export async function renewHostLease(
  tx: Executor,
  name: string,
  session: string,
  leaseMs: number,
  beat: HostBeat,
): Promise<boolean> {
  const result = await tx`
    UPDATE hosts SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond', metrics = ${tx.json(beat.metrics)},
           boot_phase = ${beat.phase}, boot_message = ${beat.message}, boot_duration_ms = ${beat.bootDurationMs},
           last_heartbeat_at = ${beat.at}
    WHERE name = ${name} AND session = ${session} AND lease_until > clock_timestamp()`
  return result.count === 1
}

/** Whether a session may write; what it writes in this transaction is committed before the lease can be taken from it. */
export async function holdsHostLease(tx: Executor, name: string, session: string): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM hosts WHERE name = ${name} AND session = ${session} AND lease_until > clock_timestamp() FOR SHARE`
  return rows.length === 1
}

export async function hasLateSessions(sql: Executor): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM hosts WHERE connection = 'joined' AND session IS NOT NULL AND lease_until <= clock_timestamp() LIMIT 1`
  return rows.length > 0
}

/** Ends the sessions whose lease has ended; waits for what they write at this moment. */
export async function endLateSessions(tx: Executor): Promise<HostRow[]> {
  return tx<HostRow[]>`
    UPDATE hosts SET session = NULL, boot_phase = NULL, boot_message = NULL, boot_duration_ms = NULL
    WHERE connection = 'joined' AND session IS NOT NULL AND lease_until <= clock_timestamp()
    RETURNING ${columns(tx)}`
}

/** A session that ends itself: it left nothing running. */
export async function endSession(tx: Executor, name: string, session: string): Promise<boolean> {
  const result = await tx`
    UPDATE hosts SET session = NULL, boot_phase = NULL, boot_message = NULL, boot_duration_ms = NULL
    WHERE name = ${name} AND session = ${session}`
  return result.count === 1
}

/** Live rows on joined hosts that have no session: nothing of them can run any more. */
export async function instancesWithoutHost(
  sql: Executor,
): Promise<{ readonly id: string; readonly host: string; readonly mode: 'daemon' | 'perTask' }[]> {
  return sql`
    SELECT i.id, i.host, i.mode FROM instances i JOIN hosts h ON h.name = i.host
    WHERE i.ended_at IS NULL AND h.connection = 'joined' AND h.session IS NULL
    ORDER BY i.created_at LIMIT 1000`
}

export async function setCordon(
  tx: Executor,
  name: string,
  cordon: { readonly by: string; readonly at: Date } | null,
): Promise<void> {
  if (cordon === null)
    await tx`
      UPDATE hosts SET cordoned_by = NULL, cordoned_at = NULL, draining_since = NULL, drain_total = NULL, drained_at = NULL
      WHERE name = ${name}`
  else
    await tx`
      UPDATE hosts SET cordoned_by = coalesce(cordoned_by, ${cordon.by}), cordoned_at = coalesce(cordoned_at, ${cordon.at})
      WHERE name = ${name}`
}

export async function setDraining(tx: Executor, name: string, at: Date, total: number): Promise<void> {
  await tx`UPDATE hosts SET draining_since = ${at}, drain_total = ${total}, drained_at = NULL WHERE name = ${name}`
}

/** Draining hosts on which nothing lives any more are drained; each is returned once. */
export async function endDrains(tx: Executor, at: Date): Promise<HostRow[]> {
  return tx<HostRow[]>`
    UPDATE hosts h SET drained_at = ${at}
    WHERE draining_since IS NOT NULL AND drained_at IS NULL
      AND NOT EXISTS (SELECT FROM instances i WHERE i.host = h.name AND i.ended_at IS NULL)
    RETURNING ${columns(tx)}`
}

const COLUMNS = [
  'name',
  'connection',
  'session',
  'machine',
  'boot_id',
  'lease_until',
  'labels',
  'agent_slots',
  'data_dir',
  'version',
  'hardware',
  'metrics',
  'boot_phase',
  'boot_message',
  'boot_duration_ms',
  'cordoned_by',
  'cordoned_at',
  'draining_since',
  'drain_total',
  'drained_at',
  'joined_at',
  'last_heartbeat_at',
]

function columns(sql: Executor) {
  return sql(COLUMNS)
}
