import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'

const PATIENCE_MS = 10_000

/** Throws when a count does not come to be what it has to be. */
export async function countRows(databaseUrl: string, query: string, wanted: number): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 })
  try {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const [row] = await sql.unsafe(query)
      if (Number(row?.['count']) === wanted) return
      if (performance.now() > end) throw new Error(`${query} gave ${row?.['count']}, not ${wanted}`)
      await delay(100)
    }
  } finally {
    await sql.end()
  }
}
