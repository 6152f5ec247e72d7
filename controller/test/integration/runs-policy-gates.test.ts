import { afterAll, beforeAll, expect, it } from 'vitest'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { NO_POLICIES, type RunPolicies } from '../../src/runs/ports.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  environmentOf,
  functionTools,
  startRunStack,
  storyOf,
  until,
  untilEnded,
} from '../support/run-stack.ts'

let store: TestStore
beforeAll(async () => {
  store = await createTestStore()
})
afterAll(() => store.end())

const ASKING: RunPolicies = {
  ...NO_POLICIES,
  autonomy: () => ({
    approval: {
      kind: 'approval',
      by: 'autonomy',
      reason: 'it changes something',
      question: 'call act',
      approvals: [{ min: 1, fromAnyOf: [] }],
    },
    always: true,
  }),
}

it.each([
  ['that may not be repeated', false],
  ['that may be repeated', true],
])(
  'a call %s begins once when the gate in front of it is approved while nobody moves the run',
  async (_, idempotent) => {
    let calls = 0
    const tools = functionTools({
      act: {
        idempotent,
        run: () => {
          calls += 1
          return {}
        },
      },
    })
    const stack = startRunStack(store, tools, { policies: ASKING })
    const plan = [{ id: 'go', kind: 'action_task', action: 'act', with: {} }]
    const runId = await stack.start(blueprintOf(`asks-${idempotent}`, { plan: plan as never }))
    const [gate] = await until(
      () =>
        store.reader<{ step_id: string }[]>`SELECT step_id FROM gates WHERE run_id = ${runId} AND state = 'waiting'`,
      (rows) => rows.length === 1,
    )
    await decideGate(
      {
        store,
        environmentOf,
        standingOf: () => ({ roles: ['operator'], teams: [] }),
        nudge: (id) => stack.engine.nudge(id),
      },
      { stepId: gate!.step_id, decision: 'approve', reason: null, input: undefined },
      { actor: 'user:ada', correlationId: 'c' },
    )
    expect((await untilEnded(store, runId)).status).toBe('completed')
    expect(calls).toBe(1)
    expect(await storyOf(store, runId)).not.toContain('gate.opened go quarantine')
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'succeeded' }])
    expect(await store.reader`SELECT state FROM gates WHERE run_id = ${runId}`).toEqual([{ state: 'approved' }])
    await stack.stop()
  },
)
