import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { connect } from '../../src/store/database.ts'
import { acquireDataLock, dataLockHolder } from '../../src/store/embedded/data-lock.ts'
import { startEmbeddedPostgres, stopEmbeddedPostgres } from '../../src/store/embedded/embedded-postgres.ts'
import { quietLog } from './quiet-log.ts'
import { prepareTemplate } from './template-database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A login that may create databases, and the migrated database that each test file clones. */
    database: { readonly adminUrl: string; readonly template: string }
  }
}

const PREFIX = 'stateward-test-'

/**
 * One database server for the whole run: STATEWARD_TEST_DATABASE_URL (a superuser's) when it is set, else an embedded
 * cluster in a temporary folder. No test file starts one of its own, except those about starting one.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['STATEWARD_TEST_DATABASE_URL']
  const server = given === undefined ? await startServer() : { url: given, stop: async () => {} }
  try {
    project.provide('database', { adminUrl: server.url, template: await prepareTemplate(server.url) })
  } catch (error) {
    await server.stop()
    throw error
  }
  return server.stop
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  await removeLeftovers()
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX))
  // The server's user has to pass through when the tests run as root.
  chmodSync(dataDir, 0o711)
  const lock = acquireDataLock(dataDir)
  const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog })
  await loseDurability(postgres.urls.ownerUrl)
  return {
    url: postgres.urls.ownerUrl,
    async stop() {
      await postgres.stop()
      lock.release()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Nothing of a test run has to survive a power cut; tests about durability have their own cluster. */
async function loseDurability(url: string): Promise<void> {
  const sql = connect(url, { max: 1, applicationName: 'tests', namedStatements: false })
  try {
    for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
      await sql.unsafe(`ALTER SYSTEM SET ${setting} = off`)
    }
    await sql`SELECT pg_reload_conf()`
  } finally {
    await sql.end()
  }
}

/** Servers of runs that were killed: their folder has a lock that nobody holds. */
async function removeLeftovers(): Promise<void> {
  for (const entry of readdirSync(tmpdir())) {
    const dataDir = join(tmpdir(), entry)
    if (!entry.startsWith(PREFIX) || !existsSync(join(dataDir, 'lock')) || dataLockHolder(dataDir) !== null) continue
    try {
      await stopEmbeddedPostgres({ dataDir, log: quietLog })
      rmSync(dataDir, { recursive: true, force: true })
    } catch (error) {
      console.warn(`could not remove ${dataDir}, left by another run`, error)
    }
  }
}
