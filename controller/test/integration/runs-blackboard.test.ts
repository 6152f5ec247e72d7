import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { retryRun } from '../../src/runs/follow-up/retry-run.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import type { ToolRunner } from '../../src/runs/ports.ts'
import { stepIdOf } from '../../src/store/queries/steps.ts'
import { findBuiltin } from '../../src/tools/builtins.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

/** The two tools as they are built in, beside those of a test. */
function tools(): ToolRunner {
  const others = functionTools({ fail: { run: () => Promise.reject(new Error('no')) } })
  return {
    ...others,
    find(name, namespace) {
      const builtin = findBuiltin(name)
      if (builtin === null) return others.find(name, namespace)
      const { idempotent, inputSchema, inRun = false } = builtin
      return { name: builtin.name, idempotent, inputSchema, inRun, timeoutMs: 1000 }
    },
  }
}

const set = (id: string, key: string, value: Json): JsonObject => ({
  id,
  kind: 'action_task',
  action: 'blackboard.set',
  with: { key, value },
})

describe('the blackboard of a run', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  it('hands values from step to step, in expressions and by the tool', async () => {
    stack = startRunStack(store, tools())
    const runId = await stack.start(
      blueprintOf('board', {
        plan: [
          set('a', 'hosts', ['web-1']),
          set('b', 'hosts', '{{ blackboard.hosts + ["web-2"] }}'),
          { id: 'got', kind: 'action_task', action: 'blackboard_get', with: { key: 'gone', default: 3 } },
          { id: 'read', kind: 'transform', expression: 'size(blackboard.hosts)', needs: ['b'] },
        ],
        outputs: [
          { name: 'hosts', value: '{{ blackboard.hosts }}' },
          { name: 'size', value: '{{ steps.read.output }}' },
          { name: 'got', value: '{{ steps.got.output }}' },
        ],
      }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'completed',
      outputs: { hosts: ['web-1', 'web-2'], size: 2, got: { key: 'gone', value: 3, found: false } },
    })
    expect(await store.reader`SELECT key, value, version, path FROM blackboard WHERE run_id = ${runId}`).toEqual([
      { key: 'hosts', value: ['web-1', 'web-2'], version: 2, path: 'b' },
    ])
  })

  it('is there for whoever takes the run over, also what a loop has written', async () => {
    stack = startRunStack(store, tools())
    const runId = await stack.start(
      blueprintOf('board', {
        plan: [
          {
            id: 'each',
            kind: 'foreach',
            items: '[1, 2, 3]',
            plan: [set('one', 'last', '{{ item }}')],
          },
          { id: 'ok', kind: 'gate', mode: 'manual' },
          set('after', 'sum', '{{ blackboard.last + 1.0 }}'),
        ],
        outputs: [{ name: 'sum', value: '{{ blackboard.sum }}' }],
      }),
    )
    await untilWaiting(store, runId, 'WaitingForApproval')
    await stack.stop()
    stack = startRunStack(store, tools())
    await decideGate(
      { store, environmentOf, standingOf: () => ({ roles: [], teams: [] }), nudge: (id) => stack.engine.nudge(id) },
      { stepId: stepIdOf(runId, 'ok', 1), decision: 'approve', reason: null, input: undefined },
      { actor: 'user:olga', correlationId: 'c' },
    )
    expect(await untilEnded(store, runId)).toMatchObject({ outputs: { sum: 4 } })
  })

  it('goes on with a run that goes on from a step', async () => {
    stack = startRunStack(store, tools())
    const runId = await stack.start(
      blueprintOf('board', {
        plan: [set('a', 'n', 1), { id: 'read', kind: 'transform', expression: 'blackboard.n' }],
        outputs: [{ name: 'n', value: '{{ steps.read.output }}' }],
      }),
    )
    await untilEnded(store, runId)
    const deps = { store, environmentOf, nudge: (id: string) => stack.engine.nudge(id) }
    const child = await retryRun(deps, { runId, from: 'read' }, { actor: 'user:olga', correlationId: 'c' })
    expect(await untilEnded(store, child.runId)).toMatchObject({ status: 'completed', outputs: { n: 1 } })
  })

  it('fails the step that would write too much, or reads a key that was never set', async () => {
    stack = startRunStack(store, tools())
    const large = await stack.start(
      blueprintOf('board', {
        inputs: [{ name: 'x' }],
        plan: [set('a', 'text', '{{ inputs.x }}')],
      }),
      { x: 'x'.repeat(70_000) },
    )
    expect(await untilEnded(store, large)).toMatchObject({ status: 'failed', error: { code: 'blackboard_full' } })
    expect(await store.reader`SELECT 1 FROM blackboard WHERE run_id = ${large}`).toEqual([])
    const missing = await stack.start(
      blueprintOf('board', { plan: [{ id: 'a', kind: 'transform', expression: 'blackboard.gone' }] }),
    )
    expect(await untilEnded(store, missing)).toMatchObject({ error: { code: 'expression_failed' } })
    const key = await stack.start(
      blueprintOf('board', { inputs: [{ name: 'x' }], plan: [set('a', '{{ inputs.x }}', 1)] }),
      { x: 'No key' },
    )
    expect(await untilEnded(store, key)).toMatchObject({ error: { code: 'validation_failed' } })
  })
})

describe('readers of the database', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  it('find agents, jobs, runs, blackboard and transactions under these names', async () => {
    const stack = startRunStack(store, tools())
    const waits = await stack.start(blueprintOf('waits', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] }))
    await untilWaiting(store, waits, 'WaitingForApproval')
    const asks = await stack.start(
      blueprintOf('asks', { plan: [{ id: 'ask', kind: 'agent_task', agent: 'sre', prompt: 'why?' }] }),
    )
    await untilWaiting(store, asks, 'Progressing')
    expect(await store.reader`SELECT kind, target, state, run_id FROM jobs`).toEqual([
      { kind: 'task', target: 'sre', state: 'queued', run_id: asks },
    ])
    await stack.stop()
    await store.engine`UPDATE runs SET wake_at = created_at, condition = NULL WHERE run_id = ${waits}`
    expect(await store.reader`SELECT kind, target, state FROM jobs WHERE run_id = ${waits}`).toEqual([
      { kind: 'run', target: 'waits', state: 'queued' },
    ])
    for (const view of ['agents', 'runs', 'blackboard', 'transactions'])
      await store.reader`SELECT * FROM ${store.reader(view)} LIMIT 1`
  })
})
