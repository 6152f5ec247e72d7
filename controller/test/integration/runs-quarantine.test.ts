import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../../src/lib/json.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { listGates } from '../../src/store/queries/gates.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  startRunStack,
  storyOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

/** A tool that hangs the first `hangs` times it is called, which is when its process goes away. */
function hanging(hangs: number, idempotent = false) {
  let calls = 0
  return functionTools({
    act: { idempotent, run: () => (++calls <= hangs ? new Promise<Json>(() => {}) : { call: calls }) },
  })
}

describe('an effect whose outcome nobody knows', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  const acting = (more: object = {}) =>
    blueprintOf('acting', {
      plan: [
        { id: 'act', kind: 'action_task', action: 'act', with: { host: 'web-1' }, ...more },
        { id: 'end', kind: 'transform', expression: 'steps.act.output' },
      ],
      outputs: [{ name: 'said', value: '{{ steps.end.output }}' }],
    })
  const decide = (runId: string, decision: 'approve' | 'reject', input?: Json, attempt = 1) =>
    decideGate(
      { store, environmentOf, standingOf: () => ({ roles: [], teams: [] }), nudge: () => heir?.engine.nudge(runId) },
      { stepId: stepIdOf(runId, 'act', attempt), decision, reason: null, input },
      caller,
    )
  let heir: ReturnType<typeof startRunStack> | null = null

  /** A run whose process went away in the middle of the call, and which another one has taken over. */
  const quarantined = async (blueprint = acting(), hangs = 1) => {
    const tools = hanging(hangs)
    const stack = startRunStack(store, tools, { stopGraceMs: 50 })
    const runId = await stack.start(blueprint)
    await until(
      async () => tools.calls.length,
      (calls) => calls === 1,
    )
    await stack.stop()
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'intent' }])
    heir = startRunStack(store, tools, { stopGraceMs: 50 })
    const run = await untilWaiting(store, runId, 'WaitingForApproval')
    // Its time stands still: that nobody decides is no reason to fail.
    expect(run.deadline).toBeNull()
    return { runId, tools, end: () => heir!.stop() }
  }

  it('waits at a gate that tells what is known, and asks for an answer', async () => {
    const { runId, end } = await quarantined()
    const [effect] = await effectsOfRuns(store.reader, [runId])
    expect(effect).toMatchObject({ state: 'quarantined', operation_id: `${runId}/act/1`, ended_at: null })
    expect(await listGates(store.reader, { runId, limit: 2 })).toMatchObject([
      { mode: 'quarantine', state: 'waiting', input_schema: { required: ['answer'] } },
    ])
    const [step] = await stepsOfRuns(store.reader, [runId])
    expect(step).toMatchObject({
      status: 'running',
      inputs: { host: 'web-1' },
      condition: {
        effect: {
          operation_id: `${runId}/act/1`,
          tool: 'act',
          request_digest: effect!.request_digest,
          intended_at: effect!.created_at.toISOString(),
        },
      },
    })
    for (const input of [undefined, {}, { answer: 'perhaps' }, { answer: 'done', more: 1 }])
      await expect(decide(runId, 'approve', input)).rejects.toMatchObject({ ref: 'SW_GATE_INPUT' })
    await decide(runId, 'reject')
    await untilEnded(store, runId)
    await end()
  })

  it('is done when a person says so, with the output that is given', async () => {
    const { runId, tools, end } = await quarantined()
    await decide(runId, 'approve', { answer: 'done', output: { by: 'hand' } })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { said: { by: 'hand' } } })
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'succeeded' }])
    expect(tools.calls).toHaveLength(1)
    await end()
  })

  it('is tried again when a person says so, as an operation of its own', async () => {
    const { runId, tools, end } = await quarantined()
    await decide(runId, 'approve', { answer: 'retry' })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { said: { call: 2 } } })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/act/1`, `${runId}/act/2`])
    expect(tools.calls[1]!.with).toEqual({ host: 'web-1' })
    const effects = await effectsOfRuns(store.reader, [runId])
    expect(effects.sort((a, b) => a.attempt - b.attempt)).toMatchObject([
      { attempt: 1, state: 'quarantined', ended_at: expect.any(Date) },
      { attempt: 2, state: 'succeeded' },
    ])
    const steps = (await stepsOfRuns(store.reader, [runId])).filter(({ path }) => path === 'act')
    expect(steps).toMatchObject([
      { attempt: 1, status: 'failed', error: { code: 'effect_unknown' } },
      { attempt: 2, status: 'completed' },
    ])
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started act',
      'gate.opened act',
      'step.quarantined act',
      'gate.approved act',
      'step.retried act',
      'step.started act',
      'step.completed act',
      'step.completed end',
      'completed',
    ])
    await end()
  })

  it('can go into quarantine again, with a gate of its own', async () => {
    const { runId, tools, end } = await quarantined(acting(), 2)
    await decide(runId, 'approve', { answer: 'retry' })
    await until(
      async () => tools.calls.length,
      (calls) => calls === 2,
    )
    await end()
    heir = startRunStack(store, tools)
    await untilWaiting(store, runId, 'WaitingForApproval')
    expect(await listGates(store.reader, { runId, limit: 3 })).toMatchObject([
      { state: 'approved' },
      { state: 'waiting', gate_id: stepIdOf(runId, 'act', 2) },
    ])
    await decide(runId, 'approve', { answer: 'done' }, 2)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed', outputs: { said: null } })
    await heir.stop()
  })

  it('fails its step when a person gives it up, though the step would be tried again', async () => {
    const { runId, tools, end } = await quarantined(
      acting({ retry: { maxAttempts: 3, retryIf: 'true', backoff: '1ms' } }),
    )
    await decide(runId, 'reject')
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'effect_unknown' } })
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'failed' }])
    expect(tools.calls).toHaveLength(1)
    await end()
  })

  it('is called again unasked only when the tool was idempotent when it was called and still is', async () => {
    for (const [before, now, state] of [
      [true, true, 'succeeded'],
      [true, false, 'quarantined'],
      [false, true, 'quarantined'],
    ] as const) {
      const first = hanging(1, before)
      const stack = startRunStack(store, first, { stopGraceMs: 50 })
      const runId = await stack.start(acting())
      await until(
        async () => first.calls.length,
        (calls) => calls === 1,
      )
      await stack.stop()
      const second = hanging(0, now)
      heir = startRunStack(store, second)
      if (state === 'succeeded') await untilEnded(store, runId)
      else await untilWaiting(store, runId, 'WaitingForApproval')
      expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state, operation_id: `${runId}/act/1` }])
      expect(second.calls).toHaveLength(state === 'succeeded' ? 1 : 0)
      if (state === 'quarantined') {
        await decide(runId, 'reject')
        await untilEnded(store, runId)
      }
      await heir.stop()
    }
  })
})
