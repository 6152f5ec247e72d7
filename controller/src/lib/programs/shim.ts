import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail } from '../error-catalogue.ts'
import { identityOf, type ProcessIdentity } from '../process-identity.ts'

/**
 * The process that stands between the controller and a program, and outlives the controller. It records in its
 * folder who it is (`pid`) and how the program ended (`exit`, one line), so that also the next controller can read both.
 *
 * - `pid` is created, never overwritten: whoever finds it missing and creates it first has stopped a start (see record.ts).
 * - The traps keep it alive through a TERM of the whole group, until the program's exit code is written. The program
 *   itself gets the signals as usual: a trapped signal is reset in a child.
 * - `exit` is one write of one line by the shell itself; a reader takes it for complete when the line is.
 * - The folder is a positional argument, so nothing of the shim reaches the program's environment.
 */
const SHIM = [
  'd=$1',
  'shift',
  'trap : TERM INT HUP',
  'set -C',
  'echo "$$" >"$d/pid" || exit 125',
  'set +C',
  '"$@"',
  'echo "$?" >"$d/exit"',
].join('\n')

export interface SpawnRequest {
  /** The program's folder: gets `pid`, `exit`, `out`, `err`, and `in` when there is input. Made when missing. */
  readonly folder: string
  readonly command: readonly string[]
  readonly cwd: string
  /** The whole environment of the program. */
  readonly environment: Readonly<Record<string, string>>
  /** What the program reads; null = nothing, at once the end. */
  readonly stdin: string | null
}

export interface Spawned {
  readonly child: ChildProcess
  readonly identity: ProcessIdentity
}

/**
 * Starts a program in a process group of its own, on files only: it never holds a pipe whose other end could go away with
 * the controller. Returns when the process exists. Throws SW_AGENT_FAILED when it could not be started.
 */
export async function spawnRecorded(request: SpawnRequest): Promise<Spawned> {
  mkdirSync(request.folder, { recursive: true, mode: 0o700 })
  const open: number[] = []
  try {
    const input = join(request.folder, 'in')
    if (request.stdin !== null) writeFileSync(input, request.stdin, { mode: 0o600 })
    open.push(openSync(request.stdin === null ? '/dev/null' : input, 'r'))
    open.push(openSync(join(request.folder, 'out'), 'a', 0o600))
    open.push(openSync(join(request.folder, 'err'), 'a', 0o600))
    const child = spawn('/bin/sh', ['-c', SHIM, 'stateward-shim', request.folder, ...request.command], {
      cwd: request.cwd,
      env: { ...request.environment },
      stdio: [open[0]!, open[1]!, open[2]!],
      detached: true,
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    // The controller may end while its agents go on.
    child.unref()
    const identity = identityOf(child.pid!)
    // It may have ended by now; its `exit` file says how. The pid alone is enough to say who it was.
    return { child, identity: identity ?? { pid: child.pid!, start: 'ended' } }
  } catch (error) {
    throw fail('SW_AGENT_FAILED', `could not start ${request.command[0]}`, { cause: error })
  } finally {
    for (const descriptor of open) closeSync(descriptor)
  }
}
