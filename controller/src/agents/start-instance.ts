import { mkdirSync } from 'node:fs'
import { sha256 } from '../lib/digest.ts'
import { errorMessage } from '../lib/errors.ts'
import { newToken, uuidv7 } from '../lib/ids.ts'
import { bootId } from '../lib/process-identity.ts'
import { type Spawned, spawnRecorded } from '../lib/programs/shim.ts'
import type { InstanceMode, NewInstance } from '../store/queries/instances.ts'
import type { TaskRow } from '../store/queries/tasks.ts'
import type { AgentTarget } from './agent-target.ts'
import type { HostFleet } from './fleet.ts'
import { writeRecord } from './instance-record.ts'
import type { Obstacle } from './observation.ts'
import type { Process } from './process-table.ts'
import { environmentOf } from './runtimes/process/environment.ts'
import { noRoom, type Provisions } from './start-conditions.ts'

/** A row to be, with the token whose hash it holds. */
export interface Candidate {
  readonly row: NewInstance
  readonly token: string
}

/** A new instance of an agent as it is wanted now, on this host. */
export function candidate(
  fleet: HostFleet,
  target: AgentTarget,
  place: {
    readonly ordinal: number
    readonly mode: InstanceMode
    readonly restartCount: number
    readonly crashCount: number
  },
): Candidate {
  const now = fleet.context.clock.now()
  const token = newToken('a')
  const row: NewInstance = {
    id: uuidv7(now.getTime()),
    agentUid: target.uid,
    namespace: target.namespace,
    agent: target.name,
    host: fleet.context.localHost().name,
    slots: target.spec.resources.slots,
    launchDigest: target.launchDigest,
    tokenSha256: sha256(token),
    bootId: bootId(),
    createdAt: now,
    ...place,
  }
  return { row, token }
}

/**
 * Starts a replica: its row is committed first, then the process exists, then both are told to the log. So a controller
 * killed at any point leaves a row from which the next one finds out whether there is a process.
 * Returns what stood in the way, or null.
 */
export async function startDaemon(
  fleet: HostFleet,
  target: AgentTarget,
  provisions: Provisions,
  place: { readonly ordinal: number; readonly restartCount: number; readonly crashCount: number },
): Promise<Obstacle | null> {
  const { context } = fleet
  const host = context.localHost()
  const { row, token } = candidate(fleet, target, { mode: 'daemon', ...place })
  fleet.starting.add(row.id)
  try {
    const inserted = await fleet.placing.run(host.name, () => fleet.ledger.insert(row, host.slots))
    if (inserted === 'full') return noRoom(host, target)
    if (inserted === 'taken') return null
    let spawned: Spawned
    try {
      const workspace = await fleet.workspaces.makeReplicaFolder(target.uid, row.ordinal)
      spawned = await spawnFor(
        fleet,
        target,
        provisions,
        { row, token },
        { cwd: provisions.files ?? workspace, workspace, stdin: null },
      )
    } catch (error) {
      return await notStarted(fleet, row, error)
    }
    // Watched before it is recorded: whatever happens to the database now, this process is known.
    const process = watch(fleet, row, spawned, { task: null, provisions })
    await recordStart(fleet, process)
    return null
  } finally {
    fleet.starting.delete(row.id)
  }
}

/** Starts the program of an instance; its folder holds everything about it. */
export function spawnFor(
  fleet: HostFleet,
  target: AgentTarget,
  provisions: Provisions,
  { row, token }: Candidate,
  run: {
    readonly cwd: string
    readonly workspace: string
    readonly stdin: string | null
    /** What it does is bulk work, though its agent usually does none. */
    readonly isBulk?: boolean
  },
): Promise<Spawned> {
  const { context } = fleet
  const folder = fleet.workspaces.instanceFolder(row.id)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeRecord(folder, target)
  return spawnRecorded({
    folder,
    command: target.spec.runtime.process.command,
    cwd: run.cwd,
    stdin: run.stdin,
    environment: environmentOf({
      inherited: context.inherited,
      nodeFolder: context.nodeFolder,
      url: context.url(),
      token,
      agent: target.name,
      namespace: target.namespace,
      instanceId: row.id,
      workspace: run.workspace,
      files: provisions.files,
      shared: provisions.shared,
      databaseUrl: run.isBulk === true || target.spec.dataAccess === 'bulk' ? context.databaseUrl() : null,
      declared: provisions.declared,
    }),
  })
}

/** From now on its end is noticed. */
export function watch(
  fleet: HostFleet,
  row: NewInstance,
  { child, identity }: Spawned,
  more: { readonly task: TaskRow | null; readonly provisions: Provisions },
): Process {
  const process: Process = {
    instanceId: row.id,
    agentUid: row.agentUid,
    namespace: row.namespace,
    agent: row.agent,
    ordinal: row.ordinal,
    mode: row.mode,
    identity,
    folder: fleet.workspaces.instanceFolder(row.id),
    task: more.task,
    redact: more.provisions.redact,
    stopping: null,
    verdict: null,
    killAt: null,
  }
  fleet.processes.add(process, child)
  return process
}

/** Tells the row and the log who the process is. Repeated when that could not be written the first time. */
export async function recordStart(fleet: HostFleet, process: Process): Promise<void> {
  await fleet.ledger.started(process.instanceId, process.identity)
  fleet.changed(process)
}

/** Ends the row of a process that never came to be. What failed is an obstacle like a missing command. */
async function notStarted(fleet: HostFleet, row: NewInstance, cause: unknown): Promise<Obstacle> {
  const message = errorMessage(cause)
  await fleet.ledger.notStarted(row.id, message)
  fleet.context.log.error(
    { err: cause, instance: row.id, agent: row.agent, namespace: row.namespace },
    'could not start an agent process',
  )
  return { reason: 'Failed', message: `could not be started: ${message}` }
}
