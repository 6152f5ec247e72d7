import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '../../lib/error-catalogue.ts'

const run = promisify(execFile)

/** What child processes of ours see: nothing of our environment reaches the server. */
export const CHILD_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const

/** A user of the operating system; Postgres refuses to run as root. */
export interface OsUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Whom the server runs as when we are root: `postgres`, else `nobody`. Throws SW_PG_START when there is neither. */
export async function unprivilegedUser(): Promise<OsUser> {
  for (const name of ['postgres', 'nobody']) {
    const user = await lookUp(name)
    if (user !== null) return user
  }
  throw fail('SW_PG_START', 'Postgres does not run as root, and there is neither a user postgres nor nobody', {
    remedy: 'add a user `postgres`, or start Stateward as another user than root',
  })
}

/** A user by name or number; null when the system knows none (Postgres needs its own name). */
export async function lookUp(nameOrUid: string): Promise<OsUser | null> {
  try {
    const [name, uid, gid] = await Promise.all(
      ['-un', '-u', '-g'].map(async (flag) => (await run('id', [flag, nameOrUid], { env: CHILD_ENV })).stdout.trim()),
    )
    return { name: name!, uid: Number(uid), gid: Number(gid) }
  } catch (error) {
    // `id` answers 1 for an unknown user; anything else (no `id`) is a failure of this machine.
    if (error instanceof Error && 'code' in error && error.code === 1) return null
    throw fail('SW_PG_START', `the user ${nameOrUid} cannot be looked up`, { cause: error })
  }
}

/** Whether that user can enter and write `directory` and run the program. */
export async function canUse(user: OsUser, directory: string, program: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd "$1" && test -w . && exec "$2" --version', 'sh', directory, program], {
      uid: user.uid,
      gid: user.gid,
      cwd: '/',
      env: CHILD_ENV,
    })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') return false
    throw error
  }
}
