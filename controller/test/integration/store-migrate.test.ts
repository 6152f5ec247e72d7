import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { sha256 } from '../../src/lib/digest.ts'
import { connect, type Sql } from '../../src/store/database.ts'
import { sqlState } from '../../src/store/database-errors.ts'
import { dumpSchema } from '../../src/store/dump-schema.ts'
import { findBinaries } from '../../src/store/embedded/binaries.ts'
import { migrate, waitForSchema } from '../../src/store/migrate.ts'
import { loadMigrations, type Migration, migrationsDirectory } from '../../src/store/migrations.ts'
import { connectAsOwner, createTestDatabase, openTestStore } from '../support/database.ts'
import { quietLog, recordingLog } from '../support/quiet-log.ts'
import { databaseUrl } from '../support/template-database.ts'

function migration(version: number, sql: string, breaking = false): Migration {
  return { version, name: `change_${version}`, sql, checksum: sha256(sql), breaking }
}

describe('migrations', () => {
  let admin: Sql
  const databases: string[] = []
  /** An empty database: nothing migrated. */
  const emptyDatabase = async (): Promise<string> => {
    const name = `test_${randomUUID().replaceAll('-', '')}`
    await admin`CREATE DATABASE ${admin(name)}`
    databases.push(name)
    return databaseUrl(inject('database').adminUrl, name)
  }
  const query = async <T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> => {
    const sql = connect(url, { max: 1, applicationName: 'tests', namedStatements: false })
    try {
      return await work(sql)
    } finally {
      await sql.end()
    }
  }
  const first = migration(1, 'CREATE TABLE one (i int)')
  const second = migration(2, 'CREATE TABLE two (i int); INSERT INTO two VALUES (1), (2)')

  beforeAll(() => {
    admin = connect(inject('database').adminUrl, { max: 1, applicationName: 'tests', namedStatements: false })
  })
  afterAll(async () => {
    for (const name of databases) await admin`DROP DATABASE IF EXISTS ${admin(name)} WITH (FORCE)`
    await admin.end()
  })

  it('apply what is missing, once', async () => {
    const url = await emptyDatabase()
    expect(await migrate(url, { log: quietLog, migrations: [first] })).toEqual({ applied: [1], version: 1 })
    expect(await migrate(url, { log: quietLog, migrations: [first, second] })).toEqual({ applied: [2], version: 2 })
    expect(await migrate(url, { log: quietLog, migrations: [first, second] })).toEqual({ applied: [], version: 2 })
    expect(await query(url, (sql) => sql`SELECT count(*) AS n FROM two`)).toEqual([{ n: 2 }])
  })

  it('are applied once by processes that start together', async () => {
    const url = await emptyDatabase()
    const results = await Promise.all([1, 2, 3].map(() => migrate(url, { log: quietLog, migrations: [first, second] })))
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual([1, 2])
  })

  it('are undone as a whole when a statement fails', async () => {
    const url = await emptyDatabase()
    const broken = migration(2, 'CREATE TABLE half (i int); SELECT 1/0')
    const error = await migrate(url, { log: quietLog, migrations: [first, broken] }).catch((thrown: unknown) => thrown)
    expect(sqlState(error)).toBe('22012')
    const tables = await query(url, (sql) => sql`SELECT to_regclass('half') AS half, to_regclass('one')::text AS one`)
    expect(tables).toEqual([{ half: null, one: 'one' }])
  })

  it('are refused when an applied file was edited', async () => {
    const url = await emptyDatabase()
    await migrate(url, { log: quietLog, migrations: [first] })
    const edited = { ...first, checksum: sha256('edited') }
    await expect(migrate(url, { log: quietLog, migrations: [edited] })).rejects.toMatchObject({
      ref: 'SW_MIGRATION_CHANGED',
    })
  })

  it('of a newer program are fine, unless they are breaking', async () => {
    const url = await emptyDatabase()
    await migrate(url, { log: quietLog, migrations: [first, second] })
    expect(await migrate(url, { log: quietLog, migrations: [first] })).toEqual({ applied: [], version: 2 })
    await migrate(url, { log: quietLog, migrations: [first, second, migration(3, 'DROP TABLE one', true)] })
    await expect(migrate(url, { log: quietLog, migrations: [first] })).rejects.toMatchObject({
      ref: 'SW_SCHEMA_TOO_NEW',
    })
    await query(url, (sql) =>
      expect(waitForSchema(sql, { timeoutMs: 0, log: quietLog, migrations: [first] })).rejects.toMatchObject({
        ref: 'SW_SCHEMA_TOO_NEW',
      }),
    )
  })

  it('are waited for by a process that does not migrate', async () => {
    const url = await emptyDatabase()
    await query(url, async (sql) => {
      const { log, lines } = recordingLog()
      await expect(waitForSchema(sql, { timeoutMs: 0, log, migrations: [first] })).rejects.toMatchObject({
        ref: 'SW_DATABASE_UNREACHABLE',
        message: 'the schema is at version 0, this program needs 1',
      })
      const waiting = waitForSchema(sql, { timeoutMs: 20_000, log, migrations: [first] })
      await migrate(url, { log: quietLog, migrations: [first] })
      await waiting
      expect(lines[0]?.message).toBe('waiting for the schema to be migrated')
    })
  })

  it('need no superuser, and no right to make roles where the role was made for them', async () => {
    const adminUrl = await emptyDatabase()
    const login = `owner_${randomUUID().slice(0, 8)}`
    const url = new URL(adminUrl)
    const database = url.pathname.slice(1)
    url.username = login
    url.password = 'secret'
    await admin.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`)
    await admin.unsafe(`ALTER DATABASE ${database} OWNER TO ${login}`)
    await admin.unsafe(`GRANT stateward_app TO ${login}`)
    const migrations = await loadMigrations()
    expect(await migrate(url.href, { log: quietLog })).toMatchObject({ version: migrations.length })
    const urls = { url: url.href, directUrl: url.href, ownerUrl: url.href, namedStatements: true }
    const store = await openTestStore({ urls, drop: async () => {} })
    await waitForSchema(store.reader, { timeoutMs: 0, log: quietLog })
    const error = await store.engine`UPDATE events SET actor = 'x'`.catch((thrown: unknown) => thrown)
    expect(sqlState(error)).toBe('42501')
    await store.end()
    await admin.unsafe(`DROP DATABASE ${database} WITH (FORCE)`)
    await admin.unsafe(`DROP ROLE ${login}`)
  })

  it('say that nobody answers when no server is there', async () => {
    const url = 'postgres://nobody:x@127.0.0.1:1/none'
    await expect(migrate(url, { log: quietLog, migrations: [first] })).rejects.toMatchObject({
      ref: 'SW_DATABASE_UNREACHABLE',
    })
  })
})

describe('the migration files', () => {
  it('are numbered without gaps and say whether they are breaking', async () => {
    const migrations = await loadMigrations()
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1))
    expect(migrations[0]).toMatchObject({ name: 'init', breaking: false })
  })

  it('give exactly the schema in schema.sql (`npm run generate` writes it)', async ({ skip }) => {
    const database = await createTestDatabase()
    const owner = connectAsOwner(database)
    try {
      const [server] = await owner<
        { major: number }[]
      >`SELECT current_setting('server_version_num')::int / 10000 AS major`
      // Other majors write some definitions differently.
      if (String(server!.major) !== (await findBinaries()).major) skip()
      expect(await dumpSchema(owner)).toBe(await readFile(`${migrationsDirectory()}schema.sql`, 'utf8'))
    } finally {
      await owner.end()
      await database.drop()
    }
  })
})
