import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { hasCode } from '../../lib/error-code.ts'

/** Name of the cluster's superuser, who owns the schema, and of the database. */
export const OWNER = 'stateward'
export const DATABASE = 'stateward'

/** The owner's password in `<data>/credentials/postgres` (0600); null when there is none. */
export async function readPassword(dataDir: string): Promise<string | null> {
  try {
    const password = (await readFile(passwordFile(dataDir), 'utf8')).trim()
    return password === '' ? null : password
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** The password, made at the first start: on disk before a cluster knows it, so that a crash in between loses nothing. */
export async function ensurePassword(dataDir: string): Promise<string> {
  const known = await readPassword(dataDir)
  if (known !== null) return known
  const password = randomBytes(24).toString('base64url')
  await mkdir(join(dataDir, 'credentials'), { recursive: true, mode: 0o700 })
  const fresh = `${passwordFile(dataDir)}.new`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${password}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, passwordFile(dataDir))
  return password
}

export function passwordMissing(dataDir: string): Error {
  return fail(
    'SW_PG_START',
    `the password of the database is gone: there is a cluster, but no ${passwordFile(dataDir)}`,
    {
      remedy: 'restore that file from a backup, or move the cluster away to begin with an empty one',
    },
  )
}

function passwordFile(dataDir: string): string {
  return join(dataDir, 'credentials', 'postgres')
}
