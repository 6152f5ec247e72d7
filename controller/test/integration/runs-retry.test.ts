import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { readEvents } from '../../src/store/log.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { insertInboxRow } from '../../src/store/queries/inbox.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import { tasksOfRun } from '../../src/store/queries/tasks.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  storyOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const busy = () => fail('SW_TOOL_FAILED', 'come back later', { details: { retryable: true } })
/** Fails the first `failures` times. */
function flaky(failures: number, error: () => Error = busy) {
  let calls = 0
  return functionTools({
    flaky: {
      run: () => {
        if (++calls <= failures) throw error()
        return { calls }
      },
    },
  })
}
const trying = (retry: JsonObject) =>
  blueprintOf('trying', {
    plan: [
      { id: 'try', kind: 'action_task', action: 'flaky', with: { n: 1 }, retry },
      { id: 'end', kind: 'transform', expression: 'steps.try.output.calls' },
    ],
    outputs: [{ name: 'calls', value: '{{ steps.end.output }}' }],
  })

describe('retry', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  it('makes another attempt under an operation id of its own and keeps what became of each', async () => {
    const tools = flaky(2)
    stack = startRunStack(store, tools, { random: () => 0 })
    const runId = await stack.start(trying({ maxAttempts: 3, backoff: '10ms', factor: 2 }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { calls: 3 } })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual(
      [1, 2, 3].map((attempt) => `${runId}/try/${attempt}`),
    )
    const attempts = (await stepsOfRuns(store.reader, [runId])).filter(({ path }) => path === 'try')
    expect(attempts.map(({ attempt, status, next_attempt_at }) => [attempt, status, next_attempt_at])).toEqual([
      [1, 'failed', null],
      [2, 'failed', null],
      [3, 'completed', null],
    ])
    expect(attempts[0]!.error).toMatchObject({ code: 'tool_failed', message: 'come back later' })
    const effects = await effectsOfRuns(store.reader, [runId])
    expect(effects.map(({ attempt, state }) => [attempt, state]).sort()).toEqual([
      [1, 'failed'],
      [2, 'failed'],
      [3, 'succeeded'],
    ])
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started try',
      'step.retried try',
      'step.started try',
      'step.retried try',
      'step.started try',
      'step.completed try',
      'step.completed end',
      'completed',
    ])
    const retried = await readEvents(store.reader, { runId, name: 'stateward.run.step.retried', limit: 10 })
    expect(retried.map(({ data }) => [data['attempt'], data['next_attempt']])).toEqual([
      [1, 2],
      [2, 3],
    ])
    const pauses = retried.map(
      ({ data, occurred_at }) => Date.parse(String(data['next_attempt_at'])) - Date.parse(occurred_at),
    )
    expect(pauses).toEqual([10, 20])
  })

  it('fails with the last error when its attempts are used up', async () => {
    const tools = flaky(5)
    stack = startRunStack(store, tools)
    const runId = await stack.start(trying({ maxAttempts: 2, backoff: '5ms' }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'tool_failed' } })
    expect(tools.calls).toHaveLength(2)
    expect(await statusesOf(store, runId)).toEqual({ try: 'failed', end: 'skipped' })
  })

  it('asks retryIf, and without one whether the error says that it is worth it', async () => {
    const final = () => fail('SW_TOOL_FAILED', 'no such host')
    let tools = flaky(1, final)
    stack = startRunStack(store, tools)
    const plain = await stack.start(trying({ backoff: '5ms' }))
    expect(await untilEnded(store, plain)).toMatchObject({ status: 'failed' })
    expect(tools.calls).toHaveLength(1)
    await stack.stop()

    tools = flaky(1, final)
    stack = startRunStack(store, tools)
    const asked = await stack.start(trying({ backoff: '5ms', retryIf: "error.message.contains('host')" }))
    expect(await untilEnded(store, asked)).toMatchObject({ status: 'completed' })
    expect(tools.calls).toHaveLength(2)
    await stack.stop()

    tools = flaky(1)
    stack = startRunStack(store, tools)
    const refused = await stack.start(trying({ backoff: '5ms', retryIf: "error.code == 'other'" }))
    expect(await untilEnded(store, refused)).toMatchObject({ status: 'failed' })
    expect(tools.calls).toHaveLength(1)
    await stack.stop()

    // The causes nest down to the root.
    tools = flaky(1, () => fail('SW_TOOL_FAILED', 'it broke', { cause: new Error('ECONNRESET') }))
    stack = startRunStack(store, tools)
    const retryIf = "error.cause.message == 'ECONNRESET' && error.cause.cause == null"
    const rooted = await stack.start(trying({ backoff: '5ms', retryIf }))
    expect(await untilEnded(store, rooted)).toMatchObject({ status: 'completed' })
  })

  it('waits without an owner, and the next process makes the attempt', async () => {
    const tools = flaky(1)
    stack = startRunStack(store, tools)
    const runId = await stack.start(trying({ backoff: '400ms', jitter: 0 }))
    const run = await untilWaiting(store, runId, 'ProgressingWithRetry')
    expect(run.condition!['message']).toContain('come back later')
    const [, next] = (await stepsOfRuns(store.reader, [runId])).filter(({ path }) => path === 'try')
    expect(next).toMatchObject({ attempt: 2, status: 'running', started_at: null })
    expect(run.wake_at).toEqual(next!.next_attempt_at)
    await stack.stop()
    stack = startRunStack(store, tools)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/try/1`, `${runId}/try/2`])
  })

  it('is over when the run is cancelled between two attempts', async () => {
    const tools = flaky(1)
    stack = startRunStack(store, tools)
    const runId = await stack.start(trying({ backoff: '1h', maxBackoff: '1h' }))
    await untilWaiting(store, runId, 'ProgressingWithRetry')
    const nudge = (id: string) => stack.engine.nudge(id)
    await cancelRun({ store, environmentOf, nudge }, { runId, reason: null }, caller)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'cancelled' })
    expect(await statusesOf(store, runId)).toEqual({ try: 'failed', end: 'skipped' })
    expect(tools.calls).toHaveLength(1)
  })

  it('gives an agent the same work again as another task', async () => {
    stack = startRunStack(store, functionTools({}))
    const blueprint = blueprintOf('asking', {
      plan: [
        { id: 'ask', kind: 'agent_task', agent: 'sre', prompt: 'why?', retry: { maxAttempts: 2, backoff: '5ms' } },
      ],
    })
    const runId = await stack.start(blueprint)
    const taskAt = (count: number) =>
      until(
        () => tasksOfRun(store.reader, runId),
        (tasks) => tasks.length === count,
      )
    const answer = async (payload: JsonObject) => {
      const created_at = new Date()
      const row = { run_id: runId, kind: 'task_result', path: 'ask', payload, actor: 'agent:x/y', created_at } as const
      await transact(store, (tx) => insertInboxRow(tx, { id: uuidv7(), ...row }))
    }
    const [first] = await taskAt(1)
    const error = { code: 'agent_failed', message: 'overloaded', retryable: true }
    await answer({ task_id: first!.task_id, status: 'failed', error })
    const tasks = await taskAt(2)
    const second = tasks.find(({ task_id }) => task_id !== first!.task_id)!
    expect(second).toMatchObject({ prompt: first!.prompt, inputs: first!.inputs })
    expect(second.step_id).not.toBe(first!.step_id)
    // A late answer of the first one is for nobody.
    await answer({ task_id: first!.task_id, status: 'completed', output: 'late' })
    await answer({ task_id: second.task_id, status: 'completed', output: 'because' })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    const steps = await stepsOfRuns(store.reader, [runId])
    expect(steps.map(({ attempt, status, outputs }) => [attempt, status, outputs])).toEqual([
      [1, 'failed', null],
      [2, 'completed', 'because'],
    ])
  })
})
