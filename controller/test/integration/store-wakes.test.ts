import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../../src/store/database.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { openWakes, type Wake, type Wakes } from '../../src/store/wakes.ts'
import { connectAsOwner, createTestDatabase, openTestStore, type TestDatabase } from '../support/database.ts'
import { until } from '../support/run-stack.ts'

let database: TestDatabase
let owner: Sql
const open: { store: Store; wakes: Wakes }[] = []

interface Peer {
  readonly store: Store
  readonly wakes: Wakes
  readonly heard: Wake[]
  end(): Promise<void>
}

/** A process of the database, as far as wakes go. */
async function peer(options: Parameters<typeof openTestStore>[1] = {}): Promise<Peer> {
  const store = await openTestStore(database, options)
  const wakes = await openWakes(store)
  const heard: Wake[] = []
  wakes.subscribe((wake) => heard.push(wake))
  open.push({ store, wakes })
  return {
    store,
    wakes,
    heard,
    async end() {
      await wakes.close()
      await store.end()
    },
  }
}

const hears = (one: Peer, wake: Wake) =>
  until(
    async () => one.heard,
    (heard) => heard.some((each) => JSON.stringify(each) === JSON.stringify(wake)),
    JSON.stringify(wake),
  )

beforeAll(async () => {
  database = await createTestDatabase()
  owner = connectAsOwner(database)
})
afterAll(async () => {
  for (const { store, wakes } of open) {
    await wakes.close()
    await store.end()
  }
  await owner.end()
  await database.drop()
})

describe('wakes', () => {
  it('reach the other processes, and not the one that sends them', async () => {
    const one = await peer()
    expect(one.store.writer.hasPeers).toBe(false)
    const two = await peer()
    await hears(one, { kind: 'joined' })
    expect(one.store.writer.hasPeers).toBe(true)
    expect(two.store.writer.hasPeers).toBe(true)

    one.wakes.send({ kind: 'run', run: 'r1' })
    one.wakes.send({ kind: 'task', namespace: 'default', agent: 'sre' })
    await hears(two, { kind: 'run', run: 'r1' })
    await hears(two, { kind: 'task', namespace: 'default', agent: 'sre' })
    expect(one.heard).toEqual([{ kind: 'joined' }])
    await two.end()
    await hears(one, { kind: 'left' })
    await one.end()
  })

  it('of many runs in one turn are one', async () => {
    const one = await peer()
    const two = await peer()
    await hears(one, { kind: 'joined' })
    for (let n = 0; n < 200; n++) one.wakes.send({ kind: 'run', run: `r${n}` })
    await hears(two, { kind: 'run', run: null })
    expect(two.heard.filter(({ kind }) => kind === 'run')).toHaveLength(1)
    await one.end()
    await two.end()
  })

  it('are not sent by a process that is the only one', async () => {
    const one = await peer()
    const texts: string[] = []
    const listening = await owner.listen('stateward_wakes', (text) => texts.push(text))
    one.wakes.send({ kind: 'run', run: 'r1' })
    await one.end()
    await owner`SELECT pg_notify('stateward_wakes', 'end')`
    await until(
      async () => texts,
      (seen) => seen.includes('end'),
    )
    expect(texts.filter((text) => text.includes('r1'))).toEqual([])
    await listening.unlisten()
  })

  it('tell to look at everything after the connection was cut', async () => {
    const one = await peer()
    await owner`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid()`
    await hears(one, { kind: 'joined' })
    await one.end()
  })
})

describe('a process that does not renew its lease', () => {
  it('is taken over when it is over, by whoever is there', async () => {
    const dead = await openTestStore(database, { leaseMs: 900_000 })
    const one = await peer({ leaseMs: 600 })
    let taken = 0
    one.store.writer.onTakeOver(() => {
      taken += 1
    })
    await owner`UPDATE writers SET lease_until = clock_timestamp() + interval '300 milliseconds' WHERE id = ${dead.writer.id}`
    await until(
      async () => taken,
      (times) => times > 0,
      'the takeover',
    )
    expect(taken).toBe(1)
    expect(await owner`SELECT 1 FROM writers WHERE id = ${dead.writer.id}`).toHaveLength(0)
    await expect(transact(dead, (tx) => tx`DELETE FROM consumers`)).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    expect(one.store.writer.isLost).toBe(false)
    await dead.end()
    await one.end()
  })

  it('does not keep its locks when it stands still inside a transaction', async () => {
    const frozen = await openTestStore(database, { leaseMs: 600 })
    const other = await openTestStore(database)
    const [cut] = await Promise.allSettled([
      transact(frozen, async (tx) => {
        await tx`UPDATE log_head SET seq = seq WHERE one`
        // The process stands still here; then it goes on.
        await transact(other, (theirs) => theirs`UPDATE log_head SET seq = seq WHERE one`)
        await tx`SELECT 1`
      }),
    ])
    expect(cut).toMatchObject({ status: 'rejected', reason: { ref: 'SW_DATABASE_UNREACHABLE' } })
    await frozen.end()
    await other.end()
  })
})
