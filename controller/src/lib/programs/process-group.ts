import { readdirSync } from 'node:fs'
import { hasCode, readIfThere } from '../error-code.ts'
import { identityOf, type ProcessIdentity } from '../process-identity.ts'

/**
 * Signals a whole group, named by its leader. Nothing happens when the leader's pid belongs to somebody else by now. When
 * the leader is gone, what it left behind is signalled if it carries the mark (`NAME=value`) in its environment, since a
 * group's number alone may be somebody else's by then. Returns false when there was nobody to signal.
 */
export function signalGroup(leader: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL', mark: string): boolean {
  const now = identityOf(leader.pid)
  if (now !== null && now.start !== leader.start) return false
  if (now === null && !leftBehind(leader.pid, mark)) return false
  try {
    process.kill(-leader.pid, signal)
    return true
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false
    throw error
  }
}

/** True when a process of the group runs and carries the mark. Where there is no /proc nobody can tell: false. */
function leftBehind(group: number, mark: string): boolean {
  if (process.platform !== 'linux') return false
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    // Null also for a process of another user.
    const stat = readIfThere(`/proc/${entry}/stat`, 'EACCES', 'EPERM')
    if (stat === null) continue
    const fields = fieldsOf(stat)
    if (fields[0] === 'Z' || fields[0] === 'X' || Number(fields[2]) !== group) continue
    const environment = readIfThere(`/proc/${entry}/environ`, 'EACCES', 'EPERM')
    if (environment?.split('\0').includes(mark)) return true
  }
  return false
}

/** `/proc/<pid>/stat` from its third field (the state) on. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
