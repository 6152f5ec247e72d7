import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { createTriggers, type Triggers } from '../../src/runs/triggers/triggers.ts'
import { appendEvents } from '../../src/store/log.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  blueprintsOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

describe('wait', () => {
  let store: TestStore
  let stack: RunStack
  let triggers: Triggers
  const startTriggers = () => {
    triggers = createTriggers({
      store,
      blueprints: blueprintsOf([]),
      environmentOf,
      created: (ids) => {
        for (const id of ids) stack.engine.nudge(id)
      },
      pollMs: 20,
    })
    triggers.start()
  }
  beforeAll(async () => {
    store = await createTestStore()
  })
  beforeEach(() => {
    stack = startRunStack(store, functionTools({ open: { run: () => ({ ticket: 7 }) } }))
    startTriggers()
  })
  afterEach(async () => {
    await triggers.stop()
    await stack.stop()
  })
  afterAll(() => store.end())

  const emit = async (event_name: string, data: JsonObject) => {
    const about = { env_id: 'default', actor: 'system:ci', correlation_id: 'c' }
    const event = { event_id: uuidv7(), event_name, occurred_at: new Date(), data, ...about }
    await transact(store, (tx) => appendEvents(tx, store, [event]))
    return event.event_id
  }
  const waiting = (step: JsonObject, more: JsonObject = {}) =>
    blueprintOf('waiting', {
      inputs: [{ name: 'app', schema: { type: 'string' }, required: true }],
      plan: [
        { id: 'open', kind: 'action_task', action: 'open', with: {} },
        { id: 'wait', kind: 'wait', ...step },
        { id: 'end', kind: 'transform', expression: 'steps.wait.output' },
      ],
      outputs: [{ name: 'event', value: '{{ steps.end.output }}' }],
      ...more,
    })
  const openWaits = async () => (await store.reader<{ n: number }[]>`SELECT count(*) AS n FROM waits`)[0]!.n

  it('ends with the first event that matches after it began; the filter reads what the step knows', async () => {
    const filter = 'event.data.app == inputs.app && event.data.ticket == steps.open.output.ticket'
    const blueprint = waiting({ event: 'deploy.*', filter })
    await emit('deploy.done', { app: 'web', ticket: 7, early: true })
    const runId = await stack.start(blueprint, { app: 'web' })
    const run = await untilWaiting(store, runId, 'WaitingForEvent')
    expect(run).toMatchObject({ wake_at: null, deadline: null })
    await emit('deploy.done', { app: 'db', ticket: 7 })
    await emit('deploy.done', { app: 'web' })
    await emit('other.done', { app: 'web', ticket: 7 })
    expect(await openWaits()).toBe(1)
    const id = await emit('deploy.failed', { app: 'web', ticket: 7 })
    await emit('deploy.done', { app: 'web', ticket: 7 })
    const ended = await untilEnded(store, runId)
    expect(ended).toMatchObject({
      status: 'completed',
      outputs: { event: { id, name: 'deploy.failed', actor: 'system:ci', data: { app: 'web', ticket: 7 } } },
    })
    expect(await openWaits()).toBe(0)
  })

  it('takes an event that came while nobody moved runs or read events', async () => {
    const runId = await stack.start(waiting({ event: 'deploy.done' }), { app: 'web' })
    await untilWaiting(store, runId, 'WaitingForEvent')
    await triggers.stop()
    await stack.stop()
    const id = await emit('deploy.done', {})
    stack = startRunStack(store, functionTools({}))
    startTriggers()
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { event: { id } } })
  })

  it('hears our own events when it names them', async () => {
    const filter = "event.data.run != run.name && event.data.run.startsWith('waiting')"
    const runId = await stack.start(waiting({ event: 'stateward.run.cancelled', filter }), { app: 'web' })
    await untilWaiting(store, runId, 'WaitingForEvent')
    const other = await stack.start(waiting({ event: 'never.comes' }), { app: 'web' })
    await untilWaiting(store, other, 'WaitingForEvent')
    const nudge = (id: string) => stack.engine.nudge(id)
    await cancelRun({ store, environmentOf, nudge }, { runId: other, reason: null }, caller)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(await untilEnded(store, other)).toMatchObject({ status: 'cancelled' })
    expect(await openWaits()).toBe(0)
  })

  it('fails or goes on when no event comes in time', async () => {
    const failing = await stack.start(waiting({ event: 'never.comes', timeout: '40ms' }), { app: 'web' })
    const going = await stack.start(waiting({ event: 'never.comes', timeout: '40ms', onTimeout: 'continue' }), {
      app: 'web',
    })
    expect(await untilEnded(store, failing)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })
    expect(await untilEnded(store, going)).toMatchObject({ status: 'completed', outputs: { event: null } })
    await until(openWaits, (open) => open === 0)
  })

  it('waits for time across a restart, and the time of the run stands still', async () => {
    const limits = { timeout: '200ms' }
    const runId = await stack.start(waiting({ duration: '400ms' }, { limits }), { app: 'web' })
    const run = await untilWaiting(store, runId, 'WaitingForTime')
    expect(run.deadline).toBeNull()
    await stack.stop()
    stack = startRunStack(store, functionTools({}))
    const ended = await untilEnded(store, runId)
    expect(ended).toMatchObject({ status: 'completed', outputs: { event: null } })
    expect(ended.completed_at!.getTime() - run.started_at!.getTime()).toBeGreaterThanOrEqual(400)
  })
})
