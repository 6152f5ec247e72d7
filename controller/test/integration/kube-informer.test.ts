import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { createAgents, createObject, deleteObject, emit, updateObject } from '../support/api-rows.ts'
import { startApi, type TestApi } from '../support/api-server.ts'
import { connectAsOwner, createTestStore, type TestStore } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { type ObservedInformer, startInformer } from '../support/informer.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation } from '../support/stateward.ts'

const MANY = 10_000
const IDLE = { runtime: { process: { command: ['true'] } }, replicas: 0 }

/** Of one object the versions only rise, and no version comes twice. */
function assertInOrder({ seen }: ObservedInformer): void {
  const last = new Map<string, number>()
  for (const { name, version } of seen) {
    expect([name, version]).toEqual([name, Math.max(version, (last.get(name) ?? 0) + 1)])
    last.set(name, version)
  }
}

describe('an informer on 10,000 objects', () => {
  let store: TestStore
  let port: number
  let api: TestApi
  let informer: ObservedInformer
  const uids = new Map<string, string>()
  const start = async () => {
    api = await startApi({ store, listen: true, options: { port } })
  }
  const add = async (name: string) => void uids.set(name, await createObject(store, { kind: 'Agent', name }))
  const change = (name: string, n: number) => updateObject(store, { kind: 'Agent', name, spec: { n } }, uids.get(name)!)
  const remove = (name: string) => deleteObject(store, { kind: 'Agent', name }, uids.get(name)!)
  /** What the database holds. */
  const stored = async () => {
    const rows = await store.engine<{ name: string; version: number }[]>`
      SELECT name, resource_version::int AS version FROM objects WHERE kind = 'Agent'`
    return new Map(rows.map(({ name, version }) => [name, version]))
  }
  async function untilEqual(): Promise<void> {
    const wanted = [...(await stored())].sort()
    const asText = JSON.stringify(wanted)
    await until('the informer to hold what is stored', () => JSON.stringify([...informer.held()].sort()) === asText)
  }

  beforeAll(async () => {
    store = await createTestStore()
    port = await freePort(2)
    await createAgents(store, 'many', MANY)
    await start()
    informer = await startInformer(api.url)
  })
  afterAll(async () => {
    await informer.stop()
    await api.stop()
    await store.end()
  })

  it('holds them all after one list', async () => {
    await untilEqual()
    expect([informer.held().size, informer.lists, informer.told.add.length]).toEqual([MANY, 1, MANY])
  })

  it('is told of every change once', async () => {
    for (let n = 0; n < 5; n++) await add(`new-${n}`)
    // What is gone again before it was sent is not sent at all.
    await untilEqual()
    await change('new-1', 1)
    await remove('new-2')
    await untilEqual()
    expect(informer.told.delete).toEqual(['new-2'])
    expect(informer.told.add.slice(MANY)).toEqual(['new-0', 'new-1', 'new-2', 'new-3', 'new-4'])
    assertInOrder(informer)
  })

  it('goes on where it was when the server starts again, and hears what happened meanwhile', async () => {
    for (let round = 1; round <= 3; round++) {
      const before = Math.max(...informer.held().values())
      await api.stop()
      await change('new-0', round)
      await add(`while-away-${round}`)
      await start()
      await change('new-1', round + 10)
      await untilEqual()
      expect(Math.min(...['new-0', 'new-1'].map((name) => informer.held().get(name)!))).toBeGreaterThan(before)
      expect(informer.told.add.at(-1)).toBe(`while-away-${round}`)
    }
    expect([informer.lists, informer.expired]).toEqual([1, 0])
    assertInOrder(informer)
  })

  it('hears of every change when they come fast', async () => {
    const before = informer.seen.length
    await createAgents(store, 'burst', 1_500)
    await Promise.all(['new-0', 'new-1', 'new-3'].map((name) => change(name, 99)))
    await untilEqual()
    const added = informer.seen.slice(before).filter(({ type, name }) => type === 'ADDED' && name.startsWith('burst-'))
    expect(added).toHaveLength(1_500)
    assertInOrder(informer)
  })

  it('lists again when its version is too old, and is told of what was deleted meanwhile', async () => {
    await api.stop()
    await remove('new-4')
    await emit(store, { event_name: 'long.ago' })
    // What retention does: the events go, and the numbers go on in the next partition.
    const owner = connectAsOwner(store.database)
    try {
      await owner`DROP TABLE events_p000000`
    } finally {
      await owner.end()
    }
    await start()
    await untilEqual()
    expect([informer.lists, informer.expired, informer.told.delete.at(-1)]).toEqual([2, 1, 'new-4'])
  })
})

describe('an informer on a controller', () => {
  it('sees every commit once, with versions that only rise, through restarts of the whole controller', async () => {
    const port = String(await freePort(2))
    const here = await createInstallation({ 'a.yaml': agent('a', IDLE), 'b.yaml': agent('b', IDLE) })
    let informer: ObservedInformer | null = null
    try {
      await here.start({ authMode: 'none', port })
      const mine = await startInformer(here.stateward.url)
      informer = mine
      const untilSame = (what: string) =>
        until(what, () => {
          const stored = [...here.stateward.world.objects.values()]
            .filter(({ kind }) => kind === 'Agent')
            .map(({ name, resourceVersion }) => [name, resourceVersion])
          return JSON.stringify(stored.sort()) === JSON.stringify([...mine.held()].sort())
        })
      await untilSame('the first agents')
      for (let round = 1; round <= 2; round++) {
        const highest = Math.max(...mine.held().values())
        await here.stop()
        here.push({
          'a.yaml': agent('a', { ...IDLE, description: `round ${round}` }),
          [`new-${round}.yaml`]: agent(`new-${round}`, IDLE),
        })
        await here.start({ authMode: 'none', port })
        await until('the commit', () => here.stateward.world.get(`Agent/default/new-${round}`) !== undefined)
        await here.stateward.settled()
        await untilSame(`round ${round}`)
        expect(mine.held().get('a')).toBeGreaterThan(highest)
      }
      await here.apply({ 'b.yaml': null })
      await until('the deletion', () => mine.told.delete.includes('b'))
      expect(mine.told.add.filter((name) => name.startsWith('new-'))).toEqual(['new-1', 'new-2'])
      expect([mine.lists, mine.told.delete]).toEqual([1, ['b']])
      assertInOrder(mine)
    } finally {
      await informer?.stop()
      await here.end()
    }
  })
})
