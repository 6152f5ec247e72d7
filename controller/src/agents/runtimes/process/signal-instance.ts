import type { ProcessIdentity } from '../../../lib/process-identity.ts'
import { signalGroup } from '../../../lib/programs/process-group.ts'

/** Signals the group of an instance; false when there was nobody to signal. */
export function signalInstance(leader: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL', instanceId: string): boolean {
  return signalGroup(leader, signal, `STATEWARD_INSTANCE=${instanceId}`)
}
