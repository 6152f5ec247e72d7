import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { bootId, identityOf, pidNamespace } from '../../src/lib/process-identity.ts'
import type { Sql, Tx } from '../../src/store/database.ts'
import { sqlState } from '../../src/store/database-errors.ts'
import { holdsLease, releaseLease, tryAcquireLease } from '../../src/store/leases.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { connectAsOwner, createTestDatabase, openTestStore, type TestDatabase } from '../support/database.ts'

describe('writers', () => {
  let database: TestDatabase
  let owner: Sql
  const stores: Store[] = []
  const open = async (options: Parameters<typeof openTestStore>[1] = {}): Promise<Store> => {
    const store = await openTestStore(database, options)
    stores.push(store)
    return store
  }
  const expire = (store: Store) =>
    owner`UPDATE writers SET lease_until = clock_timestamp() - interval '1 second' WHERE id = ${store.writer.id}`
  const ids = async () => (await owner<{ id: string }[]>`SELECT id FROM writers ORDER BY id`).map(({ id }) => id)
  /** Anything a transaction may write. */
  const put = (store: Store, name: string) =>
    transact(store, (tx) => tx`INSERT INTO consumers (name, seq) VALUES (${name}, 1)`)
  const consumers = async (name: string) => (await owner`SELECT 1 FROM consumers WHERE name = ${name}`).length

  beforeAll(async () => {
    database = await createTestDatabase()
    owner = connectAsOwner(database)
  })
  afterAll(async () => {
    for (const store of stores) await store.end()
    await owner.end()
    await database.drop()
  })

  it('register who they are, and leave nothing behind when they end', async () => {
    const store = await openTestStore(database, { roles: ['api', 'worker'], host: 'h1' })
    const [row] =
      await owner`SELECT host, boot_id, pid_namespace, pid, pid_start, roles FROM writers WHERE id = ${store.writer.id}`
    expect(row).toEqual({
      host: 'h1',
      boot_id: bootId(),
      pid_namespace: pidNamespace(),
      pid: process.pid,
      pid_start: identityOf(process.pid)?.start,
      roles: ['api', 'worker'],
    })
    expect(store.writer.canStartEffects()).toBe(true)
    await store.end()
    expect(await ids()).not.toContain(store.writer.id)
  })

  it('remove a row of their own machine whose process is gone, and no other', async () => {
    const child = spawn('sleep', ['60'])
    const gone = identityOf(child.pid!)!
    child.kill('SIGKILL')
    await once(child, 'exit')
    const row = async (host: string, pid: number, start: string, boot = bootId()): Promise<string> => {
      const id = uuidv7()
      await owner`
        INSERT INTO writers (id, host, boot_id, pid_namespace, pid, pid_start, roles, lease_until)
        VALUES (${id}, ${host}, ${boot}, ${pidNamespace()}, ${pid}, ${start}, '{}', clock_timestamp() + interval '1 hour')`
      return id
    }
    const dead = await row('test-host', gone.pid, gone.start)
    const reused = await row('test-host', process.pid, 'another start')
    const alive = await row('test-host', process.pid, identityOf(process.pid)!.start)
    const elsewhere = await row('other-host', gone.pid, gone.start)
    const otherBoot = await row('test-host', gone.pid, gone.start, 'another boot')
    const store = await open()
    expect((await ids()).filter((id) => [dead, reused, alive, elsewhere, otherBoot].includes(id)).sort()).toEqual(
      [alive, elsewhere, otherBoot].sort(),
    )
    await store.end()

    const embedded = await open({ dataDirLocked: true })
    expect(await ids()).toEqual([embedded.writer.id])
  })

  it('write nothing once their row is gone, and are told once', async () => {
    let told = 0
    const store = await open({
      onLeaseLost: () => {
        told += 1
      },
    })
    await put(store, 'before')
    await owner`DELETE FROM writers WHERE id = ${store.writer.id}`
    await expect(put(store, 'after')).rejects.toMatchObject({ ref: 'SW_LEASE_LOST', code: 'lease_lost' })
    await expect(put(store, 'after')).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    expect(await consumers('before')).toBe(1)
    expect(await consumers('after')).toBe(0)
    expect(told).toBe(1)
    expect(store.writer.isLost).toBe(true)
    expect(store.writer.canStartEffects()).toBe(false)
  })

  it('wait with a takeover for the batch in flight, and nothing is written after it', async () => {
    const old = await open()
    const fresh = await open()
    await expire(old)
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let entered = () => {}
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    const batch = transact(old, async (tx) => {
      entered()
      await held
      await tx`INSERT INTO consumers (name, seq) VALUES ('in flight', 1)`
    })
    await inside
    const takeover = fresh.writer.takeOver()
    // The takeover shows as waiting for the batch before that goes on.
    for (;;) {
      const [row] = await owner<{ waiting: number }[]>`
        SELECT count(*) AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM writers%'
          AND pid <> pg_backend_pid() AND datname = current_database()`
      if (row!.waiting > 0) break
    }
    release()
    await batch
    expect(await takeover).toEqual([old.writer.id])
    expect(await consumers('in flight')).toBe(1)
    await expect(put(old, 'too late')).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    expect(await consumers('too late')).toBe(0)
  })

  it('renew their own lease before they take over: after a common sleep both live', async () => {
    const one = await open()
    const two = await open()
    await expire(one)
    await expire(two)
    expect(await one.writer.renew()).toBe(true)
    expect(await two.writer.takeOver()).toEqual([])
    expect(await one.writer.takeOver()).toEqual([])
    expect(await ids()).toEqual(expect.arrayContaining([one.writer.id, two.writer.id]))

    await expire(one)
    expect(await two.writer.takeOver()).toEqual([one.writer.id])
    await expect(one.writer.takeOver()).rejects.toMatchObject({ ref: 'SW_LEASE_LOST' })
    expect(await ids()).toContain(two.writer.id)
  })

  it('take nobody over for a while after they were late themselves: the database may have been away for all', async () => {
    let now = 0
    const clock = { now: () => new Date(), monotonicMs: () => now }
    const dead = await open()
    const late = await open({ clock, leaseMs: 30_000 })
    now += 15_001
    await expire(dead)
    expect(await late.writer.takeOver()).toEqual([])
    now += 9_999
    expect(await late.writer.takeOver()).toEqual([])
    now += 1
    expect(await late.writer.takeOver()).toEqual([dead.writer.id])
  })

  it('renew while a transaction of their own is open', async () => {
    const store = await open()
    await transact(store, async (tx) => {
      await tx`SELECT 1`
      await expire(store)
      expect(await store.writer.renew()).toBe(true)
    })
    const [row] = await owner<{ held: boolean }[]>`
      SELECT lease_until > clock_timestamp() AS held FROM writers WHERE id = ${store.writer.id}`
    expect(row?.held).toBe(true)
  })

  it('renew by themselves, and start no effect after two thirds of the lease without', async () => {
    let now = 0
    const clock = { now: () => new Date(), monotonicMs: () => now }
    const store = await open({ clock, leaseMs: 600 })
    const until = async () =>
      (
        await owner<{ at: Date }[]>`SELECT lease_until AS at FROM writers WHERE id = ${store.writer.id}`
      )[0]!.at.getTime()
    const first = await until()
    while ((await until()) === first) await new Promise((resolve) => setTimeout(resolve, 20))

    const slow = await open({ clock, leaseMs: 30_000 })
    now += 19_999
    expect(slow.writer.canStartEffects()).toBe(true)
    now += 1
    expect(slow.writer.canStartEffects()).toBe(false)
    await slow.writer.renew()
    expect(slow.writer.canStartEffects()).toBe(true)
  })

  it('free their runs and leases when they are deleted', async () => {
    const old = await open()
    const fresh = await open()
    const run = uuidv7()
    expect(await tryAcquireLease(old, 'controller')).toBe(true)
    await transact(old, async (tx) => {
      await tx`INSERT INTO compiled_plans VALUES ('d', '{}', ${new Date(0)})`
      await tx`
        INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, owner, trigger, inputs, actor, correlation_id, created_at)
        VALUES (${run}, 'default', 'r', ${uuidv7()}, 'b', 'c', 'd', 'running', ${old.writer.id}, 'manual', '{}', 'user:x', 'c', ${new Date(0)})`
    })
    expect(await tryAcquireLease(fresh, 'controller')).toBe(false)
    await expire(old)
    expect(await tryAcquireLease(fresh, 'controller')).toBe(true)
    expect(await owner`SELECT owner FROM runs WHERE run_id = ${run}`).toEqual([{ owner: null }])
    expect(await holdsLease(fresh.reader, fresh, 'controller')).toBe(true)
    expect(await holdsLease(old.reader, old, 'controller')).toBe(false)
  })

  it('hand leadership over', async () => {
    const one = await open()
    const two = await open()
    expect(await tryAcquireLease(one, 'status')).toBe(true)
    expect(await tryAcquireLease(one, 'status')).toBe(true)
    await releaseLease(two, 'status')
    expect(await tryAcquireLease(two, 'status')).toBe(false)
    await releaseLease(one, 'status')
    expect(await tryAcquireLease(two, 'status')).toBe(true)
  })
})

describe('transact', () => {
  let database: TestDatabase
  let store: Store
  beforeAll(async () => {
    database = await createTestDatabase()
    store = await openTestStore(database)
    await transact(store, (tx) => tx`INSERT INTO consumers (name, seq) VALUES ('a', 0), ('b', 0)`)
  })
  afterAll(async () => {
    await store.end()
    await database.drop()
  })

  it('runs the work of a deadlock again', async () => {
    let attempts = 0
    let arrived = 0
    let open = () => {}
    const bothInside = new Promise<void>((resolve) => {
      open = resolve
    })
    const move = (from: string, to: string) =>
      transact(store, async (tx) => {
        attempts += 1
        await tx`UPDATE consumers SET seq = seq + 1 WHERE name = ${from}`
        arrived += 1
        if (arrived === 2) open()
        await bothInside
        await tx`UPDATE consumers SET seq = seq + 1 WHERE name = ${to}`
      })
    await Promise.all([move('a', 'b'), move('b', 'a')])
    expect(attempts).toBeGreaterThan(2)
    expect(await store.reader`SELECT seq FROM consumers WHERE name IN ('a', 'b')`).toEqual([{ seq: 2 }, { seq: 2 }])
  })

  it('gives back what the work returns, arrays too, and other errors as they are', async () => {
    expect(await transact(store, async () => [1, 2])).toEqual([1, 2])
    const error = await transact(store, (tx) => tx`SELECT 1/0`).catch((thrown: unknown) => thrown)
    expect(sqlState(error)).toBe('22012')
  })

  it('says that the database is unreachable when the connection is cut', async () => {
    const owner = connectAsOwner(database)
    const work = transact(store, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
      await owner`SELECT pg_terminate_backend(${row!.pid})`
      await tx`SELECT 1`
    })
    await expect(work).rejects.toMatchObject({ ref: 'SW_DATABASE_UNREACHABLE', status: 503 })
    await owner.end()
    expect(await transact(store, async () => 'again')).toBe('again')
  })

  it('survives a connection cut while the work does something else, however it goes on', async () => {
    const owner = connectAsOwner(database)
    const cut = async (tx: Tx): Promise<void> => {
      const [row] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
      await owner`SELECT pg_terminate_backend(${row!.pid}, 5000)`
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const goings: ((tx: Tx) => Promise<unknown>)[] = [
      async () => 'done',
      async () => {
        throw new Error('its own failure')
      },
      (tx) => tx`SELECT 1`,
      (tx) => tx`SELECT 1`.catch(() => tx.unsafe('SELECT 2')),
      (tx) => tx.savepoint((nested) => nested`SELECT 1`),
    ]
    for (const go of goings) {
      const work = transact(store, async (tx) => {
        await cut(tx)
        return go(tx)
      })
      await expect(work).rejects.toMatchObject({ ref: 'SW_DATABASE_UNREACHABLE' })
    }
    await owner.end()
    expect(await transact(store, async (tx) => (await tx`SELECT 1 AS one`)[0])).toEqual({ one: 1 })
  })

  it('keeps savepoints and failures of statements working', async () => {
    const caught = await transact(store, async (tx) => {
      await tx`UPDATE consumers SET seq = 10 WHERE name = 'a'`
      await tx.savepoint((nested) => nested`UPDATE consumers SET seq = 11 / 0`).catch(() => undefined)
      return tx`SELECT seq FROM consumers WHERE name = ${'a'} ${tx`AND seq > ${1}`}`
    })
    expect(caught).toEqual([{ seq: 10 }])
  })

  it('uses sessions that own nothing, without JIT and without plans that depend on sizes', async () => {
    const names = ['role', 'jit', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'plan_cache_mode']
    const [row] = await store.engine.unsafe(
      `SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join()}`,
    )
    expect(row).toEqual({
      role: 'stateward_app',
      jit: 'off',
      enable_seqscan: 'off',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      plan_cache_mode: 'force_generic_plan',
    })
    expect((await store.reader`SELECT current_setting('enable_seqscan') AS seqscan, current_user AS role`)[0]).toEqual({
      seqscan: 'on',
      role: 'stateward_app',
    })
  })

  it('reads bigint as a number, and refuses one that would lose digits', async () => {
    expect((await store.reader`SELECT 9007199254740991::bigint AS n, count(*) AS c`)[0]).toEqual({
      n: 9007199254740991,
      c: 1,
    })
    await expect(store.reader`SELECT 9007199254740993::bigint AS n`).rejects.toThrow(RangeError)
  })
})
