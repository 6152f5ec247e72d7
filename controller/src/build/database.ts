import type { Config } from '../config/schema.ts'
import { fail } from '../lib/error-catalogue.ts'
import { connect, type DatabaseUrls } from '../store/database.ts'
import { mapConnectionLoss } from '../store/database-errors.ts'
import { startEmbeddedPostgres } from '../store/embedded/embedded-postgres.ts'
import { keepRunning } from '../store/embedded/keep-running.ts'
import { migrate, waitForSchema } from '../store/migrate.ts'
import type { Log } from '../store/ports.ts'
import type { Roles } from './roles.ts'
import type { StartPhases } from './start-phases.ts'

/** A process that does not migrate waits this long for one that does. */
const SCHEMA_MS = 60_000

export interface Database {
  readonly urls: DatabaseUrls
  /** Embedded, or somebody else's. */
  readonly embedded: { readonly pid: number; readonly adopted: boolean } | null
  stop(): Promise<void>
}

/**
 * The database the configuration names, else the embedded one, with the schema of this program: a process with the role
 * `controller` brings it there, the others wait for one.
 */
export async function openDatabase(config: Config, roles: Roles, phases: StartPhases, log: Log): Promise<Database> {
  const database =
    config.database.url === null ? await embedded(config, log) : await external(config, config.database.url)
  try {
    phases.reached('database')
    if (roles.has('controller')) await migrate(database.urls.ownerUrl, { log })
    else await untilMigrated(database.urls, log)
    phases.reached('schema')
  } catch (error) {
    await database.stop()
    throw error
  }
  return database
}

async function untilMigrated(urls: DatabaseUrls, log: Log): Promise<void> {
  const sql = connect(urls.directUrl, { max: 1, applicationName: 'stateward schema', namedStatements: false })
  try {
    await waitForSchema(sql, { timeoutMs: SCHEMA_MS, log })
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function embedded(config: Config, log: Log): Promise<Database> {
  const server = await startEmbeddedPostgres({ dataDir: config.data, log })
  const kept = keepRunning(server, { dataDir: config.data, log })
  return { urls: server.urls, embedded: { pid: server.pid, adopted: server.adopted }, stop: () => kept.stop() }
}

async function external(config: Config, url: string): Promise<Database> {
  if (!URL.canParse(url))
    throw fail('SW_CONFIG_INVALID', 'database.url is not a URL', {
      remedy: 'write postgres://user:password@host:5432/name',
    })
  const directUrl = config.database.directUrl ?? url
  const urls = {
    url,
    directUrl,
    ownerUrl: config.database.ownerUrl ?? directUrl,
    namedStatements: config.database.namedStatements,
  }
  await checkReachable(urls)
  return { urls, embedded: null, stop: async () => {} }
}

/** Throws SW_DATABASE_UNREACHABLE. */
async function checkReachable(urls: DatabaseUrls): Promise<void> {
  const sql = connect(urls.directUrl, { max: 1, applicationName: 'stateward start', namedStatements: false })
  try {
    await sql`SELECT 1`
  } catch (error) {
    throw mapConnectionLoss(error)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
