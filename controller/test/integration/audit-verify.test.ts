import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { emit } from '../support/api-rows.ts'
import { ADMIN_TOKEN, asAdmin, startApi, type TestApi } from '../support/api-server.ts'
import { connectAsOwner } from '../support/database.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'

let api: TestApi

beforeAll(async () => {
  api = await startApi({ listen: true })
  for (let i = 0; i < 5; i++) await emit(api.store, { event_name: 'test.thing.happened', data: { i } })
})
afterAll(() => api.stop())

async function audit(...more: readonly string[]) {
  // Every look at the clock is two seconds later, so each page is told about.
  let ms = 0
  const clock = { now: () => new Date(), monotonicMs: () => (ms += 2000) }
  const terminal = fakeTerminal({ clock })
  const code = await runProgram(['audit', 'verify', '--server', api.url, '--token', ADMIN_TOKEN, ...more], terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}

async function altered<T>(statement: string, look: () => Promise<T>): Promise<T> {
  const owner = connectAsOwner(api.store.database)
  try {
    // An owner who means harm: the triggers are no obstacle to him.
    await owner.unsafe(`SET session_replication_role = replica; ${statement}`)
  } finally {
    await owner.end()
  }
  return look()
}

describe('stateward audit verify', () => {
  it('passes on a log nobody touched, and says how far it is', async () => {
    const { code, output, errors } = await audit()
    expect({ code, errors }).toEqual({ code: 0, errors: 'verified 5 of 5\n' })
    expect(output).toMatch(/^the log is as it was written: 5 batches, 5 events, head 5\nhash [0-9a-f]{64}\n$/)
    expect(JSON.parse((await audit('-o', 'json')).output)).toMatchObject({ ok: true, seq: 5, events: 5, fault: null })
  })

  it('is for the admin alone', async () => {
    expect((await api.server.app.inject('/api/v1/audit/verify')).statusCode).toBe(401)
    const answer = await api.server.app.inject({ url: '/api/v1/audit/verify', headers: asAdmin })
    expect(answer.json()).toMatchObject({ ok: true, batches: 5, first_held_seq: 1 })
  })

  it('can be done again by whoever may read: the batches make the chain up to its head', async () => {
    const page = async (query: string) => (await api.server.app.inject(`/api/v1/audit/batches?${query}`)).json()
    const { items, head, first_held_seq, next_cursor } = await page('limit=3')
    expect([head.seq, first_held_seq, items.length]).toEqual([5, 1, 3])
    const older = await page(`limit=3&cursor=${next_cursor}`)
    expect(older.next_cursor).toBeNull()
    let hash = createHash('sha256').update('stateward').digest()
    for (const batch of [...items, ...older.items].reverse()) {
      hash = createHash('sha256').update(hash).update(Buffer.from(batch.digest, 'hex')).digest()
      expect([batch.first_seq, batch.hash]).toEqual([batch.last_seq, hash.toString('hex')])
    }
    expect(hash.toString('hex')).toBe(head.hash)
  })

  it('exits with 1 and names the row that the owner of the database edited', async () => {
    const edited = await altered(`UPDATE events SET data = '{"i": 99}' WHERE seq = 3`, () => audit())
    expect(edited).toMatchObject({
      code: 1,
      output: 'the log was altered at 3 (row_altered): event 3 is not what was written\n',
    })
    const missing = await altered('DELETE FROM events WHERE seq = 2', () => audit('-o', 'json'))
    expect(missing.code).toBe(1)
    expect(JSON.parse(missing.output)).toMatchObject({ ok: false, fault: 'row_missing', seq: 2 })
  })

  it('knows no other word', async () => {
    const terminal = fakeTerminal()
    expect(await runProgram(['audit', 'forge'], terminal)).toBe(2)
    expect(terminal.errors()).toContain('SW_USAGE')
  })
})
