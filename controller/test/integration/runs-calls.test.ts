import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compileBlueprint } from '../../src/blueprints/compile.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import type { AcceptedBlueprint } from '../../src/runs/ports.ts'
import { replayRun } from '../../src/runs/rebuild/replay.ts'
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

/** A blueprint that calls `inner` for its only step, with what else its spec has. */
function callingOf(inner: JsonObject, step: JsonObject, more: JsonObject = {}): AcceptedBlueprint {
  const place = () => null
  const called = compileBlueprint(
    { namespace: 'default', name: 'inner', spec: inner, place },
    { toolSchema: () => ({}) },
  )
  const spec = { plan: [{ id: 'call', kind: 'blueprint', ref: 'inner', ...step }], ...more }
  return blueprintOf('outer', spec, {}, { blueprint: (name) => (name === 'inner' ? called : null) })
}

const fixing: JsonObject = {
  inputs: [{ name: 'host', schema: { type: 'string' }, required: true }],
  plan: [
    { id: 'fix', kind: 'action_task', action: 'fix', with: { host: '{{ inputs.host }}' } },
    { id: 'note', kind: 'transform', expression: "inputs.host + ' ' + steps.fix.output" },
  ],
  outputs: [{ name: 'note', value: '{{ steps.note.output }}' }],
}
const HOST = { inputs: [{ name: 'host', schema: { type: 'string' }, default: 'web-1' }] }
const INPUTS = { inputs: { host: '{{ inputs.host }}' } }

describe('a call of a blueprint', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  it('runs its plan inside of the run, under paths of its own, and gives its outputs back', async () => {
    const tools = functionTools({ fix: { run: ({ with: given }) => `fixed ${String(given['host'])}` } })
    stack = startRunStack(store, tools)
    const outer = callingOf(fixing, INPUTS, {
      ...HOST,
      outputs: [{ name: 'said', value: '{{ steps.call.output.note }}' }],
    })
    const runId = await stack.start(outer)
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'completed',
      outputs: { said: 'web-1 fixed web-1' },
    })
    const steps = await stepsOfRuns(store.reader, [runId])
    expect(Object.fromEntries(steps.map(({ path, kind }) => [path, kind]))).toEqual({
      'call.fix': 'action_task',
      'call.note': 'transform',
      call: 'blueprint',
    })
    expect(steps.find(({ path }) => path === 'call')!.inputs).toMatchObject({
      blueprint: 'inner',
      plan_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      inputs: { host: 'web-1' },
    })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/call.fix/1`])
    const replay = await replayRun({ store, environmentOf, values: stack.values }, { runId, write: false }, caller)
    expect(replay.differences).toEqual([])
  })

  it('fails with what failed inside of it, down to the root', async () => {
    const broken = fail('SW_TOOL_FAILED', 'the host is gone', { cause: new Error('connect ECONNREFUSED') })
    stack = startRunStack(
      store,
      functionTools({
        fix: {
          run: () => {
            throw broken
          },
        },
      }),
    )
    const runId = await stack.start(callingOf(fixing, INPUTS, HOST))
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({
      status: 'failed',
      error: {
        code: 'tool_failed',
        category: 'tool',
        message: 'step call failed: step call.fix failed: the host is gone',
        cause: {
          code: 'tool_failed',
          message: 'step call.fix failed: the host is gone',
          cause: { code: 'tool_failed', message: 'the host is gone', cause: { message: 'connect ECONNREFUSED' } },
        },
      },
    })
    expect(await statusesOf(store, runId)).toEqual({ 'call.fix': 'failed', 'call.note': 'skipped', call: 'failed' })
  })

  it('refuses values that do not fit, when they are there', async () => {
    stack = startRunStack(store, functionTools({ fix: { run: () => '' } }))
    const dynamic = { id: 'give', kind: 'transform', expression: '{"host": 5}' }
    const outer = callingOf(
      fixing,
      {},
      {
        plan: [
          dynamic,
          { id: 'call', kind: 'blueprint', ref: 'inner', inputs: { host: '{{ steps.give.output.host }}' } },
        ],
      },
    )
    const run = await untilEnded(store, await stack.start(outer))
    expect(run).toMatchObject({ status: 'failed', error: { code: 'validation_failed', details: { step: 'call' } } })
  })

  it('goes on after a restart where it stood, in a loop too', async () => {
    const finish = new Map<string, (value: Json) => void>()
    const slow = functionTools({
      fix: { run: ({ with: given }) => new Promise((resolve) => finish.set(String(given['host']), resolve)) },
    })
    stack = startRunStack(store, slow, { stopGraceMs: 2000 })
    const asking = {
      ...fixing,
      plan: [
        ...(fixing['plan'] as JsonObject[]),
        { id: 'ok', kind: 'gate', mode: 'manual', message: '{{ inputs.host }}?' },
      ],
    }
    const outer = callingOf(
      asking,
      {},
      {
        plan: [
          {
            id: 'each',
            kind: 'foreach',
            items: "['a', 'b', 'c']",
            as: 'host',
            concurrency: 2,
            plan: [{ id: 'call', kind: 'blueprint', ref: 'inner', inputs: { host: '{{ host }}' } }],
          },
        ],
        outputs: [{ name: 'all', value: '{{ steps.each.output }}' }],
      },
    )
    const runId = await stack.start(outer)
    await until(
      async () => [...finish.keys()],
      (hosts) => hosts.length === 2,
    )
    const stopped = stack.stop()
    finish.get('b')!('by hand')
    finish.get('a')!('by hand')
    await stopped
    const tools = functionTools({ fix: { run: () => 'later' } })
    stack = startRunStack(store, tools)
    const decide = {
      store,
      environmentOf,
      standingOf: () => ({ roles: [], teams: [] }),
      nudge: (id: string) => stack.engine.nudge(id),
    }
    for (const host of ['b', 'a', 'c']) {
      const gates = await until(
        () => listGates(store.reader, { runId, state: 'waiting', limit: 10 }),
        (seen) => seen.some(({ message }) => message === `${host}?`),
      )
      const { gate_id } = gates.find(({ message }) => message === `${host}?`)!
      await decideGate(decide, { stepId: gate_id, decision: 'approve', reason: null, input: null }, caller)
    }
    expect(await untilEnded(store, runId)).toMatchObject({
      status: 'completed',
      outputs: { all: [{ note: 'a by hand' }, { note: 'b by hand' }, { note: 'c later' }] },
    })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/each[2].call.fix/1`])
  })

  it('ends with the run that is cancelled, and by its own timeout; what it calls is told', async () => {
    const aborted: string[] = []
    const hanging = functionTools({
      fix: {
        run: ({ with: given }, { signal }) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              aborted.push(String(given['host']))
              reject(signal.reason as Error)
            }),
          ),
      },
    })
    stack = startRunStack(store, hanging)
    const nudge = (id: string) => stack.engine.nudge(id)
    const cancelled = await stack.start(callingOf(fixing, INPUTS, HOST))
    await until(
      async () => hanging.calls.length,
      (calls) => calls === 1,
    )
    await cancelRun({ store, environmentOf, nudge }, { runId: cancelled, reason: null }, caller)
    expect(await untilEnded(store, cancelled)).toMatchObject({ status: 'cancelled' })
    expect(await statusesOf(store, cancelled)).toEqual({ 'call.fix': 'failed', 'call.note': 'skipped', call: 'failed' })
    const late = await stack.start(callingOf(fixing, { ...INPUTS, timeout: '50ms' }, HOST), { host: 'late' })
    expect(await untilEnded(store, late)).toMatchObject({
      status: 'failed',
      error: { code: 'deadline_exceeded', cause: { code: 'deadline_exceeded' } },
    })
    expect(aborted).toEqual(['web-1', 'late'])
    const gate = { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] }
    const waiting = await stack.start(callingOf(gate, { timeout: '50ms' }))
    expect(await untilEnded(store, waiting)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })
    const parked = await stack.start(callingOf(gate, {}))
    await untilWaiting(store, parked, 'WaitingForApproval')
    expect(await statusesOf(store, parked)).toEqual({ 'call.ok': 'running' })
  })
})
