import { afterEach, beforeEach, expect, it } from 'vitest'
import { watchTreasury } from '../../src/policy/treasury-watch.ts'
import { consumeLog, type LogConsumer, PORTION } from '../../src/store/log-consumer.ts'
import { readLogBehind } from '../../src/store/queries/consumers.ts'
import { until } from '../support/agent-fleet.ts'
import { emit } from '../support/api-rows.ts'
import { createTestStore, type TestStore } from '../support/database.ts'

let store: TestStore
let consumer: LogConsumer
beforeEach(async () => {
  store = await createTestStore()
})
afterEach(async () => {
  await consumer.stop()
  await store.end()
})

async function emitMany(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 2_000)
    await emit(store, ...Array.from({ length: Math.min(left, 2_000) }, () => ({ event_name: 'test.happened' })))
}
const placeOf = async (name: string) =>
  (await store.engine<{ seq: number }[]>`SELECT seq FROM consumers WHERE name = ${name}`)[0]?.seq ?? null
const headOfLog = async () => (await store.engine<{ seq: number }[]>`SELECT seq FROM log_head`)[0]!.seq

it('reads every event once, a portion at a time, and goes on where it stood when it failed', async () => {
  await emitMany(2 * PORTION + 1)
  const counted: number[] = []
  let failures = 1
  const start = () =>
    consumeLog(store, {
      name: 'counting',
      failed: 'could not count',
      async read(after) {
        const { head, events } = await readLogBehind(store.engine, { after, own: false, limit: PORTION })
        return {
          head,
          events,
          async write() {
            if (counted.length > PORTION && failures-- > 0) throw new Error('not now')
            counted.push(...events.map(({ seq }) => seq))
            return []
          },
        }
      },
    })
  consumer = start()
  consumer.nudge()
  await until('the first portion', () => counted.length >= PORTION)
  await consumer.stop()
  consumer = start()
  consumer.nudge()
  await until('the rest', () => counted.length === 2 * PORTION + 1)
  expect(new Set(counted).size).toBe(counted.length)
  await until('its place', async () => (await placeOf('counting')) === (await headOfLog()))
})

it('without anything to do keeps its place near the head, so that old events can go', async () => {
  consumer = watchTreasury(store, () => [])
  await emitMany(10_001)
  // What came since the look before may be about a policy it was not told of yet.
  for (let look = 0; look < 2; look++) {
    consumer.nudge()
    await new Promise((done) => setTimeout(done, 400))
  }
  await until('its place', async () => {
    consumer.nudge()
    return ((await placeOf('treasury')) ?? 0) > 10_000
  })
})
