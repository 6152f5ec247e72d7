import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { connect, type DatabaseUrls, type Sql } from '../../src/store/database.ts'
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts'
import { quietLog } from './quiet-log.ts'
import { databaseUrl } from './template-database.ts'

export interface TestDatabase {
  readonly urls: DatabaseUrls
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

/** A migrated, empty database of its own; one a test file, or one a test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, template } = inject('database')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await asAdmin(adminUrl, (sql) => sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`)
  const url = databaseUrl(adminUrl, name)
  return {
    urls: { url, directUrl: url, ownerUrl: url, namedStatements: true },
    drop: () => asAdmin(adminUrl, (sql) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`),
  }
}

async function asAdmin(url: string, work: (sql: Sql) => Promise<unknown>): Promise<void> {
  const sql = connect(url, { max: 1, applicationName: 'tests', namedStatements: false })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}

/** A connection as the owner, for what a process of Stateward may not do; end it before the database is dropped. */
export function connectAsOwner(database: TestDatabase): Sql {
  return connect(database.urls.ownerUrl, { max: 1, applicationName: 'tests owner', namedStatements: true })
}

/** A process's store on a test database; several of them are several processes. */
export async function openTestStore(database: TestDatabase, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore(database.urls, {
    clock: systemClock,
    roles: ['test'],
    host: 'test-host',
    dataDirLocked: false,
    onLeaseLost: () => {},
    log: quietLog,
    ...options,
  })
}

export interface TestStore extends Store {
  readonly database: TestDatabase
}

/** A database of its own with a store on it; `end()` closes the store and drops the database. */
export async function createTestStore(options: Partial<StoreOptions> = {}): Promise<TestStore> {
  const database = await createTestDatabase()
  const store = await openTestStore(database, options)
  return {
    ...store,
    database,
    async end() {
      await store.end()
      await database.drop()
    },
  }
}
