import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RunBench } from '../../../test/support/run-bench.ts'
import { compileBlueprint } from '../../blueprints/compile.ts'
import type { CompileResult } from '../../blueprints/compile-result.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'

/** Random plans of every kind of step, moved by random happenings. */

const ended = ['completed', 'failed', 'cancelled']

const common = fc.record(
  {
    if: fc.constantFrom('true', 'false'),
    timeout: fc.constantFrom('1s', '5s'),
  },
  { requiredKeys: [] },
)
const retry = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  backoff: fc.constantFrom('1ms', '1s'),
  retryIf: fc.constantFrom('true', "error.category == 'tool'"),
})

const leaf = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('transform'), expression: fc.constantFrom('1', '[1, 2]', '1 / 0') }),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      { kind: fc.constant('action_task'), action: fc.constantFrom('tool', 'once'), with: fc.constant({ n: 1 }), retry },
      { requiredKeys: ['kind', 'action', 'with'] },
    ),
  },
  fc.record(
    { kind: fc.constant('agent_task'), agent: fc.constant('sre'), prompt: fc.constant('do it'), retry },
    { requiredKeys: ['kind', 'agent', 'prompt'] },
  ),
  fc.record({
    kind: fc.constant('gate'),
    mode: fc.constant('manual'),
    onTimeout: fc.constantFrom('approve', 'reject'),
  }),
  fc.record({ kind: fc.constant('wait'), event: fc.constant('x.y'), onTimeout: fc.constantFrom('fail', 'continue') }),
  fc.record({ kind: fc.constant('wait'), duration: fc.constantFrom('1ms', '2s') }),
)

/** Gives steps ids and needs of earlier ones. */
const planOf = (step: fc.Arbitrary<JsonObject>, most: number): fc.Arbitrary<JsonObject[]> =>
  fc
    .array(fc.tuple(step, common, fc.option(fc.array(fc.nat(9), { maxLength: 2 }), { nil: undefined })), {
      minLength: 1,
      maxLength: most,
    })
    .map((list) =>
      list.map(([own, more, needs], i) => {
        // A wait for time has no timeout.
        const { timeout, ...rest } = more
        const named = {
          ...own,
          ...rest,
          ...(own['duration'] === undefined && timeout !== undefined ? { timeout } : {}),
          id: `s${i}`,
        }
        const earlier = needs === undefined || i === 0 ? undefined : [...new Set(needs.map((n) => `s${n % i}`))]
        return (earlier === undefined ? named : { ...named, needs: earlier }) as JsonObject
      }),
    )

const renamed = (plan: readonly JsonObject[], prefix: string): JsonObject[] =>
  plan.map((step) => ({
    ...step,
    id: `${prefix}${String(step['id'])}`,
    ...(Array.isArray(step['needs']) ? { needs: step['needs'].map((id) => `${prefix}${String(id)}`) } : {}),
  }))

const call = fc.record({ kind: fc.constant('blueprint'), ref: fc.constantFrom('one', 'two') })
const loop = fc
  .record({
    items: fc.constantFrom('[]', '[1]', '[1, 2, 3]'),
    concurrency: fc.integer({ min: 1, max: 3 }),
    plan: planOf(fc.oneof({ weight: 3, arbitrary: leaf }, call) as fc.Arbitrary<JsonObject>, 2),
  })
  .map(({ plan, ...rest }) => ({ kind: 'foreach', ...rest, plan: renamed(plan, 'in_') }))
const anyStep = fc.oneof({ weight: 4, arbitrary: leaf }, loop, call) as fc.Arbitrary<JsonObject>

const place = () => null
const compiled = (name: string, plan: JsonObject[], called: ReadonlyMap<string, CompileResult>): CompileResult =>
  compileBlueprint(
    { namespace: 'default', name, place, spec: { limits: { timeout: '60s' }, plan } },
    { toolSchema: () => ({}), blueprint: (ref) => called.get(ref) ?? null },
  )

/** What may happen next; a number chooses among several, and how it ends. */
async function happen(bench: RunBench, choice: number, rng: number): Promise<void> {
  const gates = bench.waitingGates
  const tasks = [...bench.tasks.values()].filter(({ step_id }) => bench.steps.get(step_id)?.status === 'running')
  const waits = [...bench.waits.values()].filter(({ step_id }) => bench.steps.get(step_id)?.status === 'running')
  const due = bench.nextDue
  const possible: (() => void | Promise<void>)[] = [
    ...(bench.underWay > 0 ? [() => bench.finish(rng), () => bench.finish(rng)] : []),
    ...gates.map(({ path }) => () => {
      const kind = rng % 3 === 0 ? ('reject' as const) : ('approve' as const)
      bench.deliver({ kind, path, payload: { reason: null, input: null, approvers: ['user:ada'] } })
    }),
    ...tasks.map(({ path, task_id }) => () => {
      const error = { code: 'agent_failed', message: 'it failed', retryable: true }
      const result = rng % 3 === 0 ? { status: 'failed', error } : { status: 'completed', output: { n: rng } }
      bench.deliver({ kind: 'task_result', path, payload: { task_id, ...result } as never })
    }),
    ...waits.map(
      ({ path }) =>
        () =>
          bench.deliver({ kind: 'event', path, payload: { name: 'x.y' } }),
    ),
    ...(due === null ? [] : [() => bench.wait(due)]),
  ]
  // Nothing that could move it: then it would stay for ever.
  expect(possible.length, 'the run is stuck').toBeGreaterThan(0)
  await possible[choice % possible.length]!()
}

test('a run of any plan is never stuck, starts nothing too early, ends, and follows from its events', async () => {
  const counts: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(
      planOf(leaf as fc.Arbitrary<JsonObject>, 3),
      planOf(
        fc.oneof(
          { weight: 3, arbitrary: leaf },
          fc.record({ kind: fc.constant('blueprint'), ref: fc.constant('one') }),
        ) as fc.Arbitrary<JsonObject>,
        2,
      ),
      planOf(anyStep, 5),
      fc.infiniteStream(fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99))),
      async (first, second, plan, stream) => {
        const called = new Map([['one', compiled('one', first, new Map())]])
        called.set('two', compiled('two', second, called))
        const own = compiled('test', plan, called)
        if (!own.ok) throw new Error(JSON.stringify(own.problems))
        let fails = false
        const bench = new RunBench(own.plan, {}, () => {
          if (fails) throw fail('SW_TOOL_FAILED', 'it broke')
          return { n: 1 }
        })
        for (let turn = 0; !ended.includes(bench.run.status); turn++) {
          expect(turn, 'it does not end').toBeLessThan(400)
          const [what, choice, rng] = stream.next().value!
          fails = rng % 4 === 0
          if (what === 0) bench.deliver({ kind: 'cancel', path: null, payload: { reason: null } })
          else if (what < 15) bench.restart()
          if (ended.includes(bench.run.status)) break
          expect(bench.differences()).toEqual([])
          await happen(bench, choice, rng)
        }
        expect(bench.differences()).toEqual([])
        const open = [...bench.steps.values()].filter(({ status }) => status === 'created' || status === 'running')
        expect(open).toEqual([])
        expect(bench.waitingGates).toEqual([])
        counts[bench.run.status] = (counts[bench.run.status] ?? 0) + 1
      },
    ),
    { numRuns: 300 },
  )
  // All of the ends were met, else this shows little.
  expect(Object.keys(counts).sort()).toEqual([...ended].sort())
})
