import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { conditionTable } from '../kinds/condition-tables.ts'
import { REASONS, type Reason } from '../kinds/conditions.ts'
import { KINDS } from '../kinds/registry.ts'
import type { ObjectStatus } from '../kinds/resource.ts'
import { ConditionSet, type Statement } from './condition-set.ts'
import { readyOf, type Summary, summarize } from './summarize.ts'

const TABLE = conditionTable({ healthy: ['Healthy'], others: ['Isolated'] })
const GOOD: Statement = { status: 'True', reason: 'Succeeded', message: 'as declared' }

function summaryOf(statements: Readonly<Record<string, Statement>>, rest: Partial<Summary> = {}): Summary {
  const said = new ConditionSet()
  for (const [type, { status, reason, message }] of Object.entries(statements)) said.set(type, status, reason, message)
  return {
    table: TABLE,
    generation: 3,
    now: new Date('2026-01-02T03:04:05.678Z'),
    said,
    fields: {},
    ready: GOOD,
    ...rest,
  }
}

const said = (status: Statement['status'], reason: Reason = 'Progressing', message = 'm'): Statement => ({
  status,
  reason,
  message,
})
const conditionOf = (status: ObjectStatus, type: string) =>
  status.conditions!.find((condition) => condition.type === type)

describe('summarize', () => {
  test('says Ready when nothing speaks against it', () => {
    const status = summarize({}, summaryOf({ Healthy: said('True', 'Succeeded') }))
    expect(status).toMatchObject({ observedGeneration: 3 })
    expect(status.conditions).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Succeeded',
        message: 'as declared',
        observedGeneration: 3,
        lastTransitionTime: '2026-01-02T03:04:05.678Z',
      },
      {
        type: 'Healthy',
        status: 'True',
        reason: 'Succeeded',
        message: 'm',
        observedGeneration: 3,
        lastTransitionTime: '2026-01-02T03:04:05.678Z',
      },
    ])
  })

  test.each([
    ['Stalled', said('True', 'CommandNotFound'), 'False', 'CommandNotFound'],
    ['Healthy', said('False', 'CrashLoop'), 'False', 'CrashLoop'],
    ['Healthy', said('Unknown', 'Starting'), 'Unknown', 'Starting'],
    ['Reconciling', said('True', 'Progressing'), 'False', 'Progressing'],
    ['Suspended', said('True', 'Suspended'), 'Unknown', 'Suspended'],
  ] as const)('a failing %s explains Ready', (type, statement, status, reason) => {
    expect(readyOf(summarize({}, summaryOf({ [type]: statement })))).toMatchObject({ status, reason })
  })

  test('the first of several failing conditions explains Ready', () => {
    const status = summarize(
      {},
      summaryOf({ Reconciling: said('True'), Healthy: said('False', 'CrashLoop'), Stalled: said('True', 'NoHost') }),
    )
    expect(readyOf(status).reason).toBe('NoHost')
  })

  test('Drifted and Isolated are shown beside Ready and do not lower it', () => {
    const status = summarize(
      {},
      summaryOf({ Drifted: said('True', 'Drifted'), Isolated: said('False', 'ProcessOwnUser') }),
    )
    expect(readyOf(status).status).toBe('True')
    expect(status.conditions!.map(({ type }) => type)).toEqual(['Ready', 'Drifted', 'Isolated'])
  })

  test('a Ready that was said counts, but not True beside a failing condition', () => {
    expect(readyOf(summarize({}, summaryOf({ Ready: said('Unknown', 'NotYetEnforced') }))).reason).toBe(
      'NotYetEnforced',
    )
    expect(
      readyOf(summarize({}, summaryOf({ Ready: said('False', 'ValidationFailed'), Stalled: said('True', 'NoHost') })))
        .reason,
    ).toBe('ValidationFailed')
    expect(
      readyOf(summarize({}, summaryOf({ Ready: said('True', 'Succeeded'), Healthy: said('False', 'CrashLoop') }))),
    ).toMatchObject({ status: 'False', reason: 'CrashLoop' })
  })

  test('what is not the kind’s own is left out, and what was not said again is gone', () => {
    const first = summarize({}, summaryOf({ Stalled: said('True', 'NoHost'), Foreign: said('True') }))
    expect(conditionOf(first, 'Foreign')).toBeUndefined()
    expect(conditionOf(summarize(first, summaryOf({})), 'Stalled')).toBeUndefined()
  })

  test('fields are replaced one by one, others stay', () => {
    const status = summarize(
      { phase: 'Pending', lastAppliedRevision: 'abc' },
      summaryOf({}, { fields: { phase: 'Running' } }),
    )
    expect(status).toMatchObject({ phase: 'Running', lastAppliedRevision: 'abc' })
  })

  test('a long message is cut, never in the middle of a letter', () => {
    const [ready] = summarize({}, summaryOf({ Ready: said('False', 'Failed', `x${'😀'.repeat(3_000)}`) })).conditions!
    expect(ready!.message).toHaveLength(4_096)
    expect(ready!.message.isWellFormed()).toBe(true)
  })
})

test('a message holds nothing the database refuses', () => {
  const [ready] = summarize({}, summaryOf({ Ready: said('False', 'Failed', 'git said\0 \ud800') })).conditions!
  expect(ready!.message).toBe('git said\ufffd \ufffd')
})

describe('the laws of conditions hold whatever was said', () => {
  const statement = fc.record({
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])),
    message: fc.string(),
  })
  const tables = fc.constantFrom(...KINDS.map((kind) => kind.conditions), TABLE)
  const saids = (types: readonly string[]) =>
    fc.dictionary(fc.constantFrom(...types, 'Foreign'), statement, { noNullPrototype: true }) as fc.Arbitrary<
      Record<string, Statement>
    >
  const histories = tables.chain((table) =>
    fc.tuple(fc.constant(table), fc.array(fc.tuple(saids(table.owned), fc.nat(1)), { minLength: 1, maxLength: 4 })),
  )

  test('over any row of reconciles', () => {
    fc.assert(
      fc.property(histories, ([table, rounds]) => {
        let status: ObjectStatus = {}
        for (const [i, [statements, generation]] of rounds.entries()) {
          const before = status
          const now = new Date(Date.UTC(2026, 0, 1, 0, i))
          status = summarize(before, summaryOf(statements, { table, now, generation }))
          const conditions = status.conditions!
          const ready = conditionOf(status, 'Ready')!
          expect(ready).toBeDefined()
          expect(status.observedGeneration).toBe(generation)
          expect(new Set(conditions.map(({ type }) => type)).size).toBe(conditions.length)
          for (const condition of conditions) {
            expect(table.owned).toContain(condition.type)
            expect(condition.observedGeneration).toBe(generation)
            const former = before.conditions?.find(({ type }) => type === condition.type)
            expect(condition.lastTransitionTime).toBe(
              former?.status === condition.status ? former.lastTransitionTime : now.toISOString(),
            )
            if (ready.status === 'True' && table.readyFrom.includes(condition.type))
              expect(condition.status).toBe(table.negative.includes(condition.type) ? 'False' : 'True')
          }
          expect(summarize(status, summaryOf(statements, { table, now: new Date(0), generation }))).toEqual(status)
        }
      }),
    )
  })
})

test('an object that was never looked at is Unknown', () => {
  expect(readyOf({})).toEqual({ status: 'Unknown', reason: 'Progressing', message: 'not reconciled yet' })
})
