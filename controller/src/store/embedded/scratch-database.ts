import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Sql } from '../database.ts'
import { migrate } from '../migrate.ts'
import type { Log } from '../ports.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

/** Runs `work` on a migrated database that exists only meanwhile: for generating what is made from the schema. */
export async function withScratchDatabase<T>(log: Log, work: (sql: Sql) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'stateward-scratch-'))
  // The server's user has to pass through when we are root.
  chmodSync(dataDir, 0o711)
  try {
    const postgres = await startEmbeddedPostgres({ dataDir, log })
    try {
      await migrate(postgres.urls.ownerUrl, { log })
      const sql = connect(postgres.urls.ownerUrl, {
        max: 1,
        applicationName: 'stateward generate',
        namedStatements: true,
      })
      try {
        return await work(sql)
      } finally {
        await sql.end({ timeout: 1 })
      }
    } finally {
      await postgres.stop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
