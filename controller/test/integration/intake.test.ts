import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Sql } from '../../src/store/database.ts'
import { INTAKE_STATEMENTS } from '../../src/store/intake/statement.ts'
import { DELIVERIES, MESSAGES } from '../../src/store/intake/tables.ts'
import type { NewMessage } from '../../src/store/intake.ts'
import { EVENTS } from '../../src/store/journal/tables.ts'
import { readEvents, verifyLog } from '../../src/store/log.ts'
import type { NewEvent } from '../../src/store/ports.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')

function event(name = 'intake.test', data: NewEvent['data'] = {}): NewEvent {
  return {
    event_id: uuidv7(),
    event_name: name,
    occurred_at: NOW,
    env_id: 'default',
    actor: 'test',
    correlation_id: 'c',
    data,
  }
}

function message(event: NewEvent, more: Partial<NewMessage> = {}): NewMessage {
  return {
    message_id: event.event_id,
    namespace: 'default',
    sender: 'user:ada',
    to_kind: 'agent',
    to_name: 'sre',
    topic: null,
    thread_id: event.event_id,
    reply_to: null,
    type: 'note',
    subject: null,
    body: 'hello',
    data: {},
    attachments: [],
    idempotency_key: null,
    request_digest: null,
    correlation_id: 'c',
    sent_at: NOW,
    expires_at: null,
    recipients: ['sre'],
    ...more,
  }
}

let store: TestStore
beforeAll(async () => {
  store = await createTestStore()
})
afterAll(() => store.end())

describe('the intake', () => {
  it('writes what comes at once in few batches, in the order it came, and the chain holds', async () => {
    const [before] = await store.engine<{ count: number }[]>`SELECT count(*)::int AS count FROM log_batches`
    const taken = await Promise.all(
      Array.from({ length: 1_200 }, (_, n) => store.intake.append(event('intake.many', { n, text: 'ü"\\{}' }))),
    )
    const seqs = taken
    expect(seqs).toEqual(Array.from({ length: 1_200 }, (_, n) => seqs[0]! + n))
    const [after] = await store.engine<{ count: number }[]>`SELECT count(*)::int AS count FROM log_batches`
    expect(after!.count - before!.count).toBe(3)
    const events = await readEvents(store.engine, { after: seqs[0]! - 1, limit: 2_000, name: 'intake.many' })
    expect(events.map(({ data }) => data['n'])).toEqual(Array.from({ length: 1_200 }, (_, n) => n))
    expect((await verifyLog(store.engine)).ok).toBe(true)
  })

  it('refuses alone what the database refuses, and writes its neighbours', async () => {
    const bad = event()
    const results = await Promise.allSettled([
      store.intake.append(event()),
      store.intake.send(bad, message(bad, { to_kind: 'nonsense' as 'agent' })),
      store.intake.append(event()),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ ref: 'SW_STORAGE_ERROR' })
    expect((await verifyLog(store.engine)).ok).toBe(true)
  })

  it('settles a key that two processes use at once', async () => {
    const other = await openTestStore(store.database)
    try {
      for (let round = 0; round < 20; round++) {
        const key = { idempotency_key: `round-${round}`, request_digest: 'd' }
        const sent = [event('stateward.message.sent'), event('stateward.message.sent')] as const
        const taken = await Promise.all([
          store.intake.send(sent[0], message(sent[0], key)),
          other.intake.send(sent[1], message(sent[1], key)),
        ])
        const fresh = taken.flatMap((one, i) => ('seq' in one ? [sent[i]!.event_id] : []))
        const known = taken.flatMap((one) => ('known' in one ? [one.known.message_id] : []))
        expect([fresh.length, known]).toEqual([1, fresh])
      }
    } finally {
      await other.end()
    }
    expect((await verifyLog(store.engine)).ok).toBe(true)
  })

  it('writes nothing once another process took the lease', async () => {
    const other = await openTestStore(store.database)
    await store.engine`DELETE FROM writers WHERE id = ${other.writer.id}`
    await expect(other.intake.append(event('intake.fenced'))).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    expect(await readEvents(store.engine, { name: 'intake.fenced', limit: 1 })).toEqual([])
    await other.end()
  })

  it('never scans a table', async () => {
    const session = (await store.engine.reserve()) as Sql & { release: () => void }
    const width = [EVENTS.length, EVENTS.length + MESSAGES.length + DELIVERIES.length]
    try {
      for (const [i, text] of INTAKE_STATEMENTS.entries()) {
        await session.unsafe(`PREPARE intake${i} AS ${text}`)
        const values = [`'${store.writer.id}'`, '1', '0', "''", "''", ...Array(width[i]!).fill("'{}'")].join(', ')
        const rows = await session.unsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN EXECUTE intake${i} (${values})`)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan).toContain('Index Scan using writers_pkey')
        expect(plan).not.toMatch(/Seq Scan|Hash Join|Merge Join|Bitmap/)
      }
    } finally {
      session.release()
    }
  })
})
