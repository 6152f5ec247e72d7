import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import type { StepStatus } from '../../store/journal.ts'
import { nextSteps, notStarted } from './scheduler.ts'

function step(id: string, waitsFor: readonly string[] = []): CompiledStep {
  return { id, name: id, kind: 'transform', waitsFor, if: null, timeoutMs: null, place: null, expression: '1' }
}

const progressOf = (statuses: Record<string, StepStatus>) =>
  new Map(Object.entries(statuses).map(([id, status]) => [id, { status }]))
const ids = (steps: readonly CompiledStep[]) => steps.map(({ id }) => id)

describe('what a run does next', () => {
  const diamond = { steps: [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])] }

  it('starts what waits for nothing', () => {
    expect(ids(nextSteps(diamond, new Map()).ready)).toEqual(['a'])
  })

  it('counts a skipped step like a completed one', () => {
    const next = nextSteps(diamond, progressOf({ a: 'completed', b: 'skipped', c: 'completed' }))
    expect(ids(next.ready)).toEqual(['d'])
  })

  it('waits for every needed step', () => {
    const next = nextSteps(diamond, progressOf({ a: 'completed', b: 'completed', c: 'running' }))
    expect(ids(next.ready)).toEqual([])
    expect(ids(next.running)).toEqual(['c'])
    expect(next.ended).toBe(false)
  })

  it('starts nothing after a failure and ends when nothing runs any more', () => {
    const during = nextSteps(diamond, progressOf({ a: 'completed', b: 'failed', c: 'running' }))
    expect(during).toMatchObject({ ready: [], ended: false, failed: { id: 'b' } })
    expect(nextSteps(diamond, progressOf({ a: 'completed', b: 'failed', c: 'completed' }))).toMatchObject({
      ready: [],
      ended: true,
    })
    expect(ids(notStarted(diamond, progressOf({ a: 'completed', b: 'failed', c: 'completed' })))).toEqual(['d'])
  })

  it('ends a plan without steps at once', () => {
    expect(nextSteps({ steps: [] }, new Map())).toEqual({ ready: [], running: [], failed: null, ended: true })
  })
})

/** Any plan whose steps wait for earlier ones only, and for each step how it would end. */
const planAndEnds = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.record({
      waits: fc.tuple(
        ...Array.from({ length: size }, (_, i) =>
          fc.uniqueArray(fc.nat({ max: Math.max(0, i - 1) }), { maxLength: i }),
        ),
      ),
      ends: fc.array(fc.constantFrom<StepStatus>('completed', 'completed', 'completed', 'skipped', 'failed'), {
        minLength: size,
        maxLength: size,
      }),
      order: fc.infiniteStream(fc.nat()),
    }),
  )
  .map(({ waits, ends, order }) => ({
    plan: { steps: waits.map((list, i) => step(`s${i}`, i === 0 ? [] : list.map((j) => `s${j}`))) },
    ends: new Map(ends.map((end, i) => [`s${i}`, end])),
    order,
  }))

describe('a run that follows it, whatever the plan and the order in which steps end', () => {
  it('always ends, starts each step at most once, and never before what it waits for has passed', () => {
    fc.assert(
      fc.property(planAndEnds, ({ plan, ends, order }) => {
        const progress = new Map<string, { status: StepStatus }>()
        const started: string[] = []
        const choose = order[Symbol.iterator]()
        for (let turn = 0; turn < plan.steps.length * 2 + 1; turn++) {
          const next = nextSteps(plan, progress)
          if (next.ended) break
          for (const one of next.ready) {
            expect(started).not.toContain(one.id)
            for (const needed of one.waitsFor) expect(['completed', 'skipped']).toContain(progress.get(needed)?.status)
            started.push(one.id)
            progress.set(one.id, { status: 'running' })
          }
          const { running } = nextSteps(plan, progress)
          const ending = running[choose.next().value! % running.length]!
          progress.set(ending.id, { status: ends.get(ending.id)! })
        }
        const last = nextSteps(plan, progress)
        expect(last).toMatchObject({ ended: true, ready: [], running: [] })
        if (last.failed === null) expect(started).toHaveLength(plan.steps.length)
      }),
    )
  })

  it('decides the same from the same rows, whatever their order', () => {
    fc.assert(
      fc.property(planAndEnds, fc.nat({ max: 11 }), ({ plan, ends }, cut) => {
        const entries = plan.steps.slice(0, cut).map(({ id }) => [id, { status: ends.get(id)! }] as const)
        expect(nextSteps(plan, new Map(entries))).toEqual(nextSteps(plan, new Map(entries.toReversed())))
      }),
    )
  })
})
