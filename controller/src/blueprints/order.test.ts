import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OrderedStep, orderSteps } from './order.ts'

function steps(...drafts: { id: string; needs?: string[]; mentions?: string[] }[]): OrderedStep[] {
  return drafts.map(({ id, needs, mentions }, i) => ({
    id,
    needs: needs ?? null,
    mentions: new Set(mentions),
    pointer: `/spec/plan/${i}`,
  }))
}

describe('orderSteps', () => {
  test('a step waits for the one above it, so nothing passes a gate by accident', () => {
    const order = orderSteps(steps({ id: 'a' }, { id: 'gate' }, { id: 'fix', mentions: ['a'] }))
    expect(order.sequence).toEqual(['a', 'gate', 'fix'])
    expect(order.waitsFor.get('fix')).toEqual(['a', 'gate'])
    expect(order.problems).toEqual([])
  })

  test('needs replace the step above, an empty list starts at once', () => {
    const order = orderSteps(steps({ id: 'a' }, { id: 'b', needs: [] }, { id: 'c', needs: ['a'], mentions: ['b'] }))
    expect([...order.waitsFor.values()]).toEqual([[], [], ['a', 'b']])
  })

  test('a step may need a later one, and then stands after it', () => {
    const order = orderSteps(steps({ id: 'a', needs: ['c'] }, { id: 'b', needs: [] }, { id: 'c' }))
    expect(order.sequence).toEqual(['b', 'c', 'a'])
  })

  test('reports needs that are no step, itself, and reading its own output', () => {
    const order = orderSteps(steps({ id: 'first' }, { id: 'b', needs: ['firts', 'b', 'first'], mentions: ['b'] }))
    expect(order.problems.map(({ code, pointer, hint }) => [code, pointer, hint])).toEqual([
      ['SW_UNKNOWN_NAME', '/spec/plan/1/needs/0', expect.stringContaining('first')],
      ['SW_STEP_CYCLE', '/spec/plan/1/needs/1', 'remove it'],
      ['SW_STEP_CYCLE', '/spec/plan/1', expect.any(String)],
    ])
  })

  test('names the steps of a cycle', () => {
    const order = orderSteps(steps({ id: 'a' }, { id: 'b', mentions: ['d'] }, { id: 'c' }, { id: 'd' }))
    expect(order.problems).toMatchObject([
      {
        code: 'SW_STEP_CYCLE',
        pointer: '/spec/plan/1',
        message: 'steps wait for each other: b waits for d waits for c waits for b',
      },
    ])
  })

  test('whatever the needs: in order when it can be, else a cycle is reported', () => {
    const plan = fc.integer({ min: 1, max: 12 }).chain((n) =>
      fc.array(fc.option(fc.array(fc.nat(n - 1), { maxLength: 3 }), { nil: undefined }), {
        minLength: n,
        maxLength: n,
      }),
    )
    fc.assert(
      fc.property(plan, (needs) => {
        const list = steps(
          ...needs.map((n, i) => ({
            id: `s${i}`,
            ...(n === undefined ? {} : { needs: n.filter((j) => j !== i).map((j) => `s${j}`) }),
          })),
        )
        const order = orderSteps(list)
        const done = new Set<string>()
        for (const id of order.sequence) {
          for (const needed of order.waitsFor.get(id)!) expect(done.has(needed)).toBe(true)
          done.add(id)
        }
        expect(order.problems.length > 0).toBe(done.size < list.length)
      }),
    )
  })
})
