import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { recordTriggered } from '../../src/runs/triggers/record-triggered.ts'
import { requeueDeadLetter } from '../../src/runs/triggers/requeue.ts'
import { triggeredBy } from '../../src/runs/triggers/trigger-match.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import { pageDeadLetters, recoveryStats } from '../../src/store/queries/dead-letters.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  blueprintsOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  untilEnded,
} from '../support/run-stack.ts'

describe('dead letters', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const page = (requeued = false) =>
    pageDeadLetters(store.reader, { namespace: null, requeued, after: null, limit: 10 })
  const requeue = (blueprint: AcceptedBlueprint, id: string) =>
    requeueDeadLetter(
      { store, blueprints: blueprintsOf([blueprint]), environmentOf, nudge: (runId) => stack.engine.nudge(runId) },
      id,
      { actor: 'user:olga', correlationId: 'c-requeue' },
    )
  const CALL = { id: 'call', kind: 'action_task', action: 'flaky', retry: { maxAttempts: 2, backoff: '1ms' } }
  const SPEC: JsonObject = { inputs: [{ name: 'host' }], plan: [CALL] }

  it('are runs whose work failed in its last attempt, and run again with what they were given', async () => {
    let broken = true
    const tools = functionTools({
      flaky: {
        idempotent: true,
        run: () => {
          if (broken) throw Object.assign(new Error('connection refused'))
          return { ok: true }
        },
      },
    })
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('calls', SPEC)
    const before = new Date(store.clock.now().getTime() - 1000)
    const runId = await stack.start(blueprint, { host: 'web-1' })
    await untilEnded(store, runId)
    expect(await page()).toMatchObject([
      { kind: 'run', dead_letter_id: runId, blueprint: 'calls', path: 'call', requeued_at: null },
    ])
    broken = false
    const made = await requeue(blueprint, runId)
    expect(await untilEnded(store, made.runId)).toMatchObject({
      status: 'completed',
      inputs: { host: 'web-1' },
      actor: 'user:olga',
    })
    expect(await page()).toEqual([])
    expect(await page(true)).toMatchObject([{ requeued_run_id: made.runId, requeued_by: 'user:olga' }])
    await expect(requeue(blueprint, runId)).rejects.toMatchObject({ code: 'conflict' })
    expect(await recoveryStats(store.reader, before)).toMatchObject({
      dead: 0,
      requeued: 1,
      compensated: 0,
      resumed: 0,
    })
    const told = await readEvents(store.reader, { name: 'stateward.run.requeued', limit: 5 })
    expect(told).toMatchObject([{ data: { dead_letter: runId, kind: 'run', run_id: made.runId } }])
  })

  it('are events no run could be made of, and start one once the blueprint takes them', async () => {
    stack = startRunStack(store, functionTools({ flaky: { run: () => ({ ok: true }) } }))
    const spec = (type: string) => ({
      triggers: [{ event: 'disk.full' }],
      inputs: [{ name: 'host', schema: { type }, from: 'event.data.host', required: true }],
      plan: [CALL],
    })
    const strict = blueprintOf('strict', spec('integer'))
    await transact(store, async (tx) => {
      const now = store.clock.now()
      const event = {
        event_id: uuidv7(),
        event_name: 'disk.full',
        occurred_at: now,
        env_id: 'default',
        actor: 'user:ada',
        correlation_id: 'c-event',
        data: { host: 'web-1' },
      }
      await appendEvents(tx, store, [event])
      const logged = { ...event, seq: 0, run_id: null, step_id: null, resource: null, occurred_at: now.toISOString() }
      const [one] = triggeredBy(logged, [strict], environmentOf).triggered
      const { event: refused } = await recordTriggered(tx, now, one!, environmentOf)
      await appendEvents(tx, store, [refused!])
    })
    const [letter] = await page()
    expect(letter).toMatchObject({ kind: 'trigger', blueprint: 'strict', trigger: 'event:disk.full', run_id: null })
    await expect(requeue(strict, letter!.dead_letter_id)).rejects.toMatchObject({
      code: 'validation_failed',
      details: { violations: [{ path: '/inputs/host' }] },
    })
    const { plan, digest } = blueprintOf('strict', spec('string'))
    const corrected = { ...strict, plan, digest }
    const made = await requeue(corrected, letter!.dead_letter_id)
    expect(await untilEnded(store, made.runId)).toMatchObject({ status: 'completed', inputs: { host: 'web-1' } })
    expect(await page()).toEqual([])
  })

  it('are neither runs that somebody cancelled or rejected, nor such that are not there', async () => {
    stack = startRunStack(store, functionTools({}))
    const gone = blueprintOf('gone', { plan: [{ id: 'x', kind: 'transform', expression: 'inputs' }] })
    await untilEnded(
      store,
      await stack.start(blueprintOf('bad', { plan: [{ id: 'x', kind: 'transform', expression: '1 / 0' }] })),
    )
    expect(await page()).toEqual([])
    await expect(requeue(gone, uuidv7())).rejects.toMatchObject({ code: 'not_found' })
  })
})
