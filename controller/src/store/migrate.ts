import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../lib/error-catalogue.ts'
import { connect, type Executor, type Sql, type Tx } from './database.ts'
import { mapConnectionLoss, sqlState } from './database-errors.ts'
import { loadMigrations, type Migration } from './migrations.ts'
import type { Log } from './ports.ts'

/** Any number: it only has to be the same in every process that migrates. */
const LOCK = 7_305_812_441

interface AppliedRow {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly breaking: boolean
}

export interface MigrateResult {
  /** Versions applied by this call. */
  readonly applied: readonly number[]
  /** The schema's version afterwards. */
  readonly version: number
}

/**
 * Brings the schema up to this program's, as its owner: one transaction a file, under a lock, so that processes started
 * together do not meet. Throws SW_MIGRATION_CHANGED when an applied file is not the one that was applied,
 * SW_SCHEMA_TOO_NEW when a newer program made a breaking change, SW_DATABASE_UNREACHABLE.
 */
export async function migrate(
  ownerUrl: string,
  options: { readonly log: Log; readonly migrations?: readonly Migration[] },
): Promise<MigrateResult> {
  const migrations = options.migrations ?? (await loadMigrations())
  const sql = connect(ownerUrl, { max: 1, applicationName: 'stateward migrate', namedStatements: false })
  try {
    const applied: number[] = []
    for (;;) {
      const version = await applyNext(sql, migrations)
      if (version === null) break
      applied.push(version)
      options.log.info({ version, name: migrations[version - 1]?.name }, 'migrated the schema')
    }
    return { applied, version: (await readApplied(sql)).at(-1)?.version ?? 0 }
  } catch (error) {
    throw mapConnectionLoss(error)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Applies the first migration that is missing; null when none is. */
async function applyNext(sql: Sql, migrations: readonly Migration[]): Promise<number | null> {
  return sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${LOCK})`
    await tx`
      CREATE TABLE IF NOT EXISTS schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        breaking boolean NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`
    const applied = await readApplied(tx)
    checkApplied(applied, migrations)
    const next = migrations.find((migration) => migration.version > (applied.at(-1)?.version ?? 0))
    if (next === undefined) return null
    await apply(tx, next)
    return next.version
  })
}

async function apply(tx: Tx, migration: Migration): Promise<void> {
  await tx.unsafe(migration.sql).simple()
  await tx`
    INSERT INTO schema_migrations (version, name, checksum, breaking)
    VALUES (${migration.version}, ${migration.name}, ${migration.checksum}, ${migration.breaking})`
}

async function readApplied(sql: Executor): Promise<AppliedRow[]> {
  return sql<AppliedRow[]>`SELECT version, name, checksum, breaking FROM schema_migrations ORDER BY version`
}

function checkApplied(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  for (const row of applied) {
    const ours = migrations[row.version - 1]
    if (ours === undefined) {
      if (!row.breaking) continue
      throw fail(
        'SW_SCHEMA_TOO_NEW',
        `the database has migration ${row.version} (${row.name}), this program knows ${migrations.length}`,
      )
    }
    if (ours.checksum !== row.checksum) {
      throw fail(
        'SW_MIGRATION_CHANGED',
        `migration ${row.version} (${row.name}) is not the one this database was migrated with`,
      )
    }
  }
}

/**
 * Waits until another process has migrated far enough; for processes that are not the owner. Throws like `migrate`, and
 * SW_DATABASE_UNREACHABLE when the schema did not come within `timeoutMs`.
 */
export async function waitForSchema(
  sql: Sql,
  options: { readonly timeoutMs: number; readonly log: Log; readonly migrations?: readonly Migration[] },
): Promise<void> {
  const migrations = options.migrations ?? (await loadMigrations())
  const until = performance.now() + options.timeoutMs
  for (let attempt = 0; ; attempt++) {
    const version = await schemaVersion(sql, migrations)
    if (version >= migrations.length) return
    if (performance.now() > until) {
      throw fail(
        'SW_DATABASE_UNREACHABLE',
        `the schema is at version ${version}, this program needs ${migrations.length}`,
        {
          remedy: 'run `stateward migrate`, or start a process with the controller role, as the owner of the schema',
        },
      )
    }
    if (attempt === 0) options.log.info({ version, needed: migrations.length }, 'waiting for the schema to be migrated')
    await delay(250)
  }
}

async function schemaVersion(sql: Sql, migrations: readonly Migration[]): Promise<number> {
  try {
    const applied = await readApplied(sql)
    checkApplied(applied, migrations)
    return applied.at(-1)?.version ?? 0
  } catch (error) {
    const state = sqlState(error)
    // Not there yet, or not granted yet: the first migration does both.
    if (state === '42P01' || state === '42501') return 0
    throw mapConnectionLoss(error)
  }
}
