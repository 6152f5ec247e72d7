import { sha256 } from '../../src/lib/digest.ts'
import { connect } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { loadMigrations } from '../../src/store/migrations.ts'
import { quietLog } from './quiet-log.ts'

const LOCK = 7_305_812_442

/**
 * A migrated database to clone from, named by what the migrations are: changed files make another one, and templates of
 * older files are dropped. Returns its name.
 */
export async function prepareTemplate(adminUrl: string): Promise<string> {
  const migrations = await loadMigrations()
  const name = `stateward_template_${sha256(migrations.map((migration) => migration.checksum).join()).slice(0, 12)}`
  const admin = connect(adminUrl, { max: 1, applicationName: 'tests', namedStatements: false })
  try {
    // Two runs may meet on one server.
    await admin`SELECT pg_advisory_lock(${LOCK})`
    const known = await admin<{ datname: string }[]>`
      SELECT datname FROM pg_database WHERE datname LIKE ${'stateward\\_template\\_%'}`
    if (known.some(({ datname }) => datname === name)) return name
    for (const { datname } of known) await admin`DROP DATABASE IF EXISTS ${admin(datname)} WITH (FORCE)`
    const fresh = `${name}_new`
    await admin`CREATE DATABASE ${admin(fresh)}`
    await migrate(databaseUrl(adminUrl, fresh), { log: quietLog })
    // Named last: a run that is killed in between leaves no half template.
    await admin`ALTER DATABASE ${admin(fresh)} RENAME TO ${admin(name)}`
    return name
  } finally {
    await admin.end()
  }
}

/** The same server and login, another database. */
export function databaseUrl(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}
