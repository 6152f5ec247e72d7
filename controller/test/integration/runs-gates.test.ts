import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cancelRun } from '../../src/runs/cancel.ts'
import { type DecisionRequest, decideGate } from '../../src/runs/gates/decide-gate.ts'
import { approvalsOf, listGates } from '../../src/store/queries/gates.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import {
  blueprintOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  statusesOf,
  storyOf,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const standingOf = (actor: string) => ({
  roles: actor === 'user:olga' ? ['operator', 'viewer'] : ['viewer'],
  teams: actor === 'user:mia' ? ['sre'] : [],
})

describe('a gate', () => {
  let store: TestStore
  let stack: RunStack
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterEach(() => stack.stop())
  afterAll(() => store.end())

  const gated = (gate: object = {}, limits: object = {}) =>
    blueprintOf('gated', {
      limits: { ...limits },
      plan: [
        { id: 'approve', kind: 'gate', mode: 'manual', message: 'Restart it, {{ run.actor }}?', ...gate },
        { id: 'after', kind: 'transform', expression: 'steps.approve.output' },
      ],
      outputs: [{ name: 'said', value: '{{ steps.after.output }}' }],
    })
  const decide = (request: Partial<DecisionRequest> & { stepId: string }, actor = 'user:olga') =>
    decideGate(
      { store, environmentOf, standingOf, nudge: (runId) => stack.engine.nudge(runId) },
      { decision: 'approve', reason: null, input: undefined, ...request },
      { actor, correlationId: 'c-decide' },
    )
  const waiting = async (blueprint = gated()) => {
    stack = startRunStack(store, functionTools({}))
    const runId = await stack.start(blueprint)
    await untilWaiting(store, runId, 'WaitingForApproval')
    return { runId, stepId: stepIdOf(runId, 'approve', 1) }
  }

  it('is decided once by a request that comes again because its answer was lost', async () => {
    const { runId, stepId } = await waiting()
    const again = () =>
      decideGate(
        { store, environmentOf, standingOf, nudge: (id) => stack.engine.nudge(id) },
        { stepId, decision: 'approve', reason: null, input: undefined },
        { actor: 'user:olga', correlationId: 'c-decide', operation: '0196a5c8-0000-7000-8000-0000000000aa' },
      )
    await again()
    await again()
    await untilEnded(store, runId)
    await again()
    await expect(decide({ stepId })).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    expect(await approvalsOf(store.reader, stepId)).toHaveLength(1)
  })

  it('waits without an owner, tells what it asks, and lets the run go on when it is approved', async () => {
    const { runId, stepId } = await waiting()
    expect(stack.engine.activeRuns()).toBe(0)
    expect(await statusesOf(store, runId)).toEqual({ approve: 'running' })
    expect(await listGates(store.reader, { runId, state: 'waiting', limit: 10 })).toMatchObject([
      {
        gate_id: stepId,
        step: 'approve',
        blueprint: 'gated',
        message: 'Restart it, user:ada?',
        min_approvals: 1,
        decisions: [],
      },
    ])
    await decide({ stepId, reason: 'go', input: { window: 'now' } })
    const run = await untilEnded(store, runId)
    const said = {
      decision: 'approved',
      actor: 'user:olga',
      reason: 'go',
      input: { window: 'now' },
      approvers: ['user:olga'],
    }
    expect(run).toMatchObject({ status: 'completed', outputs: { said }, condition: null })
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started approve',
      'gate.opened approve',
      'gate.approved approve',
      'step.completed approve',
      'step.completed after',
      'completed',
    ])
    expect(await listGates(store.reader, { runId, limit: 10 })).toMatchObject([
      { state: 'approved', decisions: [{ actor: 'user:olga', reason: 'go' }] },
    ])
  })

  it('fails the run when it is rejected, with the reason', async () => {
    const { runId, stepId } = await waiting()
    await decide({ stepId, decision: 'reject', reason: 'not on a Friday' })
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({ status: 'failed', error: { code: 'gate_rejected', category: 'gate' } })
    expect(String(run.error!['message'])).toContain('not on a Friday')
    expect(await statusesOf(store, runId)).toEqual({ approve: 'failed', after: 'skipped' })
  })

  it('takes the first decision and answers every later one with a conflict', async () => {
    const { runId, stepId } = await waiting()
    const answers = await Promise.allSettled([
      decide({ stepId }, 'user:a'),
      decide({ stepId, decision: 'reject' }, 'user:b'),
      decide({ stepId }, 'user:c'),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'conflict' })
    await untilEnded(store, runId)
    await expect(decide({ stepId }, 'user:d')).rejects.toMatchObject({ code: 'conflict' })
    expect(await approvalsOf(store.reader, stepId)).toHaveLength(1)
  })

  it('asks for as many approvals as it says, each from somebody else', async () => {
    const { runId, stepId } = await waiting(gated({ min: 2 }))
    await decide({ stepId }, 'user:a')
    await expect(decide({ stepId }, 'user:a')).rejects.toMatchObject({ code: 'conflict' })
    expect(await statusesOf(store, runId)).toEqual({ approve: 'running' })
    await decide({ stepId }, 'user:b')
    const run = await untilEnded(store, runId)
    expect(run.outputs).toMatchObject({ said: { approvers: ['user:a', 'user:b'] } })
  })

  it('records a decision and its message together or not at all, and the run hears of it either way', async () => {
    const { runId, stepId } = await waiting()
    const dying = (at: string) =>
      decideGate(
        {
          store,
          environmentOf,
          standingOf,
          nudge: () => {},
          crashPoint: (name) => {
            if (name === at) throw new Error('the process dies')
          },
        },
        { stepId, decision: 'approve', reason: null, input: undefined },
        { actor: 'user:olga', correlationId: 'c' },
      )
    await expect(dying('gate.before_commit')).rejects.toThrow('dies')
    expect(await approvalsOf(store.reader, stepId)).toEqual([])
    await expect(dying('gate.after_commit')).rejects.toThrow('dies')
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
  })

  it('counts neither agents nor people it does not ask for', async () => {
    const { stepId } = await waiting(gated({ approvers: ['role:operator', 'principal:user:paul'] }))
    await expect(decide({ stepId }, 'agent:default/sre')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(decide({ stepId }, 'user:victor')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(decide({ stepId: '01900000-0000-7000-8000-000000000000' })).rejects.toMatchObject({
      code: 'not_found',
    })
    await decide({ stepId }, 'user:paul')
  })

  it('takes people by their names, with and without the word that says what they are', async () => {
    for (const [approver, actor] of [
      ['user:paul', 'user:paul'],
      ['principal:paul', 'user:paul'],
      ['team:sre', 'user:mia'],
    ] as const) {
      const { runId, stepId } = await waiting(gated({ approvers: [approver] }))
      await expect(decide({ stepId }, 'user:victor')).rejects.toMatchObject({ code: 'forbidden' })
      await decide({ stepId }, actor)
      expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
      await stack.stop()
    }
  })

  it('may ask for somebody other than who started the run', async () => {
    const { runId, stepId } = await waiting(gated({ selfApproval: 'deny' }))
    await expect(decide({ stepId }, 'user:ada')).rejects.toMatchObject({ code: 'forbidden' })
    await decide({ stepId }, 'user:olga')
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    const rejected = await waiting(gated({ selfApproval: 'deny' }))
    await decide({ stepId: rejected.stepId, decision: 'reject' }, 'user:ada')
    expect(await untilEnded(store, rejected.runId)).toMatchObject({ status: 'failed' })
  })

  it('may ask for an answer, which is the output of the step once it fits', async () => {
    const inputSchema = { type: 'object', required: ['window'], properties: { window: { enum: ['now', 'tonight'] } } }
    const { runId, stepId } = await waiting(gated({ inputSchema }))
    expect(await listGates(store.reader, { runId, limit: 10 })).toMatchObject([{ input_schema: inputSchema }])
    await expect(decide({ stepId })).rejects.toMatchObject({
      code: 'invalid_gate_input',
      status: 400,
      details: { violations: [{ path: 'body/input' }] },
    })
    await expect(decide({ stepId, input: { window: 'never' } })).rejects.toMatchObject({
      code: 'invalid_gate_input',
      details: { violations: [{ path: 'body/input/window', message: 'must be one of "now", "tonight"' }] },
    })
    expect(await approvalsOf(store.reader, stepId)).toEqual([])
    await decide({ stepId, input: { window: 'tonight' } })
    expect(await untilEnded(store, runId)).toMatchObject({ outputs: { said: { window: 'tonight' } } })
    expect(await approvalsOf(store.reader, stepId)).toMatchObject([{ input: { window: 'tonight' } }])
  })

  it('needs no answer to be rejected', async () => {
    const { runId, stepId } = await waiting(gated({ inputSchema: { type: 'string' } }))
    await decide({ stepId, decision: 'reject' })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'gate_rejected' } })
  })

  it('of mode policy is denied at once when no policy is about it, and says so', async () => {
    stack = startRunStack(store, functionTools({}))
    const runId = await stack.start(gated({ mode: 'policy' }))
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({ status: 'failed', error: { code: 'gate_rejected' } })
    expect(String(run.error!['message'])).toContain('no policy is about it')
    expect(await listGates(store.reader, { runId, limit: 10 })).toMatchObject([
      { mode: 'policy', state: 'rejected', decisions: [] },
    ])
    expect(await storyOf(store, runId)).toEqual([
      'created',
      'started',
      'step.started approve',
      'gate.opened approve',
      'gate.rejected approve',
      'step.failed approve',
      'step.skipped after',
      'failed',
    ])
    await expect(decide({ stepId: stepIdOf(runId, 'approve', 1) })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is rejected, or approved, by itself when nobody decides in time', async () => {
    stack = startRunStack(store, functionTools({}))
    const rejected = await stack.start(gated({ timeout: '40ms', onTimeout: 'reject' }))
    const approved = await stack.start(gated({ timeout: '40ms', onTimeout: 'approve' }))
    expect(await untilEnded(store, rejected)).toMatchObject({ status: 'failed', error: { code: 'gate_expired' } })
    expect(await untilEnded(store, approved)).toMatchObject({
      status: 'completed',
      outputs: { said: { decision: 'approved', actor: null } },
    })
    expect(await storyOf(store, rejected)).toContain('gate.expired approve')
  })

  it('does not use up the time of the run', async () => {
    const { runId, stepId } = await waiting(gated({}, { timeout: '80ms' }))
    await new Promise((resolve) => setTimeout(resolve, 150))
    await decide({ stepId })
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
  })

  it('is closed when the run is cancelled while it waits', async () => {
    const { runId, stepId } = await waiting()
    const cancel = { store, environmentOf, nudge: (id: string) => stack.engine.nudge(id) }
    await cancelRun(cancel, { runId, reason: 'wrong host' }, { actor: 'user:olga', correlationId: 'c' })
    const run = await untilEnded(store, runId)
    expect(run).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled', message: 'user:olga cancelled the run: wrong host' },
    })
    expect(await statusesOf(store, runId)).toEqual({ approve: 'failed', after: 'skipped' })
    expect((await stepsOfRuns(store.reader, [runId])).find(({ path }) => path === 'approve')!.error).toMatchObject({
      code: 'cancelled',
    })
    await expect(decide({ stepId })).rejects.toMatchObject({ code: 'conflict', details: { state: 'cancelled' } })
    await cancelRun(cancel, { runId, reason: null }, { actor: 'user:olga', correlationId: 'c' })
  })
})
