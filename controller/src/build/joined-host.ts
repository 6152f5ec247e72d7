import { dirname } from 'node:path'
import { DEFAULT_SETTINGS } from '../agents/context.ts'
import { join } from '../agents/joined/control-plane.ts'
import { type HostIdentity, readIdentity, writeIdentity } from '../agents/joined/host-identity.ts'
import { runJoinedHost } from '../agents/joined/joined-host.ts'
import type { Environment } from '../config/environment.ts'
import { sha256 } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { packageVersion } from '../lib/package-root.ts'
import { acquireDataLock } from '../store/embedded/data-lock.ts'
import type { Logger } from '../telemetry/logger.ts'
import { thisMachine } from '../telemetry/machine.ts'
import { inheritedEnvironment } from './host-agents.ts'

export interface JoinOptions {
  /** The data folder, absolute. */
  readonly data: string
  /** null: where this folder joined before. */
  readonly server: string | null
  /** null: this folder has joined before. */
  readonly token: string | null
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly agentSlots: number
  readonly keepAgents: boolean
  /** Where bulk work on this machine finds the database; never sent here by anybody. */
  readonly databaseUrl: string | null
  readonly environment: Environment
  readonly log: Logger
  /** What runs the guard of the data folder: a process of its own. */
  readonly guardCommand: readonly string[]
  readonly connected: (identity: HostIdentity, session: string) => void
}

/**
 * Makes this machine a host and supervises agents here until `stopping` is aborted. It needs no database, and nothing of
 * the state repo. Resolves with false when the control plane does not want the host any more.
 */
export async function joinHost(options: JoinOptions, stopping: AbortSignal): Promise<boolean> {
  const lock = acquireDataLock(options.data)
  try {
    const identity = await identityOf(options)
    const machine = thisMachine(options.data)
    return await runJoinedHost(
      {
        identity,
        dataDir: options.data,
        log: options.log,
        version: packageVersion(),
        inherited: inheritedEnvironment(options.environment),
        nodeFolder: dirname(process.execPath),
        settings: DEFAULT_SETTINGS,
        hardware: () => machine.hardware(),
        metrics: () => machine.metrics(),
        guardCommand: options.guardCommand,
        keepAgents: options.keepAgents,
        databaseUrl: options.databaseUrl,
        connected: (session) => options.connected(identity, session),
      },
      stopping,
    )
  } finally {
    lock.release()
  }
}

/** A folder joins once; with another token it joins anew. */
async function identityOf({ data, server, token, name, labels, agentSlots }: JoinOptions): Promise<HostIdentity> {
  const known = readIdentity(data)
  if (token === null) {
    if (known === null)
      throw fail('SW_USAGE', 'this data folder has not joined yet: give it a --token', {
        remedy: 'make one with `stateward host token create` where the server runs',
      })
    return server === null || server === known.server ? known : writeIdentity(data, { ...known, server })
  }
  if (server === null) throw fail('SW_USAGE', 'say where to join: --server URL')
  const used = sha256(token)
  // Whoever restarts it with the same command line means the host that joined then.
  if (known?.server === server && known.token_sha256 === used) return known
  const { host, credential } = await join(server, { token, name, labels, agent_slots: agentSlots })
  return writeIdentity(data, { server, host, credential, token_sha256: used })
}
