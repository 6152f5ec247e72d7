import { readdirSync } from 'node:fs'
import { hasCode, readIfThere } from '../error-code.ts'
import { isAlive, type ProcessIdentity } from '../process-identity.ts'

/** What stands between a program and whoever started it; it ends with its program, and ends its program when it ends. */
const KEEPERS = new Set(['bwrap'])

interface Member {
  readonly pid: number
  readonly name: string
  readonly parent: number
  /** Clock ticks since boot. */
  readonly start: number
}

/**
 * Signals the programs of a shim's group and neither the shim nor a sandbox, which would end them at once: they have the time to
 * end by themselves. `main`: only the one the shim was told to start, not what that started. False when there was none, and
 * where there is no /proc.
 */
export function signalPrograms(shim: ProcessIdentity, signal: NodeJS.Signals, who: 'all' | 'main'): boolean {
  if (process.platform !== 'linux' || !isAlive(shim)) return false
  const members = membersOf(shim.pid)
  const programs = members.filter(({ pid, name }) => pid !== shim.pid && !KEEPERS.has(name))
  const main = who === 'main' ? mainOf(shim.pid, members) : null
  let signalled = false
  for (const { pid } of who === 'all' ? programs : main === null ? [] : [main]) {
    try {
      process.kill(pid, signal)
      signalled = true
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error
    }
  }
  return signalled
}

/** The first child that is no sandbox, down from the shim. What was orphaned in a sandbox is a child of it too, but a later one. */
function mainOf(shim: number, members: readonly Member[]): Member | null {
  for (let parent = shim; ; ) {
    const [first] = members
      .filter((member) => member.parent === parent)
      .sort((a, b) => a.start - b.start || a.pid - b.pid)
    if (first === undefined) return null
    if (!KEEPERS.has(first.name)) return first
    parent = first.pid
  }
}

function membersOf(group: number): Member[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^[0-9]+$/.test(entry)) return []
    // Null also for a process of another user.
    const stat = readIfThere(`/proc/${entry}/stat`, 'EACCES', 'EPERM', 'ESRCH')
    if (stat === null) return []
    // The name stands in parentheses and may hold anything, parentheses too.
    const end = stat.lastIndexOf(')')
    const [state, parent, of, ...rest] = stat.slice(end + 2).split(' ')
    if (state === 'Z' || state === 'X' || Number(of) !== group) return []
    const name = stat.slice(stat.indexOf('(') + 1, end)
    return [{ pid: Number(entry), name, parent: Number(parent), start: Number(rest[16]) }]
  })
}
