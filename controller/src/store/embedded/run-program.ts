import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import { CHILD_ENV, type OsUser } from './os-user.ts'

const run = promisify(execFile)

/** Runs one of Postgres' own programs to its end as the cluster's user. Throws SW_PG_START with what it said. */
export async function runProgram(program: string, args: readonly string[], user: OsUser | null): Promise<void> {
  try {
    await run(program, args, { ...identityOptions(user), cwd: '/', env: CHILD_ENV, maxBuffer: 4 * 1024 * 1024 })
  } catch (error) {
    const said = isObject(error) && typeof error['stderr'] === 'string' ? error['stderr'].trim() : ''
    throw fail('SW_PG_START', `${program} failed: ${said === '' ? String(error) : said}`, { cause: error })
  }
}

/** Options for a child of that user; supplementary groups of ours are dropped with it. */
export function identityOptions(user: OsUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid }
}
