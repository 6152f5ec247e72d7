import { createServer, connect as openSocket } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Sql } from '../../src/store/database.ts'
import { isConnectionLoss } from '../../src/store/database-errors.ts'
import { connectAsOwner, createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await createTestDatabase()
  sql = connectAsOwner(database)
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

describe('arrays', () => {
  const TEXT = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '').toWellFormed())
  it('of texts come back as they were sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(TEXT), { maxLength: 8 }), async (texts) => {
        const [row] = await sql<{ texts: (string | null)[] }[]>`SELECT ${texts as string[]}::text[] AS texts`
        expect(row!.texts).toEqual(texts)
      }),
      { numRuns: 200, examples: [[['NULL', null, '', '{"a\\', 'ä,b}', ' ']]] },
    )
  })

  it('of the other types have the values of their types', async () => {
    const id = '0190a3c8-0000-7000-8000-000000000000'
    const at = '2026-01-02T03:04:05.678Z'
    const [row] = await sql`
      SELECT ${[1, 2 ** 40]}::bigint[] AS big, ${[-1, 0]}::integer[] AS small, ${[id]}::uuid[] AS ids,
             ARRAY[true, false] AS flags, ${[at]}::timestamptz[] AS times, ${[]}::text[] AS none,
             ARRAY['{"a":[1]}']::jsonb[] AS json, ARRAY[1.5, 'NaN']::float8[] AS floats`
    expect(row).toEqual({
      ...{ big: [1, 2 ** 40], small: [-1, 0], ids: [id], flags: [true, false], times: [new Date(at)], none: [] },
      ...{ json: [{ a: [1] }], floats: [1.5, Number.NaN] },
    })
  })
})

describe('a connection that is lost at the first thing it sends', () => {
  it('fails the query that sent it, and nothing else', async () => {
    const { hostname, port, username, password, pathname } = new URL(database.urls.url)
    let cuts = 0
    const server = createServer((client) => {
      let isReady = false
      const upstream = openSocket(Number(port), hostname)
      for (const socket of [client, upstream]) socket.on('error', () => {})
      client.on('close', () => upstream.destroy())
      upstream.on('data', (data) => {
        // ReadyForQuery, idle, is what the server says last before it waits.
        isReady ||= data.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))
        client.write(data)
      })
      client.on('data', (data) => {
        if (!isReady) return void upstream.write(data)
        cuts += 1
        client.resetAndDestroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    const through = `postgres://${username}:${password}@127.0.0.1:${(server.address() as { port: number }).port}${pathname}`
    const pool = connect(through, { max: 1, applicationName: 'test', namedStatements: true })
    try {
      const failure = await pool`SELECT 1`.catch((error: unknown) => error)
      expect(isConnectionLoss(failure)).toBe(true)
      expect(cuts).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
      await pool.end({ timeout: 1 })
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
