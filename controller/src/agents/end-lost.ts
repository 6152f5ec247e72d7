import { bootId, isAlive } from '../lib/process-identity.ts'
import type { HostFleet } from './fleet.ts'
import { signalInstance } from './runtimes/process/signal-instance.ts'

/**
 * Ends processes of this machine whose rows say that they are lost: another machine led meanwhile and could not see them, so
 * their replicas run elsewhere.
 */
export async function endLost({ context, ledger }: HostFleet): Promise<void> {
  for (const { id, pid, pid_start } of await ledger.lost(bootId())) {
    const identity = { pid, start: pid_start }
    if (!isAlive(identity)) continue
    signalInstance(identity, 'SIGKILL', id)
    context.log.warn({ instance: id, pid }, 'ended an agent process that was given up as lost')
  }
}
