import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { insertInboxRow } from '../../src/store/queries/inbox.ts'
import { tasksOfRun } from '../../src/store/queries/tasks.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

describe('an agent_task', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const asking = (more: object = {}) =>
    blueprintOf('asking', {
      inputs: [{ name: 'host', schema: { type: 'string' }, required: true }],
      plan: [
        {
          id: 'ask',
          kind: 'agent_task',
          agent: 'sre',
          prompt: 'Why is {{ inputs.host }} down?',
          outputSchema: { type: 'object' },
          ...more,
        },
        { id: 'answer', kind: 'transform', expression: 'steps.ask.output.why' },
      ],
      outputs: [{ name: 'why', value: '{{ steps.answer.output }}' }],
    })
  /** What whoever serves the task writes when the agent has answered. */
  const answer = (runId: string, payload: JsonObject) =>
    transact(store, (tx) =>
      insertInboxRow(tx, {
        id: uuidv7(),
        run_id: runId,
        kind: 'task_result',
        path: 'ask',
        payload,
        actor: 'agent:default/sre',
        created_at: new Date(),
      }),
    )
  const asked = async (more: object = {}, options: object = {}) => {
    stack = startRunStack(store, functionTools({}), options)
    const runId = await stack.start(asking(more), { host: 'web-1' })
    await untilWaiting(store, runId, 'Progressing')
    const [task] = await tasksOfRun(store.reader, runId)
    return { runId, task: task! }
  }

  it('queues a task, waits without an owner and goes on with the result', async () => {
    const told: string[] = []
    const tasks = {
      canServe: () => true,
      bulkObstacle: async () => null,
      enqueued: (namespace: string, agent: string) => told.push(`${namespace}/${agent}`),
      cancelled: () => {},
    }
    const { runId, task } = await asked({}, { tasks })
    expect(task).toMatchObject({
      status: 'queued',
      agent: 'sre',
      path: 'ask',
      prompt: 'Why is web-1 down?',
      inputs: { host: 'web-1' },
      output_schema: { type: 'object' },
      attempt: 1,
    })
    expect(told).toEqual(['default/sre'])
    expect(stack.engine.activeRuns()).toBe(0)
    await answer(runId, { task_id: task.task_id, status: 'completed', output: { why: 'disk full' } })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { why: 'disk full' } })
  })

  it('fails with the error of the agent', async () => {
    const { runId, task } = await asked()
    await answer(runId, {
      task_id: task.task_id,
      status: 'failed',
      error: { code: 'agent_failed', message: 'exit code 3', retryable: true },
    })
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'failed',
      error: {
        code: 'agent_failed',
        category: 'agent',
        retryable: true,
        details: { agent: 'sre', task_id: task.task_id },
      },
    })
  })

  it('ignores a result of another task, and one that comes twice', async () => {
    const { runId, task } = await asked()
    await answer(runId, { task_id: uuidv7(), status: 'completed', output: { why: 'no' } })
    await until(
      () =>
        store.reader<
          { open: number }[]
        >`SELECT count(*) AS open FROM run_inbox WHERE run_id = ${runId} AND consumed_at IS NULL`,
      ([row]) => row!.open === 0,
    )
    expect(await statusesOf(store, runId)).toEqual({ ask: 'running' })
    const payload = { task_id: task.task_id, status: 'completed', output: { why: 'yes' } }
    await Promise.all([answer(runId, payload), answer(runId, payload)])
    expect(await untilEnded(store, runId)).toMatchObject({ outputs: { why: 'yes' } })
  })

  it('gives the task up when its time is over, and when the run is cancelled', async () => {
    const { runId } = await asked({ timeout: '50ms' })
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'failed',
      error: { code: 'deadline_exceeded', category: 'timeout' },
    })
    expect(await tasksOfRun(store.reader, runId)).toMatchObject([{ status: 'cancelled' }])
    await stack.stop()

    const other = await asked()
    await cancelRun(
      { store, environmentOf, nudge: (id) => stack.engine.nudge(id) },
      { runId: other.runId, reason: null },
      { actor: 'user:ada', correlationId: 'c' },
    )
    expect(await untilEnded(store, other.runId)).toMatchObject({ status: 'cancelled' })
    expect(await tasksOfRun(store.reader, other.runId)).toMatchObject([{ status: 'cancelled' }])
  })

  it('says that no agent can take it', async () => {
    stack = startRunStack(store, functionTools({}), {
      tasks: { canServe: () => false, bulkObstacle: async () => null, enqueued: () => {}, cancelled: () => {} },
    })
    const runId = await stack.start(asking(), { host: 'web-1' })
    const run = await untilWaiting(store, runId, 'NoCapableAgent')
    // It is looked at again, since agents come and go.
    expect(run.wake_at).not.toBeNull()
  })
})
