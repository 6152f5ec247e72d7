import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { oldEvents, oldIdempotencyKeys } from '../../src/records/chores.ts'
import { createJanitor, type Janitor } from '../../src/records/janitor.ts'
import { tryAcquireLease } from '../../src/store/leases.ts'
import { readEvents, verifyLog } from '../../src/store/log.ts'
import { claimKey } from '../../src/store/queries/idempotency.ts'
import { emit } from '../support/api-rows.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { connectAsOwner, createTestStore, type TestStore } from '../support/database.ts'

const DAY = 86_400_000
const PARTITION = 1_000_000

let now: Date
let store: TestStore
let janitor: Janitor

beforeEach(async () => {
  now = new Date('2030-01-01T00:00:00.000Z')
  store = await createTestStore({ clock: { now: () => now, monotonicMs: () => performance.now() } })
  janitor = createJanitor({
    store,
    lease: 'test',
    intervalMs: 60_000,
    chores: [oldEvents(store, 7 * DAY), oldIdempotencyKeys(store)],
  })
  await tryAcquireLease(store, 'test')
  // No leader is here to read on: nobody is behind.
  await store.engine`DELETE FROM consumers`
})
afterEach(async () => {
  await janitor.stop()
  await store.end()
})

/** As if a partition's worth of events had been written in one batch and dropped by nobody yet: the next number is `seq + 1`. */
async function jumpTo(seq: number): Promise<void> {
  const owner = connectAsOwner(store.database)
  try {
    await owner`
      WITH before AS (SELECT seq FROM log_head), head AS (
        UPDATE log_head SET seq = ${seq}, hash = sha256(hash || sha256('gone')) RETURNING seq, hash)
      INSERT INTO log_batches (writer, n, first_seq, last_seq, digest, hash)
      SELECT ${store.writer.id}, -${seq}::bigint, before.seq + 1, head.seq, sha256('gone'), head.hash FROM before, head`
  } finally {
    await owner.end()
  }
  await store.partitions.ensure()
}

const old = (name: string) => emit(store, { event_name: name, occurred_at: new Date(now.getTime() - 8 * DAY) })
const names = async () =>
  (await readEvents(store.engine, { limit: 100 })).map(({ seq, event_name }) => `${seq} ${event_name}`)

describe('events', () => {
  it('go with their partition when all of it is old, and the log still verifies', async () => {
    await old('test.first')
    await jumpTo(PARTITION - 2)
    await old('test.last')
    await old('test.next')
    expect(await janitor.round()).toEqual({ events: 1, 'idempotency keys': 0 })
    expect(await names()).toEqual([`${PARTITION} test.next`, `${PARTITION + 1} stateward.log.partition.dropped`])
    const [, told] = await readEvents(store.engine, { limit: 2 })
    expect(told?.data).toEqual({ first_seq: 1, last_seq: PARTITION - 1 })
    expect(await verifyLog(store.engine)).toMatchObject({ ok: true, firstHeld: PARTITION, events: 2 })
    await assertCatalogued(store.engine)
    expect(await janitor.round()).toMatchObject({ events: 0 })
  })

  it('stay while the newest of their partition is young', async () => {
    await old('test.first')
    await jumpTo(PARTITION - 2)
    await emit(store, { event_name: 'test.young', occurred_at: new Date(now.getTime() - 6 * DAY) })
    await old('test.next')
    expect(await janitor.round()).toMatchObject({ events: 0 })
    now = new Date(now.getTime() + 2 * DAY)
    expect(await janitor.round()).toMatchObject({ events: 1 })
  })

  it('stay while a durable consumer has not read them, and in the partition of the head', async () => {
    await old('test.first')
    expect(await janitor.round()).toMatchObject({ events: 0 })
    await jumpTo(PARTITION - 1)
    await old('test.next')
    await store.engine`INSERT INTO consumers (name, seq) VALUES ('triggers', ${PARTITION - 2})`
    expect(await janitor.round()).toMatchObject({ events: 0 })
    await store.engine`UPDATE consumers SET seq = ${PARTITION - 1}`
    expect(await janitor.round()).toMatchObject({ events: 1 })
  })

  it('wait for a reader that is in the way, without an error', async () => {
    await old('test.first')
    await jumpTo(PARTITION)
    const owner = connectAsOwner(store.database)
    await owner.begin(async (tx) => {
      await tx`SELECT 1 FROM events LIMIT 1`
      expect(await janitor.round()).toMatchObject({ events: 0 })
    })
    await owner.end()
    expect(await janitor.round()).toMatchObject({ events: 1 })
  })
})

describe('idempotency keys', () => {
  it('are forgotten after a day', async () => {
    const take = (key: string, at: Date) =>
      claimKey(
        store.engine,
        { principal: 'user:ada', route: 'r', key },
        { digest: 'd', now: at, staleBefore: new Date(0), abandonedBefore: new Date(0) },
      )
    await take('young', now)
    await take('old', new Date(now.getTime() - DAY - 1))
    expect(await janitor.round()).toMatchObject({ 'idempotency keys': 1 })
    expect(await store.engine`SELECT key FROM idempotency_keys`).toEqual([{ key: 'young' }])
  })
})

describe('the janitor', () => {
  it('does nothing without the lease', async () => {
    const other = createJanitor({ store, lease: 'somebody elses', intervalMs: 60_000, chores: [oldEvents(store, 0)] })
    expect(await other.round()).toEqual({})
  })

  it('goes on to the next chore when one fails, and comes round by itself', async () => {
    let rounds = 0
    const failing = { name: 'failing', run: () => Promise.reject(new Error('no')) }
    const seen = Promise.withResolvers<void>()
    const counting = {
      name: 'counting',
      run: async () => {
        rounds += 1
        if (rounds === 2) seen.resolve()
        return 0
      },
    }
    const busy = createJanitor({ store, lease: 'test', intervalMs: 5, chores: [failing, counting] })
    busy.start()
    await seen.promise
    await busy.stop()
    expect(await busy.round()).toEqual({})
  })
})
