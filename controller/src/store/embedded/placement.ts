import {
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { hasCode } from '../../lib/error-code.ts'
import type { Log } from '../ports.ts'
import { type Binaries, copyBinaries, findBinaries, hydrateSymlinks } from './binaries.ts'
import { canUse, isRoot, lookUp, type OsUser, unprivilegedUser } from './os-user.ts'
import { livePostmaster, stopPostmaster } from './postmaster.ts'

/** Where the cluster of a data directory is, and who runs it. */
export interface Placement {
  /** The real folder behind `<data>/postgres`. */
  readonly home: string
  /** The cluster's folder: `<home>/<major>`. */
  readonly cluster: string
  readonly logFile: string
  readonly binaries: Binaries
  /** null = as ourselves. */
  readonly user: OsUser | null
}

/** Where clusters live that an unprivileged user could not reach in the data directory. */
const OUTSIDE = '/var/lib/stateward'

/**
 * Decides where the cluster is. `<data>/postgres/<major>`, run as ourselves; as root, as the user that owns the cluster,
 * else `postgres`, else `nobody`. When that user reaches either the data or the binaries not, both are kept in
 * `/var/lib/stateward/<12 hex>/`, linked from `<data>/postgres`. Throws SW_PG_MAJOR when only another major is there.
 */
export async function placeCluster(dataDir: string, log: Log): Promise<Placement> {
  const data = await realpath(dataDir)
  const installed = await findBinaries()
  const link = join(data, 'postgres')
  const outside = await linkedHome(link)
  if (outside === null) await mkdir(link, { recursive: true, mode: 0o755 })
  const home = outside ?? link
  await refuseOtherMajor(home, installed.major)
  const hydrated = await hydrateSymlinks(installed.native)

  if (!isRoot()) {
    await refuseForeignCluster(home, installed.major)
    return place(home, hydrated ? installed : await copyBinaries(installed, home), null)
  }
  const user = (await ownerOf(join(home, installed.major))) ?? (await unprivilegedUser())
  const found = place(home, outside === null && hydrated ? installed : await copyBinaries(installed, home), user)
  if (outside !== null || (await reaches(found, user))) return found
  return moveOutside({ data, link, installed, user, log })
}

function place(home: string, binaries: Binaries, user: OsUser | null): Placement {
  return { home, cluster: join(home, binaries.major), logFile: join(home, `${binaries.major}.log`), binaries, user }
}

/** The target of `<data>/postgres` when that is a link of ours; made again when somebody removed it. */
async function linkedHome(link: string): Promise<string | null> {
  const entry = await lstat(link).catch(ifMissing)
  if (entry === null || !entry.isSymbolicLink()) return null
  const target = await readlink(link)
  await mkdir(target, { recursive: true, mode: 0o755 })
  return realpath(link)
}

async function reaches(placement: Placement, user: OsUser): Promise<boolean> {
  // The user has to own a folder to prove that it can write: the cluster if there is one, else a folder beside it.
  const probe =
    (await stat(placement.cluster).catch(ifMissing)) === null ? join(placement.home, 'probe') : placement.cluster
  if (probe !== placement.cluster) {
    await mkdir(probe, { recursive: true, mode: 0o700 })
    await chown(probe, user.uid, user.gid)
  }
  const usable = await canUse(user, probe, join(placement.binaries.native, 'bin', 'postgres'))
  if (probe !== placement.cluster) await rmdir(probe)
  return usable
}

async function moveOutside(at: {
  data: string
  link: string
  installed: Binaries
  user: OsUser
  log: Log
}): Promise<Placement> {
  const home = join(OUTSIDE, sha256(at.data).slice(0, 12))
  if ((await stat(join(at.link, at.installed.major)).catch(ifMissing)) !== null) {
    throw fail('SW_PG_START', `the user ${at.user.name} cannot reach its cluster in ${at.link}`, {
      remedy: `make the folders above it accessible (chmod o+x), or move it: mv ${at.link} ${home} && ln -s ${home} ${at.link}`,
    })
  }
  await keepAside(home, at.log)
  await mkdir(home, { recursive: true, mode: 0o755 })
  const placement = place(home, await copyBinaries(at.installed, home), at.user)
  if (!(await reaches(placement, at.user))) {
    throw fail('SW_PG_START', `the user ${at.user.name} reaches neither ${at.data} nor ${home}`, {
      remedy: 'start Stateward as another user than root, or set DATABASE_URL to a server',
    })
  }
  await rmdir(at.link)
  await symlink(home, at.link)
  at.log.warn(
    { home, user: at.user.name },
    'the database is kept outside of the data directory, which its user cannot reach',
  )
  return placement
}

/** A cluster whose data directory was removed: its password went with it. Kept, because it is somebody's data. */
async function keepAside(home: string, log: Log): Promise<void> {
  if ((await stat(home).catch(ifMissing)) === null) return
  for (const entry of await readdir(home)) {
    if (!/^\d+$/.test(entry)) continue
    const running = await livePostmaster(join(home, entry))
    if (running !== null) await stopPostmaster(running.identity)
    const aside = join(home, `${entry}.abandoned-${Date.now()}`)
    await rename(join(home, entry), aside)
    log.warn({ aside }, 'a cluster of a removed data directory was set aside')
  }
}

async function ownerOf(cluster: string): Promise<OsUser | null> {
  const found = await stat(cluster).catch(ifMissing)
  if (found === null || found.uid === 0) return null
  const user = await lookUp(String(found.uid))
  if (user !== null) return user
  throw fail('SW_PG_START', `${cluster} belongs to uid ${found.uid}, which has no name on this system`, {
    remedy: `give it to the user the server shall run as: chown -R postgres ${cluster}`,
  })
}

async function refuseForeignCluster(home: string, major: string): Promise<void> {
  const found = await stat(join(home, major)).catch(ifMissing)
  const uid = process.getuid?.()
  if (found === null || uid === undefined || found.uid === uid) return
  throw fail('SW_PG_START', `${join(home, major)} belongs to uid ${found.uid}, this process runs as ${uid}`, {
    remedy: 'start it as the user (or root) that made the data directory, or give it away with chown -R',
  })
}

async function refuseOtherMajor(home: string, major: string): Promise<void> {
  const majors: string[] = []
  for (const entry of await readdir(home)) {
    if (!/^\d+$/.test(entry)) continue
    const version = await readFile(join(home, entry, 'PG_VERSION'), 'utf8').catch(ifUnreadable)
    majors.push(version?.trim() ?? entry)
  }
  if (majors.length === 0 || majors.includes(major)) return
  throw fail('SW_PG_MAJOR', `${home} holds a cluster of Postgres ${majors.join(', ')}; this version brings ${major}`)
}

function ifMissing(error: unknown): null {
  if (hasCode(error, 'ENOENT')) return null
  throw error
}

/** As another user than the cluster's, only the folder's name can be read. */
function ifUnreadable(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'EACCES')) return null
  throw error
}
