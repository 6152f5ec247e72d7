import { connect, type DatabaseUrls } from '../../controller/src/store/database.ts'
import { startMeasured } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'
import type { Reached } from './process.ts'

export const FLOOR_CHANNEL = 'bench_floor'

/** Seconds of each of `count` bare statements, one after another. */
export interface Floor {
  /** One row is inserted and committed. */
  readonly commit: readonly number[]
  /** The same with a notification, until another process hears it. */
  readonly notified: readonly number[]
}

/** What the database alone takes: one row that is durable, and another process that knows of it. */
export async function measureFloor(urls: DatabaseUrls, count: number, pauseMs: number): Promise<Floor> {
  const sql = connect(urls.ownerUrl, { max: 1, applicationName: 'bench floor', namedStatements: true })
  const other = startMeasured(new URL('process.ts', import.meta.url))
  try {
    await sql`CREATE TABLE IF NOT EXISTS bench_floor (n integer, data jsonb)`
    await other.ask({ do: 'listen', urls })
    const commit: number[] = []
    const notified: number[] = []
    for (let n = 0; n < count; n++) {
      const from = machineSeconds()
      await sql`INSERT INTO bench_floor VALUES (${n}, ${sql.json({ n })})`
      commit.push(machineSeconds() - from)
      await pause(pauseMs)
      const heard = other.ask<Reached>({ do: 'wait', n })
      const begun = machineSeconds()
      await sql`
        WITH row AS (INSERT INTO bench_floor VALUES (${n}, ${sql.json({ n })}))
        SELECT pg_notify(${FLOOR_CHANNEL}, ${String(n)})`
      notified.push((await heard).at - begun)
      await pause(pauseMs)
    }
    await sql`DROP TABLE bench_floor`
    await other.ask({ do: 'stop' })
    return { commit, notified }
  } finally {
    await sql.end()
    await other.ended()
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
