import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { newToken, uuidv7 } from '../../lib/ids.ts'

/** Where the admin credential of a data directory stands; readable by its owner only. */
export function adminCredentialPath(dataDir: string): string {
  return join(dataDir, 'credentials', 'admin')
}

/**
 * The admin credential of a data directory, made at the first start (0600). The file appears whole or not at all, and the
 * first writer wins when two start at once. Throws SW_CONFIG_INVALID when the file holds something else.
 */
export async function ensureAdminCredential(dataDir: string): Promise<string> {
  const path = adminCredentialPath(dataDir)
  const found = await readAdminCredential(dataDir)
  if (found !== null) return found
  await mkdir(join(dataDir, 'credentials'), { recursive: true, mode: 0o700 })
  const part = `${path}.${uuidv7()}`
  await writeFile(part, `${newToken('k')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(part, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(part, { force: true })
  }
  await chmod(path, 0o600)
  return (await readAdminCredential(dataDir)) ?? ensureAdminCredential(dataDir)
}

/** The credential if the file is there, else null; for a CLI on the same data directory. */
export async function readAdminCredential(dataDir: string): Promise<string | null> {
  const path = adminCredentialPath(dataDir)
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  if (!/^swk_[0-9A-Za-z]{43}$/.test(text)) {
    throw fail('SW_CONFIG_INVALID', `${path} does not hold a credential`, {
      remedy: 'remove the file; the next start writes a new one',
    })
  }
  return text
}
