import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { createsFreeRuns } from '../../src/runs/start/create.ts'
import type { MismatchNote } from '../../src/runs/triggers/trigger-match.ts'
import { createTriggers, type Triggers, type TriggersDeps } from '../../src/runs/triggers/triggers.ts'
import { Journal } from '../../src/store/journal.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import type { RunRow } from '../../src/store/queries/runs.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf, blueprintsOf, environmentOf, until } from '../support/run-stack.ts'

const plan = [{ id: 'same', kind: 'transform', expression: 'inputs.host' }]
const inputs = [{ name: 'host', schema: { type: 'string' }, required: true, from: 'event.data.host' }]

describe.each(['in the transaction that moves the cursor', 'at once'] as const)(
  'triggers whose runs are made %s',
  (how) => {
    let store: TestStore
    let emitted = 0
    beforeAll(async () => {
      store = await createTestStore()
    })
    afterAll(async () => {
      await assertCatalogued(store.reader)
      await store.end()
    })

    const emit = async (event_name: string, ...datas: JsonObject[]): Promise<string[]> => {
      const events = datas.map((data) => ({
        event_id: uuidv7(),
        event_name,
        occurred_at: new Date(),
        env_id: 'default',
        actor: 'system:checkmk',
        correlation_id: `c-${event_name}`,
        data,
      }))
      emitted = (await transact(store, (tx) => appendEvents(tx, store, events))).lastSeq
      return events.map(({ event_id }) => event_id)
    }
    const consume = (
      list: readonly AcceptedBlueprint[],
      more: { store?: Store } & Partial<TriggersDeps> = {},
    ): Triggers => {
      const its = more.store ?? store
      const triggers = createTriggers({
        store,
        ...(how === 'at once' ? { create: createsFreeRuns(its, new Journal(its)) } : {}),
        blueprints: blueprintsOf(list),
        environmentOf,
        created: () => {},
        pollMs: 20,
        ...more,
      })
      triggers.start()
      return triggers
    }
    /** Waits until what was emitted has been matched. */
    const caughtUp = async () => {
      await until(
        () => store.reader<{ seq: number }[]>`SELECT seq FROM consumers WHERE name = 'triggers'`,
        ([row]) => (row?.seq ?? 0) >= emitted,
      )
    }
    const runsOf = (blueprint: AcceptedBlueprint): Promise<RunRow[]> =>
      store.reader<RunRow[]>`SELECT * FROM runs WHERE blueprint_uid = ${blueprint.uid} ORDER BY created_at`

    it('start a run for each event that passes the filter, with its inputs, pinned to commit and plan', async () => {
      const notes: MismatchNote[] = []
      const blueprint = blueprintOf('alerts', {
        triggers: [{ event: 'checkmk.*', filter: "event.data.state == 'CRIT'" }],
        inputs,
        plan,
      })
      const triggers = consume([blueprint], { mismatch: (note) => notes.push(note) })
      const [critical] = await emit(
        'checkmk.alert',
        { host: 'web-1', state: 'CRIT' },
        { host: 'web-2', state: 'OK' },
        { host: 'web-3' },
      )
      await emit('other.alert', { host: 'web-4', state: 'CRIT' })
      await caughtUp()
      await triggers.stop()
      expect(await runsOf(blueprint)).toMatchObject([
        {
          status: 'created',
          trigger: 'event:checkmk.*',
          trigger_event: critical,
          inputs: { host: 'web-1' },
          event: { id: critical, name: 'checkmk.alert', data: { host: 'web-1' } },
          actor: 'system:checkmk',
          correlation_id: 'c-checkmk.alert',
          revision: blueprint.revision,
          plan_digest: blueprint.digest,
        },
      ])
      // A key that is missing is no match, but it is told.
      expect(notes.map(({ missingKey }) => missingKey)).toEqual([expect.stringContaining('state')])
    })

    it('start a run exactly once, whoever reads the log and however often it is interrupted', async () => {
      const blueprint = blueprintOf('once', { triggers: [{ event: 'once.wanted' }], inputs, plan })
      const other = await openTestStore(store.database, { host: 'other-host' })
      const readers = [consume([blueprint]), consume([blueprint], { store: other })]
      const ids: string[] = []
      for (let i = 0; i < 10; i++) {
        ids.push(...(await emit('once.wanted', { host: `a${i}` }, { host: `b${i}` })))
        await readers[i % 2]!.stop()
        readers[i % 2] = consume([blueprint], i % 3 === 0 ? { store: other } : {})
      }
      await caughtUp()
      await Promise.all(readers.map((reader) => reader.stop()))
      await other.end()
      const started = (await runsOf(blueprint)).map(({ trigger_event }) => trigger_event)
      expect(started.sort()).toEqual(ids.sort())
    })

    it('start nothing for a suspended blueprint, nor for what came while there was none', async () => {
      const spec = { triggers: [{ event: 'quiet.wanted' }], inputs, plan }
      const suspended = blueprintOf('quiet', spec, { suspended: true })
      const triggers = consume([suspended])
      await emit('quiet.wanted', { host: 'a' })
      await caughtUp()
      await triggers.stop()
      const awake = { ...suspended, suspended: false }
      const later = consume([awake])
      const [second] = await emit('quiet.wanted', { host: 'b' })
      await caughtUp()
      await later.stop()
      expect((await runsOf(awake)).map(({ trigger_event }) => trigger_event)).toEqual([second])
    })

    it('start one run for several events of one dedupe key, until it has ended', async () => {
      const blueprint = blueprintOf('dedupe', {
        triggers: [{ event: 'dedupe.wanted', dedupeKey: '{{ event.data.host }}' }],
        inputs,
        plan,
      })
      const triggers = consume([blueprint])
      await emit('dedupe.wanted', { host: 'a' }, { host: 'a' }, { host: 'b' })
      await emit('dedupe.wanted', { host: 'a' })
      await caughtUp()
      const runs = await runsOf(blueprint)
      expect(runs.map(({ dedupe_key }) => dedupe_key).sort()).toEqual(['a', 'b'])
      const told = await readEvents(store.reader, { name: 'stateward.run.deduplicated', limit: 10 })
      expect(told).toHaveLength(2)
      expect(told[0]).toMatchObject({ resource: { type: 'Blueprint', id: blueprint.uid }, data: { dedupe_key: 'a' } })
      await store.engine`UPDATE runs SET status = 'completed' WHERE dedupe_key = 'a'`
      await emit('dedupe.wanted', { host: 'a' })
      await caughtUp()
      await triggers.stop()
      expect((await runsOf(blueprint)).filter(({ dedupe_key }) => dedupe_key === 'a')).toHaveLength(2)
    })

    it('keep a dedupe key taken for its window after the run has ended', async () => {
      const blueprint = blueprintOf('window', {
        triggers: [{ event: 'window.wanted', dedupeKey: '{{ event.data.host }}', dedupeWindow: '1h' }],
        inputs,
        plan,
      })
      const triggers = consume([blueprint])
      const end = async (minutesAgo: number) => {
        const ended = new Date(Date.now() - minutesAgo * 60_000)
        await store.engine`UPDATE runs SET status = 'completed', completed_at = ${ended} WHERE blueprint_uid = ${blueprint.uid}`
      }
      await emit('window.wanted', { host: 'a' })
      await caughtUp()
      await end(59)
      await emit('window.wanted', { host: 'a' }, { host: 'b' })
      await caughtUp()
      expect((await runsOf(blueprint)).map(({ dedupe_key }) => dedupe_key)).toEqual(['a', 'b'])
      await end(61)
      await emit('window.wanted', { host: 'a' })
      await caughtUp()
      await triggers.stop()
      expect((await runsOf(blueprint)).map(({ dedupe_key }) => dedupe_key)).toEqual(['a', 'b', 'a'])
    })

    it('say why no run was started when an input is missing, or cannot be stored, and go on', async () => {
      const strict = blueprintOf('strict-input', { triggers: [{ event: 'strict.wanted' }], inputs, plan })
      // No foreign key leads to a plan of this digest: what the database refuses must not stop the others.
      const broken = {
        ...blueprintOf('broken', { triggers: [{ event: 'strict.wanted' }], inputs, plan }),
        uid: 'no uuid',
      }
      const triggers = consume([broken, strict])
      await emit('strict.wanted', {}, { host: 'a' }, { host: 'b' })
      await caughtUp()
      await triggers.stop()
      expect((await runsOf(strict)).map(({ inputs: given }) => given)).toEqual([{ host: 'a' }, { host: 'b' }])
      const refused = await readEvents(store.reader, { name: 'stateward.run.refused', limit: 10 })
      expect(refused.filter(({ data }) => data['blueprint'] === 'strict-input')).toMatchObject([
        { data: { problems: [{ name: 'host' }] } },
      ])
      expect(refused.filter(({ data }) => data['blueprint'] === 'broken')).toHaveLength(3)
    })

    it('see our own events only when a blueprint names them', async () => {
      const all = blueprintOf('all', {
        triggers: [{ event: '*' }, { event: '*.*' }, { event: '**' }],
        plan: [{ id: 'one', kind: 'transform', expression: '1' }],
      })
      const ours = blueprintOf('ours', {
        triggers: [{ event: 'stateward.agent.*' }],
        plan: [{ id: 'one', kind: 'transform', expression: '1' }],
      })
      const triggers = consume([all, ours])
      await emit('stateward.agent.instance.registered', {
        namespace: 'default',
        agent: 'sre',
        instance_id: uuidv7(0),
        ordinal: 0,
        host: 'local',
        pid: null,
      })
      await until(
        () => runsOf(ours),
        (runs) => runs.length === 1,
      )
      await triggers.stop()
      expect(await runsOf(all)).toEqual([])
    })
  },
)

describe('a run that is made before the cursor has moved', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(async () => {
    await assertCatalogued(store.reader)
    await store.end()
  })

  it('is made once, also when the cursor did not move after it', async () => {
    const blueprint = blueprintOf('early', { triggers: [{ event: 'early.*' }], inputs, plan })
    const free = createsFreeRuns(store, new Journal(store))
    const made: string[] = []
    let crashes = 0
    const triggers = createTriggers({
      store,
      blueprints: blueprintsOf([blueprint]),
      environmentOf,
      create: (run, ...rest) => {
        made.push(String(run.inputs['host']))
        return free(run, ...rest)
      },
      created: () => {},
      crashPoint: (name) => {
        if (name !== 'trigger.before_commit' || made.length === 0 || crashes > 0) return
        crashes++
        throw new Error('crashed')
      },
      pollMs: 20,
    })
    triggers.start()
    const hosts = async () =>
      (await store.reader<{ host: string }[]>`SELECT inputs->>'host' AS host FROM runs ORDER BY created_at`).map(
        ({ host }) => host,
      )
    const emit = (host: string) =>
      transact(store, (tx) =>
        appendEvents(tx, store, [
          {
            event_id: uuidv7(),
            event_name: 'early.wanted',
            occurred_at: new Date(),
            env_id: 'default',
            actor: 'system',
            correlation_id: 'early',
            data: { host },
          },
        ]),
      )
    for (const host of ['a', 'b', 'c', 'd']) {
      const { lastSeq } = await emit(host)
      await until(
        () => store.reader<{ seq: number }[]>`SELECT seq FROM consumers WHERE name = 'triggers'`,
        ([row]) => (row?.seq ?? 0) >= lastSeq,
      )
    }
    await triggers.stop()
    expect(crashes).toBe(1)
    expect(made).toContain('d')
    expect(await hosts()).toEqual(['a', 'b', 'c', 'd'])
    expect(await readEvents(store.reader, { name: 'stateward.run.deduplicated', limit: 10 })).toEqual([])
  })
})
