import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunBench } from '../../../test/support/run-bench.ts'
import { compileBlueprint } from '../../blueprints/compile.ts'
import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { PolicyAnswer, PolicyQuestion, RunPolicies } from '../ports.ts'

function planOf(plan: JsonObject[], outputs: JsonObject[] = []): CompiledPlan {
  const compiled = compileBlueprint(
    { namespace: 'default', name: 'test', spec: { plan, outputs }, place: () => null },
    { toolSchema: () => ({}) },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  return compiled.plan
}

const ask = (...fromAnyOf: string[][]): PolicyAnswer => ({
  kind: 'approval',
  by: 'policy default/p (version 1), rule r',
  reason: 'needs an approval',
  question: 'call it',
  approvals: fromAnyOf.map((names) => ({ min: 1, fromAnyOf: names })),
})
const DENY: PolicyAnswer = {
  kind: 'deny',
  action: 'tool',
  by: 'policy default/p (version 1), rule r',
  reason: 'the rule denies it',
  details: { policy: 'default/p', version: 1, rule: 'r', decision_id: null },
}

/** Policies that answer by action and step. */
const policies = (answer: (question: PolicyQuestion) => PolicyAnswer | undefined): RunPolicies => ({
  asks: () => true,
  ask: (_run, question) => ({ answer: answer(question) ?? { kind: 'allow', by: null }, record: null }),
  meets: ({ min, fromAnyOf }, _namespace, approvers) =>
    approvers.filter((one) => fromAnyOf.length === 0 || fromAnyOf.includes(one)).length >= min,
  autonomy: () => null,
})

const same = (_operation: string, given: JsonObject) => given['n'] as Json
const approve = (path: string) => ({ kind: 'approve' as const, path, payload: {} })
const reject = (path: string) => ({ kind: 'reject' as const, path, payload: { reason: 'no' } })

const ONE = planOf([{ id: 'fix', kind: 'action_task', action: 'tool', with: { n: 1 } }])

describe('policies about a call of a tool', () => {
  it('that deny it fail the step by their name, and nothing is called', () => {
    const run = new RunBench(
      ONE,
      {},
      same,
      policies(({ point }) => (point === 'tool_call' ? DENY : undefined)),
    )
    expect(run.run.status).toBe('failed')
    expect(run.run.error).toMatchObject({
      cause: { code: 'policy_denied', category: 'policy', details: { policy: 'default/p', version: 1, rule: 'r' } },
    })
    expect(run.called).toEqual([])
    expect(run.differences()).toEqual([])
  })

  it('that ask for approvals open gates in front of it, one after the other', async () => {
    const asking = ask(['team:a'], ['team:b'])
    const run = new RunBench(
      ONE,
      {},
      same,
      policies(({ point }) => (point === 'tool_call' ? asking : undefined)),
    )
    expect(run.waitingGates).toMatchObject([{ path: 'fix', mode: 'policy', approvers: ['team:a'] }])
    run.restart()
    run.deliver(approve('fix'))
    expect(run.underWay).toBe(0)
    expect(run.waitingGates).toMatchObject([{ path: 'fix', approvers: ['team:b'] }])
    run.restart()
    run.deliver(approve('fix'))
    expect(run.waitingGates).toEqual([])
    await run.finish(0)
    expect(run.run.status).toBe('completed')
    expect(run.called).toHaveLength(1)
    expect(run.differences()).toEqual([])
  })

  it('that ask are answered with a rejection: the step fails', () => {
    const run = new RunBench(
      ONE,
      {},
      same,
      policies(({ point }) => (point === 'tool_call' ? ask([]) : undefined)),
    )
    run.deliver(reject('fix'))
    expect(run.run).toMatchObject({ status: 'failed', error: { cause: { code: 'gate_rejected' } } })
    expect(run.called).toEqual([])
    expect(run.differences()).toEqual([])
  })

  it('leave room for the quarantine of the same attempt', async () => {
    const plan = planOf([{ id: 'fix', kind: 'action_task', action: 'once', with: { n: 1 } }])
    const run = new RunBench(
      plan,
      {},
      same,
      policies(({ point }) => (point === 'tool_call' ? ask([]) : undefined)),
    )
    run.deliver(approve('fix'))
    run.restart()
    expect(run.waitingGates).toMatchObject([{ path: 'fix', mode: 'quarantine' }])
    expect(run.gates.size).toBe(2)
    run.deliver({ kind: 'approve', path: 'fix', payload: { input: { answer: 'done', output: 7 } } })
    expect(run.run.status).toBe('completed')
    expect(run.differences()).toEqual([])
  })
})

describe('approvals that were given before', () => {
  const GATED = planOf([
    { id: 'ok', kind: 'gate', mode: 'manual' },
    { id: 'fix', kind: 'action_task', action: 'tool', with: { n: 1 } },
  ])
  const asking = (...names: string[]) => policies(({ point }) => (point === 'tool_call' ? ask(names) : undefined))
  const approvedFor = (names: string[]) => {
    const run = new RunBench(GATED, {}, same, asking(...names))
    run.deliver({ kind: 'approve', path: 'ok', payload: { approvers: ['user:ada'] } })
    return run
  }

  it('count when those gave them at a gate above who are asked for', () => {
    expect(approvedFor(['user:ada']).underWay).toBe(1)
    expect(approvedFor([]).underWay).toBe(1)
  })

  it('do not count when others gave them', () => {
    expect(approvedFor(['role:OwnerAdmin']).waitingGates).toMatchObject([{ path: 'fix', mode: 'policy' }])
  })

  it('do not count where autonomy always asks', () => {
    const approval = ask([])
    const always = { ...asking(), autonomy: () => ({ approval, always: true }) as never }
    const run = new RunBench(GATED, {}, same, always)
    run.deliver({ kind: 'approve', path: 'ok', payload: { approvers: ['user:ada'] } })
    expect(run.waitingGates).toMatchObject([{ path: 'fix', mode: 'policy' }])
  })
})

describe('a gate of mode policy', () => {
  const GATE = planOf([{ id: 'ok', kind: 'gate', mode: 'policy' }])
  const run = (answer: PolicyAnswer) =>
    new RunBench(
      GATE,
      {},
      same,
      policies(({ action }) => (action === 'gate.ok' ? answer : undefined)),
    )

  it('opens when a policy allows it', () => {
    expect(run({ kind: 'allow', by: 'policy default/p (version 1), rule r' }).run.status).toBe('completed')
  })

  it('is denied when no policy is about it, and when there are none', () => {
    expect(run({ kind: 'allow', by: null }).run).toMatchObject({ status: 'failed', error: { code: 'gate_rejected' } })
    expect(new RunBench(GATE, {}, same).run).toMatchObject({ status: 'failed', error: { code: 'gate_rejected' } })
  })

  it('fails by the name of the policy that denies it', () => {
    expect(run(DENY).run).toMatchObject({ status: 'failed', error: { code: 'policy_denied' } })
  })

  it('asks those whom a policy asks', () => {
    const asking = run(ask(['team:a']))
    expect(asking.waitingGates).toMatchObject([{ path: 'ok', approvers: ['team:a'] }])
    asking.restart()
    asking.deliver(approve('ok'))
    expect(asking.run.status).toBe('completed')
    expect(asking.differences()).toEqual([])
  })
})

describe('policies about the start of a run', () => {
  const TWO = planOf([
    { id: 'a', kind: 'action_task', action: 'tool', with: { n: 1 }, needs: [] },
    { id: 'b', kind: 'action_task', action: 'tool', with: { n: 2 }, needs: [] },
    { id: 'ok', kind: 'gate', mode: 'manual', needs: ['a', 'b'] },
  ])

  it('that deny it fail the run before any step', () => {
    const run = new RunBench(
      TWO,
      {},
      same,
      policies(({ point }) => (point === 'run_admission' ? DENY : undefined)),
    )
    expect(run.run).toMatchObject({ status: 'failed', error: { code: 'policy_denied' } })
    expect([...run.steps.values()].map(({ status }) => status)).toEqual(['skipped', 'skipped', 'skipped'])
    expect(run.differences()).toEqual([])
  })

  it('that ask for an approval open one gate, and all first steps wait for it', () => {
    const run = new RunBench(
      TWO,
      {},
      same,
      policies(({ point }) => (point === 'run_admission' ? ask([]) : undefined)),
    )
    expect(run.waitingGates).toMatchObject([{ path: 'a', mode: 'policy' }])
    run.restart()
    run.deliver(approve('a'))
    expect(run.underWay).toBe(2)
    expect(run.differences()).toEqual([])
  })

  it('that ask for an approval stand also in front of a gate of the plan', () => {
    const plan = planOf([{ id: 'ok', kind: 'gate', mode: 'manual' }])
    const run = new RunBench(
      plan,
      {},
      same,
      policies(({ point }) => (point === 'run_admission' ? ask(['team:a']) : undefined)),
    )
    expect(run.waitingGates).toMatchObject([{ path: 'ok', mode: 'policy', approvers: ['team:a'] }])
    run.deliver(approve('ok'))
    expect(run.waitingGates).toMatchObject([{ path: 'ok', mode: 'manual' }])
    run.restart()
    run.deliver(approve('ok'))
    expect(run.run.status).toBe('completed')
    expect(run.differences()).toEqual([])
  })
})

describe('any steps that policies hold, loops and calls too', () => {
  const PLAN = planOf(
    [
      { id: 'first', kind: 'action_task', action: 'tool', with: { n: 1 } },
      {
        id: 'each',
        kind: 'foreach',
        items: '[1, 2]',
        as: 'thing',
        concurrency: 2,
        plan: [
          { id: 'call', kind: 'action_task', action: 'tool', with: { n: '{{ thing }}' } },
          { id: 'twice', kind: 'transform', expression: 'steps.call.output * 2' },
        ],
      },
      { id: 'sum', kind: 'transform', expression: 'steps.each.output[0] + steps.each.output[1] + steps.first.output' },
    ],
    [{ name: 'sum', value: '{{ steps.sum.output }}' }],
  )
  const ACTIONS = ['step.action_task', 'step.foreach', 'step.transform', 'tool', 'run.start']

  it('come to the same when everything is approved, wherever the owner dies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(ACTIONS),
        fc.infiniteStream(fc.oneof({ weight: 3, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant('die') })),
        async (held, choices) => {
          const run = new RunBench(
            PLAN,
            {},
            same,
            policies(({ action }) => (held.includes(action) ? ask([]) : undefined)),
          )
          for (let moves = 0; run.run.status === 'running' && moves < 200; moves++) {
            const choice = choices.next().value!
            if (choice === 'die') run.restart()
            else if (run.waitingGates.length > 0 && (run.underWay === 0 || Number(choice) % 2 === 0))
              run.deliver(approve(run.waitingGates[Number(choice) % run.waitingGates.length]!.path))
            else if (run.underWay > 0) await run.finish(Number(choice))
          }
          expect(run.run).toMatchObject({ status: 'completed', outputs: { sum: 7 } })
          expect(run.differences()).toEqual([])
        },
      ),
    )
  })
})
