import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { sqlState } from '../../src/store/database-errors.ts'
import { openEventFeed } from '../../src/store/events-feed.ts'
import { appendEvents, logHead, readEvents, verifyLog } from '../../src/store/log.ts'
import type { NewEvent } from '../../src/store/ports.ts'
import { isBatchCommitted } from '../../src/store/queries/events.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { connectAsOwner, createTestStore, openTestStore, type TestStore } from '../support/database.ts'

function event(name = 'test.thing.happened', data: NewEvent['data'] = {}, more: Partial<NewEvent> = {}): NewEvent {
  return {
    event_id: uuidv7(),
    event_name: name,
    occurred_at: new Date('2026-03-04T05:06:07.089Z'),
    env_id: 'default',
    actor: 'user:test',
    correlation_id: 'c-1',
    data,
    ...more,
  }
}

const append = (store: Store, events: readonly NewEvent[]) => transact(store, (tx) => appendEvents(tx, store, events))

describe('the log', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  it('numbers a batch without gaps and gives it back as it was sent', async () => {
    const run = uuidv7()
    const sent = [
      event('test.a.started', {
        text: 'ä "quoted" \\ {x,y} NULL',
        list: [1, 2.5, -0, 1e21, 1e-7],
        nested: { z: null, a: true },
      }),
      event('test.b.ended', {}, { run_id: run, step_id: uuidv7(), resource: { type: 'Run', id: 'default/r-1' } }),
    ]
    const before = await logHead(store.reader)
    const position = await append(store, sent)
    expect(position).toMatchObject({ firstSeq: before.seq + 1, lastSeq: before.seq + 2 })
    const read = await readEvents(store.reader, { after: before.seq, limit: 10 })
    expect(read.map(({ seq, ...dto }) => dto)).toEqual(
      sent.map((one) => ({
        run_id: null,
        step_id: null,
        resource: null,
        ...one,
        data: JSON.parse(JSON.stringify(one.data)),
        occurred_at: one.occurred_at.toISOString(),
      })),
    )
    expect(read.map(({ seq }) => seq)).toEqual([before.seq + 1, before.seq + 2])
    expect(await readEvents(store.reader, { runId: run, limit: 10 })).toHaveLength(1)
    expect(await readEvents(store.reader, { resource: { type: 'Run', id: 'default/r-1' }, limit: 10 })).toHaveLength(1)
    expect(await readEvents(store.reader, { name: 'test.nothing', limit: 10 })).toEqual([])
    const newestFirst = await readEvents(store.reader, {
      limit: 1,
      order: 'desc',
      envId: 'default',
      correlationId: 'c-1',
    })
    expect(newestFirst[0]?.seq).toBe(position.lastSeq)
  })

  it('chains the hash of a batch to the one before', async () => {
    const before = await logHead(store.reader)
    const position = await append(store, [event()])
    const [batch] = await store.reader<{ digest: Buffer; writer: string; n: number }[]>`
      SELECT digest, writer, n FROM log_batches WHERE last_seq = ${position.lastSeq}`
    const hash = createHash('sha256').update(Buffer.from(before.hash, 'hex')).update(batch!.digest).digest('hex')
    expect(position.hash).toBe(hash)
    expect(await logHead(store.reader)).toEqual({ seq: position.lastSeq, hash })
    expect(batch).toMatchObject({ writer: store.writer.id, n: position.n })
    expect(await isBatchCommitted(store.engine, store.writer.id, position.n)).toBe(true)
    expect(await isBatchCommitted(store.engine, store.writer.id, position.n + 1)).toBe(false)
  })

  it('takes back the numbers of a transaction that failed', async () => {
    const before = await logHead(store.reader)
    const failure = transact(store, async (tx) => {
      await appendEvents(tx, store, [event(), event()])
      throw new Error('changed my mind')
    })
    await expect(failure).rejects.toThrow('changed my mind')
    expect(await logHead(store.reader)).toEqual(before)
  })

  it('appends ten thousand events in one statement', async () => {
    const before = await logHead(store.reader)
    const position = await append(
      store,
      Array.from({ length: 10_000 }, (_, i) => event('test.bulk.written', { i })),
    )
    expect(position.lastSeq).toBe(before.seq + 10_000)
    const [row] = await store.reader<{ sum: number }[]>`
      SELECT sum((data->>'i')::bigint)::bigint AS sum FROM events WHERE event_name = 'test.bulk.written'`
    expect(row?.sum).toBe((9999 * 10_000) / 2)
  })

  it('refuses an empty batch', async () => {
    await expect(append(store, [])).rejects.toThrow(RangeError)
  })
})

describe('the log of three processes', () => {
  it('has no gaps and appears in order to a reader that follows it', async () => {
    const first = await createTestStore()
    const stores = [first, await openTestStore(first.database), await openTestStore(first.database)]
    const seen: number[] = []
    let writing = true
    const reader = (async () => {
      for (;;) {
        const last = !writing
        for (;;) {
          const page = await readEvents(first.reader, { after: seen.at(-1) ?? 0, limit: 500 })
          seen.push(...page.map(({ seq }) => seq))
          if (page.length === 0) break
        }
        if (last) return
      }
    })()
    await Promise.all(
      stores.map(async (store) => {
        const lane = async (): Promise<void> => {
          for (let i = 0; i < 25; i++)
            await append(
              store,
              Array.from({ length: 1 + (i % 3) }, () => event()),
            )
        }
        await Promise.all([lane(), lane(), lane()])
      }),
    )
    writing = false
    await reader
    const { seq } = await logHead(first.reader)
    expect(seen).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
    expect(await verifyLog(first.reader)).toMatchObject({ ok: true, seq, events: seq, batches: 225 })
    for (const store of stores.slice(1)) await store.end()
    await first.end()
  })
})

describe('append-only', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
    await append(store, [event()])
  })
  afterAll(() => store.end())

  for (const table of ['events', 'events_p000000', 'log_batches', 'syncs', 'approvals']) {
    it.each([
      `UPDATE ${table} SET ${table === 'syncs' || table === 'approvals' ? "actor = 'x'" : 'digest = digest'}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
    ])('answers "permission denied" to a process: %s', async (statement) => {
      const error = await store.engine.unsafe(statement).catch((thrown: unknown) => thrown)
      expect(sqlState(error)).toBe('42501')
    })
  }

  it('also refuses the owner by mistake, on the table and on its partitions', async () => {
    const owner = connectAsOwner(store.database)
    for (const statement of [
      'UPDATE events SET actor = actor',
      'DELETE FROM events_p000000',
      'TRUNCATE events',
      'TRUNCATE events_p000000',
    ]) {
      expect(sqlState(await owner.unsafe(statement).catch((thrown: unknown) => thrown))).toBe('42501')
    }
    await owner.end()
  })

  it('lets a process own nothing: no new tables, no other role', async () => {
    for (const statement of [
      'CREATE TABLE mine (i int)',
      'ALTER TABLE events ADD COLUMN x int',
      'DROP TABLE events_p000000',
    ]) {
      expect(sqlState(await store.engine.unsafe(statement).catch((thrown: unknown) => thrown))).toBe('42501')
    }
  })
})

describe('verifyLog', () => {
  let store: TestStore
  const tamper = async (statement: string): Promise<unknown> => {
    const owner = connectAsOwner(store.database)
    await owner.unsafe(`SET session_replication_role = replica; ${statement}`).simple()
    const verdict = await verifyLog(store.reader)
    await owner.end()
    return verdict
  }
  beforeAll(async () => {
    store = await createTestStore()
    await append(store, [event()])
    await append(store, [event('test.two', { amount: 2 }), event('test.three'), event('test.four')])
    await append(store, [event()])
  })
  afterAll(() => store.end())

  it('accepts what was written', async () => {
    const head = await logHead(store.reader)
    expect(await verifyLog(store.reader)).toEqual({ ok: true, batches: 3, events: 5, firstHeld: 1, ...head })
  })

  it('names the first altered row, a missing row, and a batch that was rewritten with its digests', async () => {
    expect(await tamper(`UPDATE events SET data = '{"amount": 3}' WHERE seq = 2`)).toMatchObject({
      fault: 'row_altered',
      seq: 2,
    })
    expect(await tamper(`UPDATE events SET data = '{"amount": 2}' WHERE seq = 2`)).toMatchObject({ ok: true })
    expect(await tamper(`UPDATE events SET digest = sha256('x') WHERE seq = 3`)).toMatchObject({
      fault: 'row_altered',
      seq: 3,
    })
    expect(await tamper('DELETE FROM events WHERE seq = 3')).toMatchObject({ fault: 'row_missing', seq: 3 })
    expect(await tamper('DELETE FROM log_batches WHERE last_seq = 4')).toMatchObject({ fault: 'chain_broken', seq: 2 })
    expect(await tamper('DELETE FROM log_batches WHERE last_seq > 1')).toMatchObject({ fault: 'head_altered', seq: 2 })
    expect(await tamper(`UPDATE log_batches SET digest = sha256('x') WHERE last_seq = 1`)).toMatchObject({
      fault: 'chain_broken',
      seq: 1,
    })
  })
})

describe('partitions of the log', () => {
  it('are there before they are needed, and dropped ones are not missed', async () => {
    const store = await createTestStore()
    const owner = connectAsOwner(store.database)
    await owner`UPDATE log_head SET seq = 499990`
    await append(
      store,
      Array.from({ length: 20 }, () => event()),
    )
    await store.partitions.settled()
    const partitions = async () =>
      (
        await owner<{ name: string }[]>`
        SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'events'::regclass ORDER BY 1`
      ).map(({ name }) => name)
    expect(await partitions()).toEqual(['events_p000000', 'events_p000001'])

    await owner`UPDATE log_head SET seq = 999998`
    const across = await append(
      store,
      Array.from({ length: 4 }, () => event('test.across')),
    )
    expect(across).toMatchObject({ firstSeq: 999_999, lastSeq: 1_000_002 })
    await owner`DROP TABLE events_p000000`
    await store.partitions.ensure()
    expect(await partitions()).toEqual(['events_p000001'])
    expect((await readEvents(store.reader, { limit: 10 })).map(({ seq }) => seq)).toEqual([
      1_000_000, 1_000_001, 1_000_002,
    ])
    await owner.end()
    await store.end()
  })

  it('verify after the oldest were dropped, also when a batch began in them', async () => {
    const store = await createTestStore()
    const owner = connectAsOwner(store.database)
    // A first batch as long as 999,998 events, which retention has dropped.
    await owner`UPDATE log_head SET seq = 999998, hash = sha256(hash || sha256('gone'))`
    await owner`
      INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
      SELECT ${store.writer.id}, 0, 1, seq, sha256('gone'), hash FROM log_head`
    await store.partitions.ensure()
    await append(
      store,
      Array.from({ length: 4 }, () => event()),
    )
    await owner`DROP TABLE events_p000000`
    expect(await verifyLog(store.reader)).toMatchObject({ ok: true, seq: 1_000_002, events: 3, batches: 2 })
    await owner.end()
    await store.end()
  })
})

describe('the feed of the log', () => {
  it('tells what another process commits, and what this one says itself', async () => {
    const first = await createTestStore()
    const second = await openTestStore(first.database)
    const feed = await openEventFeed(first, { pollMs: 60_000 })
    const heard: number[] = []
    let wake = () => {}
    const next = () =>
      new Promise<void>((resolve) => {
        wake = resolve
      })
    const unsubscribe = feed.subscribe((seq) => {
      heard.push(seq)
      wake()
    })
    let waiting = next()
    const position = await append(second, [event(), event()])
    await waiting
    expect(heard).toEqual([position.lastSeq])

    waiting = next()
    feed.nudge(position.lastSeq + 1)
    await waiting
    feed.nudge(1)
    expect(heard).toEqual([position.lastSeq, position.lastSeq + 1])
    expect(feed.seq).toBe(position.lastSeq + 1)

    unsubscribe()
    feed.nudge(position.lastSeq + 5)
    expect(heard).toHaveLength(2)
    await feed.close()
    await second.end()
    await first.end()
  })

  it('catches up by looking when its connection was cut', async () => {
    const store = await createTestStore()
    const feed = await openEventFeed(store, { pollMs: 50 })
    const owner = connectAsOwner(store.database)
    await owner`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid()`
    const arrived = new Promise<number>((resolve) => feed.subscribe(resolve))
    const position = await append(store, [event()])
    expect(await arrived).toBe(position.lastSeq)
    await feed.close()
    await owner.end()
    await store.end()
  })

  it('outlives a subscriber that throws', async () => {
    const store = await createTestStore()
    const feed = await openEventFeed(store, { pollMs: 60_000 })
    const heard: number[] = []
    feed.subscribe(() => {
      throw new Error('broken reader')
    })
    feed.subscribe((seq) => heard.push(seq))
    feed.nudge(7)
    expect(heard).toEqual([7])
    await feed.close()
    await store.end()
  })
})
