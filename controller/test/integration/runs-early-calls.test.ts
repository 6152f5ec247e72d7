import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/lib/digest.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  functionTools,
  startRunStack,
  statusesOf,
  storyOf,
  type TestTool,
  until,
  untilEnded,
} from '../support/run-stack.ts'

/** Calls of tools that change nothing: they begin before anything of them is recorded. */

let store: TestStore
beforeAll(async () => {
  store = await createTestStore()
})
afterAll(() => store.end())

const LOOK: TestTool = {
  idempotent: true,
  withoutEffects: true,
  usesWorkspace: false,
  run: ({ with: { k } }) => ({ k: k! }),
}
const look = (id: string, k: Json, more: object = {}) => ({
  id,
  kind: 'action_task',
  action: 'look',
  with: { k },
  ...more,
})
const batchesOf = async (runId: string): Promise<number> => {
  const [row] = await store.reader<{ n: number }[]>`
    SELECT count(DISTINCT b.first_seq)::int AS n FROM events e JOIN log_batches b ON e.seq BETWEEN b.first_seq AND b.last_seq
    WHERE e.run_id = ${runId}`
  return row!.n
}
const running = async (tools: Record<string, TestTool>, plan: object[]) => {
  const stack = startRunStack(store, functionTools(tools))
  const runId = await stack.start(blueprintOf('looks', { plan: plan as never }))
  return { stack, runId }
}

describe('a call without effects', () => {
  it('that returns at once is recorded with what began it: the whole run is one commit', async () => {
    const plan = [look('a', 1), look('b', '{{ steps.a.output.k }}'), look('c', '{{ steps.b.output.k }}')]
    const { stack, runId } = await running({ look: LOOK }, plan)
    expect((await untilEnded(store, runId)).status).toBe('completed')
    expect(await batchesOf(runId)).toBe(1)
    const steps = ['a', 'b', 'c'].map((id) => `step.completed ${id}`)
    expect(await storyOf(store, runId)).toEqual(['created', 'started', ...steps, 'completed'])
    const [told] = await store.reader<{ data: JsonObject }[]>`
      SELECT data FROM events WHERE run_id = ${runId} AND event_name = 'stateward.run.step.completed' ORDER BY seq`
    expect(told!.data).toMatchObject({ inputs: { k: 1 }, request_digest: digestOf({ k: 1 }), output: { k: 1 } })
    expect(await effectsOfRuns(store.reader, [runId])).toEqual([])
    await stack.stop()
  })

  it('that takes longer is seen running, and its outcome follows', async () => {
    const { promise, resolve } = Promise.withResolvers<Json>()
    const { stack, runId } = await running({ look: { ...LOOK, run: () => promise } }, [look('a', 1)])
    await until(
      () => statusesOf(store, runId),
      (statuses) => statuses['a'] === 'running',
    )
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'intent' }])
    resolve({ late: true })
    expect((await untilEnded(store, runId)).status).toBe('completed')
    expect(await batchesOf(runId)).toBe(2)
    await stack.stop()
  })

  it('that fails at once is recorded like any other, and fails the run by its error', async () => {
    const failing = { ...LOOK, run: () => Promise.reject(new Error('no luck')) }
    const { stack, runId } = await running({ look: failing }, [look('a', 1)])
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({ status: 'failed', error: { cause: { message: expect.stringContaining('no luck') } } })
    expect(await storyOf(store, runId)).toEqual(['created', 'started', 'step.failed a', 'failed'])
    expect(await effectsOfRuns(store.reader, [runId])).toEqual([])
    await stack.stop()
  })

  it('that is tried again tells where each attempt began', async () => {
    let calls = 0
    const flaky: TestTool = {
      ...LOOK,
      run: () =>
        ++calls === 1
          ? Promise.reject(fail('SW_TOOL_FAILED', 'come back later', { details: { retryable: true } }))
          : { k: calls },
    }
    const { stack, runId } = await running({ look: flaky }, [
      look('a', 1, { retry: { maxAttempts: 2, backoff: '10ms' } }),
    ])
    expect((await untilEnded(store, runId)).status).toBe('completed')
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started a',
      'step.retried a',
      'step.completed a',
      'completed',
    ])
    await stack.stop()
  })

  it('and one with effects beside it: only the second waits for its intent', async () => {
    const seen: string[] = []
    const act: TestTool = {
      run: async ({ operationId }) => {
        const [effect] = await store.reader`SELECT 1 FROM effects WHERE operation_id = ${operationId}`
        seen.push(effect === undefined ? 'act before its intent' : 'act')
        return {}
      },
    }
    const plan = [
      look('a', 1, { needs: [] }),
      { id: 'b', kind: 'action_task', action: 'act', with: {}, needs: [] },
      look('c', 2, { needs: ['b'] }),
    ]
    const { stack, runId } = await running({ look: LOOK, act }, plan)
    expect((await untilEnded(store, runId)).status).toBe('completed')
    expect(seen).toEqual(['act'])
    expect(await batchesOf(runId)).toBe(2)
    await stack.stop()
  })
})
