import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { listGates } from '../../src/store/queries/gates.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const over = (loop: JsonObject, more: JsonObject = {}) =>
  blueprintOf('looping', {
    inputs: [{ name: 'hosts', schema: { type: 'array', items: { type: 'string' } }, required: true }],
    plan: [{ id: 'each', kind: 'foreach', items: 'inputs.hosts', as: 'host', ...loop }],
    outputs: [{ name: 'each', value: '{{ steps.each.output }}' }],
    ...more,
  })
const fix = { id: 'fix', kind: 'action_task', action: 'fix', with: { host: '{{ host }}', n: '{{ index }}' } }

describe('foreach', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  it('runs its plan for every item, a few at once, and gives the results in the order of the items', async () => {
    let inside = 0
    let most = 0
    const tools = functionTools({
      fix: {
        async run({ with: given }) {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, given['n'] === 0 ? 40 : 5))
          inside -= 1
          return `${String(given['host'])} fixed`
        },
      },
    })
    stack = startRunStack(store, tools)
    const runId = await stack.start(over({ concurrency: 2, plan: [fix] }), { hosts: ['a', 'b', 'c', 'd'] })
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { each: ['a fixed', 'b fixed', 'c fixed', 'd fixed'] },
    })
    expect(most).toBe(2)
    const steps = await stepsOfRuns(store.reader, [runId])
    expect(steps.map(({ path }) => path).sort()).toEqual([
      'each',
      'each[0].fix',
      'each[1].fix',
      'each[2].fix',
      'each[3].fix',
    ])
    expect(steps.find(({ path }) => path === 'each')).toMatchObject({ kind: 'foreach', inputs: { iterations: 4 } })
    expect(tools.calls.map(({ operationId }) => operationId)).toContain(`${runId}/each[3].fix/1`)
  })

  it('ends at once without items, and refuses more than it takes', async () => {
    stack = startRunStack(store, functionTools({ fix: { run: () => null } }))
    const none = await stack.start(over({ plan: [fix] }), { hosts: [] })
    expect(await untilEnded(store, none)).toMatchObject({ status: 'completed', outputs: { each: [] } })
    const many = await stack.start(over({ maxIterations: 2, plan: [fix] }), { hosts: ['a', 'b', 'c'] })
    expect(await untilEnded(store, many)).toMatchObject({
      status: 'failed',
      error: { code: 'max_iterations_exceeded', details: { items: 3, max_iterations: 2 } },
    })
    expect(await statusesOf(store, many)).toEqual({ each: 'failed' })
  })

  it('goes on after a restart where it stood: nothing that was recorded runs again', async () => {
    const finish = new Map<string, (value: Json) => void>()
    const slow = functionTools({
      fix: { run: ({ with: given }) => new Promise((resolve) => finish.set(String(given['host']), resolve)) },
    })
    stack = startRunStack(store, slow, { stopGraceMs: 2000 })
    const plan = [fix, { id: 'ok', kind: 'gate', mode: 'manual', message: 'is {{ host }} well?' }]
    const blueprint = over({ concurrency: 2, plan })
    const runId = await stack.start(blueprint, { hosts: ['a', 'b', 'c'] })
    await until(
      async () => [...finish.keys()],
      (hosts) => hosts.length === 2,
    )
    finish.get('b')!('done b')
    await until(
      () => listGates(store.reader, { runId, limit: 10 }),
      (gates) => gates.length === 1,
    )
    const stopped = stack.stop()
    finish.get('a')!('done a')
    await stopped
    const tools = functionTools({ fix: { run: ({ with: given }) => `later ${String(given['host'])}` } })
    stack = startRunStack(store, tools)
    const nudge = (id: string) => stack.engine.nudge(id)
    const decide = { store, environmentOf, standingOf: () => ({ roles: [], teams: [] }), nudge }
    for (const host of ['b', 'a', 'c']) {
      const gates = await until(
        () => listGates(store.reader, { runId, state: 'waiting', limit: 10 }),
        (seen) => seen.some(({ message }) => message === `is ${host} well?`),
      )
      const { gate_id } = gates.find(({ message }) => message === `is ${host} well?`)!
      const request = { stepId: gate_id, decision: 'approve' as const, reason: host, input: null }
      await decideGate(decide, request, caller)
    }
    const run = await untilEnded(store, runId)
    expect(run.status).toBe('completed')
    expect((run.outputs!['each'] as { reason: string }[]).map(({ reason }) => reason)).toEqual(['a', 'b', 'c'])
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/each[2].fix/1`])
  })

  it('is cancelled with its run, and ends when its time is over', async () => {
    stack = startRunStack(store, functionTools({}))
    const gate = { id: 'ok', kind: 'gate', mode: 'manual' }
    const cancelled = await stack.start(over({ concurrency: 2, plan: [gate] }), { hosts: ['a', 'b', 'c'] })
    await untilWaiting(store, cancelled, 'WaitingForApproval')
    const nudge = (id: string) => stack.engine.nudge(id)
    await cancelRun({ store, environmentOf, nudge }, { runId: cancelled, reason: null }, caller)
    expect(await untilEnded(store, cancelled)).toMatchObject({ status: 'cancelled' })
    expect(await statusesOf(store, cancelled)).toEqual({
      'each[0].ok': 'failed',
      'each[1].ok': 'failed',
      each: 'failed',
    })
    const late = await stack.start(over({ timeout: '50ms', plan: [gate] }), { hosts: ['a'] })
    expect(await untilEnded(store, late)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })
    expect(await statusesOf(store, late)).toEqual({ 'each[0].ok': 'failed', each: 'failed' })
  })
})
