import { connect, type DatabaseUrls } from '../../controller/src/store/database.ts'
import { LOG_CHANNEL } from '../../controller/src/store/log-channel.ts'

/** What somebody else sees of the database, through a connection of his own. */
export interface Observer {
  /** The time (`performance.now()`) at which Postgres first showed this revision as applied. */
  applied(revision: string): Promise<number>
  activity(): Promise<Activity>
  /** Rows that transactions from `since` on have inserted or changed, in all tables a controller writes. */
  rowsWrittenSince(since: Activity): Promise<number>
  serverVersion(): Promise<string>
  close(): Promise<void>
}

export interface Activity {
  readonly seq: number
  /** Every transaction that writes takes a number; one that only reads takes none. */
  readonly nextTransaction: number
  /** Leases are renewed beside everything else. */
  readonly leases: string
}

const TABLES = [
  'log_head',
  'log_batches',
  'events',
  'objects',
  'source_heads',
  'source_files',
  'syncs',
  'overrides',
  'consumers',
  'leases',
]
const PATIENCE_MS = 60_000

export async function observe(urls: DatabaseUrls): Promise<Observer> {
  const sql = connect(urls.ownerUrl, { max: 2, applicationName: 'bench', namedStatements: true })
  let look: () => Promise<void> = async () => {}
  const listening = await sql.listen(LOG_CHANNEL, () => void look())
  const activity = async (): Promise<Activity> => {
    const [row] = await sql<{ seq: number; next: number; leases: string }[]>`
      SELECT (SELECT seq FROM log_head) AS seq, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
             (SELECT coalesce(string_agg(lease_until::text, ' ' ORDER BY id), '') FROM writers) AS leases`
    return { seq: row!.seq, nextTransaction: row!.next, leases: row!.leases }
  }
  return {
    activity,
    async applied(revision) {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${revision} was not applied within ${PATIENCE_MS} ms`)),
          PATIENCE_MS,
        )
        look = async () => {
          const rows = await sql`
            SELECT 1 FROM source_heads JOIN syncs ON syncs.source = source_heads.source AND syncs.to_revision = applied_revision
            WHERE applied_revision = ${revision} LIMIT 1`
          if (rows.length === 0) return
          clearTimeout(timer)
          resolve(performance.now())
        }
        void look()
      })
    },
    async rowsWrittenSince(since) {
      let rows = 0
      for (const table of TABLES) {
        const [row] = await sql<
          { count: number }[]
        >`SELECT count(*) AS count FROM ${sql(table)} WHERE xmin::text::bigint >= ${since.nextTransaction}`
        rows += row!.count
      }
      return rows
    },
    async serverVersion() {
      const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`
      return row!.version
    },
    async close() {
      await listening.unlisten()
      await sql.end({ timeout: 1 })
    },
  }
}
