import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { createPendingRollbacks } from '../../src/runs/follow-up/pending-undo.ts'
import { retryRun } from '../../src/runs/follow-up/retry-run.ts'
import { rollbackRun } from '../../src/runs/follow-up/rollback-run.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { replayRun } from '../../src/runs/rebuild/replay.ts'
import { childRuns } from '../../src/store/queries/child-runs.ts'
import { runsById } from '../../src/store/queries/runs-read.ts'
import { stepIdOf } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  storyOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const create = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  kind: 'action_task',
  action: 'create',
  with: { name: id },
  undo: { action: 'remove', with: { id: `{{ steps.${id}.output.id }}` } },
  ...more,
})
const broken = { id: 'broken', kind: 'action_task', action: 'break', with: {} }

/** What was made and not removed again, in order; and every removal. */
function warehouse(options: { readonly hang?: string } = {}) {
  const there: string[] = []
  const removed: string[] = []
  const tools = functionTools({
    create: {
      run: ({ with: given }) => {
        there.push(String(given['name']))
        return { id: `id-${String(given['name'])}` }
      },
    },
    remove: {
      run: ({ with: given }) => {
        const id = String(given['id'])
        if (id === options.hang) return new Promise<Json>(() => {})
        removed.push(id)
        there.splice(there.indexOf(id.replace('id-', '')), 1)
        return null
      },
    },
    look: { run: () => 'all is well', leavesNothing: true },
    break: {
      run: () => {
        throw fail('SW_TOOL_FAILED', 'it broke')
      },
    },
  })
  return { there, removed, tools }
}

describe('undoing a run', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const deps = () => ({ store, environmentOf, tools: known, nudge: (id: string) => stack.engine.nudge(id) })
  /** The tools as a server knows them. */
  const known = warehouse().tools
  const rollback = async (runId: string) => (await rollbackRun(deps(), { runId }, caller))!.runId

  it('calls the undo of what completed, the last first, and tells what has none', async () => {
    const { there, removed, tools } = warehouse()
    stack = startRunStack(store, tools)
    const plan = [
      create('disk'),
      { id: 'note', kind: 'action_task', action: 'create', with: { name: 'note' } },
      create('host'),
      create('never', { if: 'false' }),
      { id: 'look', kind: 'action_task', action: 'look', with: {} },
      { id: 'sum', kind: 'transform', expression: '1' },
    ]
    const runId = await stack.start(blueprintOf('building', { plan }))
    await untilEnded(store, runId)
    expect(there).toEqual(['disk', 'note', 'host'])
    const undoing = await rollback(runId)
    const notUndone = [{ step: 'note', action: 'create', reason: 'the step has no undo' }]
    expect(await untilEnded(store, undoing)).toMatchObject({
      status: 'completed',
      trigger: 'rollback',
      parent_run: runId,
      parent_kind: 'rollback',
      outputs: { undone: ['host', 'disk'], not_undone: notUndone },
    })
    expect(removed).toEqual(['id-host', 'id-disk'])
    expect(there).toEqual(['note'])
    // The run that was undone stays as it ended.
    const [parent] = await runsById(store.reader, [runId])
    expect(parent).toMatchObject({
      status: 'completed',
      condition: null,
      children: [{ run_id: undoing, parent_kind: 'rollback', status: 'completed', inputs: { not_undone: notUndone } }],
    })
    expect(await storyOf(store, runId)).toContain('rollback.started')
    for (const id of [runId, undoing]) {
      expect(
        await replayRun({ store, environmentOf, values: stack.values }, { runId: id, write: false }, caller),
      ).toMatchObject({
        differences: [],
      })
    }
    await expect(rollback(runId)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await expect(retryRun(deps(), { runId, from: null }, caller)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await expect(rollback(undoing)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
  })

  it('undoes every iteration of a loop and what a called plan did, with the values of then', async () => {
    const { removed, tools } = warehouse()
    stack = startRunStack(store, tools)
    const inner = create('one', {
      with: { name: '{{ item }}' },
      undo: { action: 'remove', with: { id: 'id-{{ item }}' } },
    })
    const plan = [{ id: 'each', kind: 'foreach', items: "['a', '{{ b }}', 'c']", concurrency: 1, plan: [inner] }]
    const runId = await stack.start(blueprintOf('loop', { plan }))
    await untilEnded(store, runId)
    expect(await untilEnded(store, await rollback(runId))).toMatchObject({ status: 'completed' })
    // A value that looks like a template is a value.
    expect(removed).toEqual(['id-c', 'id-{{ b }}', 'id-a'])
  })

  it('comes by itself when a run fails whose blueprint says so, also when the process died in between', async () => {
    const { there, removed, tools } = warehouse()
    stack = startRunStack(store, tools)
    const runId = await stack.start(
      blueprintOf('careful', { onFailure: 'rollback', plan: [create('disk'), create('host'), broken] }),
    )
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', condition: { reason: 'RollbackPending' } })
    expect(await childRuns(store.reader, runId)).toEqual([])
    await expect(retryRun(deps(), { runId, from: null }, caller)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    // Two processes look at once; one of them does it.
    const pending = [
      createPendingRollbacks({ ...deps(), pollMs: 20 }),
      createPendingRollbacks({ ...deps(), pollMs: 20 }),
    ]
    for (const one of pending) one.start()
    const children = await until(
      () => childRuns(store.reader, runId),
      (seen) => seen.some(({ status }) => status === 'completed'),
    )
    for (const one of pending) await one.stop()
    expect(children).toHaveLength(1)
    expect(removed).toEqual(['id-host', 'id-disk'])
    expect(there).toEqual([])
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', condition: null })
    expect(await storyOf(store, runId)).toContain('rollback.started')
  })

  it('is not begun for a run whose blueprint does not say so', async () => {
    stack = startRunStack(store, warehouse().tools)
    const runId = await stack.start(blueprintOf('careless', { plan: [create('disk'), broken] }))
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', condition: null })
  })

  it('waits behind a gate when a process died during an undo, and goes on with what is left', async () => {
    const dying = warehouse({ hang: 'id-host' })
    stack = startRunStack(store, dying.tools, { stopGraceMs: 50 })
    const runId = await stack.start(blueprintOf('building', { plan: [create('disk'), create('host')] }))
    await untilEnded(store, runId)
    const undoing = await rollback(runId)
    await until(
      async () => dying.tools.calls.filter(({ tool }) => tool === 'remove').length,
      (calls) => calls === 1,
    )
    await stack.stop()
    const { removed, tools } = warehouse()
    stack = startRunStack(store, tools)
    await untilWaiting(store, undoing, 'WaitingForApproval')
    const decide = { ...deps(), standingOf: () => ({ roles: [], teams: [] }) }
    const request = { stepId: stepIdOf(undoing, 'undo_1', 1), decision: 'reject' as const, reason: null }
    await decideGate(decide, { ...request, input: null }, caller)
    expect(await untilEnded(store, undoing)).toMatchObject({ status: 'failed', error: { code: 'effect_unknown' } })
    // It failed at the first: both are left, and are undone by the next one.
    const again = await rollback(runId)
    expect(await untilEnded(store, again)).toMatchObject({ status: 'completed', outputs: { undone: ['host', 'disk'] } })
    expect(removed).toEqual(['id-host', 'id-disk'])
  })

  it('does not repeat what a former attempt undid, and is refused while a run goes on', async () => {
    const { removed, tools } = warehouse()
    let broken = true
    const flaky = functionTools({
      create: { run: ({ with: given }) => ({ id: `id-${String(given['name'])}` }) },
      remove: {
        run: (call, options) => {
          if (broken && call.with['id'] === 'id-disk') throw fail('SW_TOOL_FAILED', 'not now')
          return tools.run(call, options)
        },
      },
    })
    stack = startRunStack(store, flaky)
    const plan = [create('disk'), create('host'), { id: 'ask', kind: 'gate', mode: 'manual' }]
    const runId = await stack.start(blueprintOf('asking', { plan }))
    await untilWaiting(store, runId, 'WaitingForApproval')
    await expect(rollback(runId)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    const decide = { ...deps(), standingOf: () => ({ roles: [], teams: [] }) }
    const request = { stepId: stepIdOf(runId, 'ask', 1), decision: 'approve' as const, reason: null }
    await decideGate(decide, { ...request, input: null }, caller)
    await untilEnded(store, runId)
    expect(await untilEnded(store, await rollback(runId))).toMatchObject({ status: 'failed' })
    expect(removed).toEqual(['id-host'])
    broken = false
    expect(await untilEnded(store, await rollback(runId))).toMatchObject({ outputs: { undone: ['disk'] } })
    expect(removed).toEqual(['id-host', 'id-disk'])
  })
})
