import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../../lib/error-catalogue.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../lib/process-identity.ts'
import { connect, type DatabaseUrls } from '../database.ts'
import { mapConnectionLoss, sqlState } from '../database-errors.ts'
import type { Log } from '../ports.ts'
import { clusterExists, createCluster } from './cluster.ts'
import { type Address, configureCluster, readAddress } from './cluster-config.ts'
import { DATABASE, ensurePassword, OWNER, passwordMissing, readPassword } from './credentials.ts'
import { CHILD_ENV } from './os-user.ts'
import { type Placement, placeCluster } from './placement.ts'
import { clearCrash, livePostmaster, stopPostmaster } from './postmaster.ts'
import { identityOptions } from './run-program.ts'

export interface EmbeddedPostgres {
  readonly urls: DatabaseUrls
  readonly port: number
  readonly pid: number
  /** It ran already: left by a controller that was killed. */
  readonly adopted: boolean
  isRunning(): boolean
  /** Stops the server cleanly, in bounded time; called again, it does nothing. */
  stop(): Promise<void>
}

const LOG_LIMIT = 10 * 1024 * 1024
const START_TIMEOUT_MS = 60_000

/**
 * The database of a data directory: made at the first start, recovered after a crash, adopted when it still runs. The
 * caller holds `<data>/lock`. The server is detached: it outlives this process until `stop`.
 * Throws SW_PG_START, SW_PG_MAJOR.
 */
export async function startEmbeddedPostgres(options: {
  readonly dataDir: string
  readonly log: Log
  /** Start it where it was or not at all: clients know its address. */
  readonly keepAddress?: boolean
}): Promise<EmbeddedPostgres> {
  const { dataDir, log, keepAddress = false } = options
  const placement = await placeCluster(dataDir, log)
  const existed = await clusterExists(placement)
  const password = existed ? await readPassword(dataDir) : await ensurePassword(dataDir)
  if (password === null) throw passwordMissing(dataDir)
  if (!existed) await createCluster(placement, password)

  const running = existed ? await adopt(placement.cluster) : null
  const server = running ?? (await start(placement, keepAddress))
  try {
    await ensureDatabase(urlOf(server.address, password, 'postgres'), urlOf(server.address, password, DATABASE))
  } catch (error) {
    if (running === null) await stopPostmaster(server.identity)
    throw error
  }
  const { pid } = server.identity
  log.info(
    { pid, port: server.address.port, adopted: running !== null, cluster: placement.cluster },
    'database server is ready',
  )
  const url = urlOf(server.address, password, DATABASE)
  return {
    urls: { url, directUrl: url, ownerUrl: url, namedStatements: true },
    port: server.address.port,
    pid,
    adopted: running !== null,
    isRunning: () => isAlive(server.identity),
    async stop() {
      if (!isAlive(server.identity)) return
      const how = await stopPostmaster(server.identity)
      if (how !== 'fast')
        log.warn({ pid, how }, 'the database server did not stop in time; it recovers at the next start')
    },
  }
}

/** Stops the server that a killed controller left on a data directory; false when none runs. */
export async function stopEmbeddedPostgres(options: { readonly dataDir: string; readonly log: Log }): Promise<boolean> {
  const placement = await placeCluster(options.dataDir, options.log)
  const postmaster = (await clusterExists(placement)) ? await livePostmaster(placement.cluster) : null
  if (postmaster === null) return false
  await stopPostmaster(postmaster.identity)
  return true
}

interface Server {
  readonly identity: ProcessIdentity
  readonly address: Address
}

/** A server that runs on the cluster; one that is just stopping is waited for. */
async function adopt(cluster: string): Promise<Server | null> {
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 20) {
    const postmaster = await livePostmaster(cluster)
    if (postmaster === null) return null
    const address = await readAddress(cluster)
    if (postmaster.status === 'ready' && postmaster.port !== null && address !== null) {
      return { identity: postmaster.identity, address: { host: address.host, port: postmaster.port } }
    }
    await delay(20)
  }
  throw fail('SW_PG_START', `the server on ${cluster} runs but does not get ready`)
}

async function start(placement: Placement, keepAddress: boolean): Promise<Server> {
  await clearCrash(placement.cluster)
  const address = await configureCluster(placement.cluster, placement.user, keepAddress)
  const child = spawnServer(placement)
  // Not listening to it would make a failed spawn an exception of the process.
  const failed = new Promise<Error>((resolve) => child.once('error', resolve))
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 5) {
    const postmaster = await livePostmaster(placement.cluster)
    if (postmaster?.identity.pid === child.pid && postmaster?.status === 'ready') {
      return { identity: postmaster.identity, address }
    }
    if (child.pid === undefined)
      throw fail('SW_PG_START', 'the database server could not be started', { cause: await failed })
    if (child.exitCode !== null || child.signalCode !== null) throw await startFailed(placement)
    await delay(5)
  }
  const identity = child.pid === undefined ? null : identityOf(child.pid)
  if (identity !== null) await stopPostmaster(identity)
  throw await startFailed(placement)
}

/** Detached, in a process group of its own: neither our end nor a Ctrl-C reaches it. */
function spawnServer(placement: Placement): ChildProcess {
  rotate(placement.logFile)
  const output = openSync(placement.logFile, 'a', 0o640)
  try {
    const child = spawn(join(placement.binaries.native, 'bin', 'postgres'), ['-D', placement.cluster], {
      ...identityOptions(placement.user),
      cwd: '/',
      env: CHILD_ENV,
      detached: true,
      stdio: ['ignore', output, output],
    })
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

/** Keeps one former log beside the current one. */
function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_LIMIT) renameSync(logFile, `${logFile}.1`)
}

async function startFailed(placement: Placement): Promise<Error> {
  const said = (await readFile(placement.logFile, 'utf8')).trimEnd().split('\n').slice(-5).join('\n')
  return fail('SW_PG_START', `the database server did not start; the end of ${placement.logFile}:\n${said}`)
}

/** Also proves that the server is ours: it knows the password, and so do we. */
async function ensureDatabase(adminUrl: string, url: string): Promise<void> {
  const options = { max: 1, applicationName: 'stateward start', namedStatements: false }
  const sql = connect(url, options)
  try {
    await sql`SELECT 1`
    return
  } catch (error) {
    if (sqlState(error) !== '3D000') throw mapConnectionLoss(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
  const admin = connect(adminUrl, options)
  try {
    await admin`CREATE DATABASE ${admin(DATABASE)}`
  } finally {
    await admin.end({ timeout: 1 })
  }
}

function urlOf(address: Address, password: string, database: string): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `postgres://${OWNER}:${encodeURIComponent(password)}@${host}:${address.port}/${database}`
}
