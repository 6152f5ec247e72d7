import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../lib/error-code.ts'
import { OWNER } from './credentials.ts'
import type { Placement } from './placement.ts'
import { runProgram } from './run-program.ts'

/** Whether the cluster was made completely: its folder gets its name last. */
export async function clusterExists(placement: Placement): Promise<boolean> {
  try {
    await stat(join(placement.cluster, 'PG_VERSION'))
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Makes the cluster: UTF-8, locale C, password-proven connections only. Built in a folder beside it, synced to disk once
 * and then renamed, so that a crash leaves nothing that looks like a cluster.
 */
export async function createCluster(placement: Placement, password: string): Promise<void> {
  const { home, binaries, user } = placement
  const initdb = join(binaries.native, 'bin', 'initdb')
  const fresh = join(home, `new-${binaries.major}`)
  // The server's user has to read it, so it cannot be the file in credentials.
  const passwordFile = join(home, `password-${randomBytes(6).toString('hex')}`)
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { mode: 0o700 })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  try {
    if (user !== null) {
      await chown(fresh, user.uid, user.gid)
      await chown(passwordFile, user.uid, user.gid)
    }
    const args = [
      `--username=${OWNER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ]
    await runProgram(initdb, ['-D', fresh, ...args, '--no-sync', '--no-instructions'], user)
  } finally {
    await rm(passwordFile, { force: true })
  }
  await runProgram(initdb, ['-D', fresh, '--sync-only'], user)
  await rename(fresh, placement.cluster)
}
