import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { retryRun } from '../../src/runs/follow-up/retry-run.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { replayRun } from '../../src/runs/rebuild/replay.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const call = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  kind: 'action_task',
  action: 'work',
  with: { key: id },
  ...more,
})

describe('a run that goes on from a step', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  /** Fails where it is told to; counts what it was asked. */
  function worker(failing: Set<string>) {
    let n = 0
    const asked: string[] = []
    const tools = functionTools({
      work: {
        run: ({ with: given }) => {
          const key = String(given['key'])
          asked.push(key)
          if (failing.has(key)) throw fail('SW_TOOL_FAILED', `${key} broke`)
          n += 1
          return `${key} ${n}`
        },
      },
    })
    return { asked, tools }
  }
  const retry = async (runId: string, from: string | null = null) => {
    const deps = { store, environmentOf, nudge: (id: string) => stack.engine.nudge(id) }
    return (await retryRun(deps, { runId, from }, caller)).runId
  }
  const rebuilds = async (runId: string) => {
    const replay = await replayRun({ store, environmentOf, values: stack.values }, { runId, write: false }, caller)
    expect(replay.differences).toEqual([])
  }

  it('keeps what completed and runs the rest, once', async () => {
    const failing = new Set(['b'])
    const { asked, tools } = worker(failing)
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('chain', {
      inputs: [{ name: 'n', schema: { type: 'number' }, required: true }],
      plan: [call('a'), call('skipped', { if: 'false' }), call('b'), call('c')],
      outputs: [{ name: 'all', value: '{{ [steps.a.output, steps.b.output, steps.c.output] }}' }],
    })
    const runId = await stack.start(blueprint, { n: 1 })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed' })
    failing.clear()
    const child = await retry(runId)
    expect(await untilEnded(store, child)).toMatchObject({
      status: 'completed',
      trigger: 'retry',
      inputs: { n: 1 },
      plan_digest: blueprint.digest,
      parent_run: runId,
      parent_kind: 'retry',
      outputs: { all: ['a 1', 'b 2', 'c 3'] },
    })
    expect(asked).toEqual(['a', 'b', 'b', 'c'])
    expect(await statusesOf(store, child)).toEqual({
      a: 'completed',
      skipped: 'skipped',
      b: 'completed',
      c: 'completed',
    })
    // The run that ended stays as it was, and goes on once.
    expect(await getRun(store.reader, runId)).toMatchObject({ status: 'failed', error: { code: 'tool_failed' } })
    await expect(retry(runId)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await rebuilds(runId)
    await rebuilds(child)
  })

  it('runs the named step again with all that waits for it, and nothing beside', async () => {
    const { asked, tools } = worker(new Set())
    stack = startRunStack(store, tools)
    const plan = [call('a'), call('b'), call('beside', { needs: ['a'] }), call('c', { needs: ['b'] })]
    const runId = await stack.start(blueprintOf('tree', { plan }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    asked.length = 0
    const child = await retry(runId, 'b')
    await untilEnded(store, child)
    expect(asked).toEqual(['b', 'c'])
    const grandchild = await retry(child, 'a')
    await untilEnded(store, grandchild)
    expect(asked.slice(2).sort()).toEqual(['a', 'b', 'beside', 'c'])
    await expect(retry(grandchild, 'd')).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    await expect(retry(grandchild, 'a[0].b')).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })

  it('runs one iteration of a loop again and leaves the others', async () => {
    const failing = new Set(['y'])
    const { asked, tools } = worker(failing)
    stack = startRunStack(store, tools)
    const blueprint = blueprintOf('loop', {
      plan: [
        {
          id: 'each',
          kind: 'foreach',
          items: "['x', 'y', 'z']",
          plan: [
            call('one', { with: { key: '{{ item }}' } }),
            { id: 'two', kind: 'transform', expression: 'steps.one.output' },
          ],
        },
        call('after'),
      ],
      outputs: [{ name: 'each', value: '{{ steps.each.output }}' }],
    })
    const runId = await stack.start(blueprint)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed' })
    failing.clear()
    const child = await retry(runId, 'each[1].one')
    expect(await untilEnded(store, child)).toMatchObject({
      status: 'completed',
      outputs: { each: ['x 1', 'y 2', 'z 3'] },
    })
    expect(asked).toEqual(['x', 'y', 'y', 'z', 'after'])
    // The time of the loop, and its timeout, begin with the run that goes on.
    const [row, steps] = [await getRun(store.reader, child), await stepsOfRuns(store.reader, [child])]
    const loop = steps.find(({ path }) => path === 'each')
    expect(loop!.started_at!.getTime()).toBeGreaterThanOrEqual(row!.created_at.getTime())
    asked.length = 0
    const again = await retry(child, 'each[0].two')
    expect(await untilEnded(store, again)).toMatchObject({ outputs: { each: ['x 1', 'y 2', 'z 3'] } })
    expect(asked).toEqual(['after'])
    const whole = await retry(again, 'each')
    await untilEnded(store, whole)
    expect(asked).toEqual(['after', 'x', 'y', 'z', 'after'])
    await expect(retry(whole, 'each[7].one')).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
    for (const id of [child, again, whole]) await rebuilds(id)
  })

  it('asks a gate again, and is refused while the run goes on', async () => {
    stack = startRunStack(store, functionTools({}))
    const plan = [
      { id: 'ask', kind: 'gate', mode: 'manual' },
      { id: 'said', kind: 'transform', expression: 'steps.ask.output.reason' },
    ]
    const outputs = [{ name: 'said', value: '{{ steps.said.output }}' }]
    const runId = await stack.start(blueprintOf('asking', { plan, outputs }))
    await untilWaiting(store, runId, 'WaitingForApproval')
    await expect(retry(runId)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    const decide = {
      store,
      environmentOf,
      standingOf: () => ({ roles: [], teams: [] }),
      nudge: (id: string) => stack.engine.nudge(id),
    }
    const approve = (id: string, reason: string) =>
      decideGate(decide, { stepId: stepIdOf(id, 'ask', 1), decision: 'approve', reason, input: null }, caller)
    await approve(runId, 'first')
    expect(await untilEnded(store, runId)).toMatchObject({ outputs: { said: 'first' } })
    const kept = await retry(runId, 'said')
    expect(await untilEnded(store, kept)).toMatchObject({ outputs: { said: 'first' } })
    const child = await retry(kept, 'ask')
    await untilWaiting(store, child, 'WaitingForApproval')
    await approve(child, 'second')
    expect(await untilEnded(store, child)).toMatchObject({ outputs: { said: 'second' } })
    expect(await stepsOfRuns(store.reader, [child])).toHaveLength(2)
  })
})
