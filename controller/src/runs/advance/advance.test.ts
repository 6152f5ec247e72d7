import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RunBench } from '../../../test/support/run-bench.ts'
import { compileBlueprint } from '../../blueprints/compile.ts'
import type { CompiledPlan } from '../../blueprints/compiled-plan.ts'
import type { Json, JsonObject } from '../../lib/json.ts'

function planOf(spec: JsonObject): CompiledPlan {
  const compiled = compileBlueprint(
    { namespace: 'default', name: 'test', spec, place: () => null },
    { toolSchema: () => ({}) },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  return compiled.plan
}

const looping = (concurrency: number) =>
  planOf({
    inputs: [{ name: 'list', schema: { type: 'array' }, required: true }],
    plan: [
      { id: 'first', kind: 'action_task', action: 'tool', with: { n: 1 } },
      {
        id: 'each',
        kind: 'foreach',
        items: 'inputs.list',
        as: 'thing',
        concurrency,
        plan: [
          { id: 'twice', kind: 'transform', expression: 'thing * 2 + steps.first.output' },
          { id: 'ask', kind: 'action_task', action: 'tool', if: 'thing != 3', with: { n: '{{ steps.twice.output }}' } },
          {
            id: 'sum',
            kind: 'transform',
            expression: "{'at': index, 'n': steps.ask.status == 'skipped' ? -1 : steps.ask.output}",
          },
        ],
      },
      { id: 'count', kind: 'transform', expression: 'size(steps.each.output)' },
    ],
    outputs: [
      { name: 'each', value: '{{ steps.each.output }}' },
      { name: 'count', value: '{{ steps.count.output }}' },
    ],
  })

const expected = (list: readonly number[]) => ({
  each: list.map((thing, at) => ({ at, n: thing === 3 ? -1 : thing * 2 + 1 })),
  count: list.length,
})

describe('a run with a loop', () => {
  const same = (_operation: string, given: JsonObject) => given['n'] as Json

  test('comes to the same whatever order its calls end in, and wherever its owner dies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant('die') })),
        async (list, concurrency, choices) => {
          const bench = new RunBench(looping(concurrency), { list }, same)
          const recorded = new Map<string, number>()
          for (let turn = 0; bench.run.status === 'running' && turn < 500; turn++) {
            expect(bench.underWay).toBeGreaterThan(0)
            expect(bench.underWay).toBeLessThanOrEqual(Math.max(1, concurrency))
            const choice = choices.next().value!
            if (choice === 'die') bench.restart()
            else await bench.finish(choice as number)
            for (const { operation_id, state } of bench.effects.values()) {
              const times = bench.called.filter((one) => one === operation_id).length
              // A recorded success is never asked for again.
              if (state === 'succeeded') expect(recorded.get(operation_id) ?? times).toBe(times)
              if (state === 'succeeded') recorded.set(operation_id, times)
            }
          }
          expect(bench.run).toMatchObject({ status: 'completed', outputs: expected(list) })
        },
      ),
      { numRuns: 200 },
    )
  })

  test('long lists are begun over several moves, each of them bounded', async () => {
    const plan = planOf({
      plan: [
        {
          id: 'each',
          kind: 'foreach',
          items: '[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, a)).map(a, size(a))',
          plan: [{ id: 'one', kind: 'transform', expression: 'index' }],
        },
      ],
      outputs: [{ name: 'all', value: '{{ steps.each.output }}' }],
    })
    const bench = new RunBench(plan, {}, same)
    expect(bench.run).toMatchObject({ status: 'completed', outputs: { all: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } })
    const list = Array.from({ length: 2500 }, (_, i) => i)
    const long = planOf({
      inputs: [{ name: 'list', schema: { type: 'array' }, required: true }],
      plan: [
        {
          id: 'each',
          kind: 'foreach',
          items: 'inputs.list',
          plan: [{ id: 'one', kind: 'transform', expression: 'item' }],
        },
      ],
      outputs: [{ name: 'all', value: '{{ steps.each.output }}' }],
    })
    const done = new RunBench(long, { list }, same)
    expect(done.run).toMatchObject({ status: 'completed', outputs: { all: list } })
    expect(done.steps.size).toBe(2501)
  })

  test('a failure fails the loop, skips what had begun and begins nothing more', async () => {
    const bench = new RunBench(looping(2), { list: [1, 2, 4, 5] }, (operation, given) => {
      if (operation.includes('each[1]')) throw new Error('no')
      return given['n'] as Json
    })
    await bench.finish(0)
    expect(bench.underWay).toBe(2)
    await bench.finish(1)
    // The other call is waited for: its effect takes place whether we look or not.
    expect(bench.run.status).toBe('running')
    await bench.finish(0)
    expect(bench.run).toMatchObject({
      status: 'failed',
      error: { message: 'step each failed: step each[1].ask failed: no', details: { step: 'each' } },
    })
    const statuses = Object.fromEntries([...bench.steps.values()].map(({ path, status }) => [path, status]))
    expect(statuses).toEqual({
      first: 'completed',
      'each[0].twice': 'completed',
      'each[0].ask': 'completed',
      'each[0].sum': 'skipped',
      'each[1].twice': 'completed',
      'each[1].ask': 'failed',
      'each[1].sum': 'skipped',
      each: 'failed',
      count: 'skipped',
    })
  })
})
