import { describe, expect, it } from 'vitest'
import { checkPolicy } from './check-policy.ts'
import type { PolicyVersion } from './compile.ts'
import { allocationsOf } from './treasury.ts'

type Rule = NonNullable<PolicyVersion['spec']['allocations']>[number]
const SHARE: Rule = {
  id: 'share',
  effect: 'apply',
  match: { event: 'invoice.*', channel: 'reseller' },
  splits: [
    { to: 'pou:reseller', type: 'percent', value: 30 },
    { to: 'wallet:main', type: 'percent', value: 70 },
  ],
}
const policies = (...allocations: Rule[]): PolicyVersion[] => [
  { namespace: 'default', name: 'money', version: 2, spec: { type: 'treasury', allocations } },
]
const paid = (data: Record<string, string | number>) => ({ name: 'invoice.paid', data })

describe('allocationsOf', () => {
  it('tells the splits of the first rule that fits', () => {
    const rules = policies({ ...SHARE, id: 'later', priority: 200 }, SHARE)
    expect(allocationsOf(rules, paid({ channel: 'reseller', amount_usd: 100 }))).toEqual([
      { policy: { namespace: 'default', name: 'money', version: 2 }, rule: 'share', splits: SHARE.splits },
    ])
    expect(allocationsOf(rules, paid({ channel: 'direct' }))).toEqual([])
    expect(allocationsOf(rules, { name: 'license.sale', data: { channel: 'reseller' } })).toEqual([])
  })

  it('splits nothing where the first rule that fits says ignore', () => {
    const ignore: Rule = { id: 'test', effect: 'ignore', priority: 1, match: { event: '*', metadata: { test: 'yes' } } }
    const data = { channel: 'reseller', metadata: { test: 'yes' } } as never
    expect(allocationsOf(policies(SHARE, ignore), { name: 'invoice.paid', data })).toEqual([])
  })
})

describe('splits', () => {
  const check = (splits: Rule['splits']) =>
    checkPolicy({ type: 'treasury', allocations: [{ ...SHARE, splits: splits! }] })

  it('sum to 100 where they are percents', () => {
    expect(check(SHARE.splits)).toEqual([])
    expect(check([{ to: 'pou:a', type: 'percent', value: 99.5 }])).toMatchObject([
      { pointer: '/spec/allocations/0/splits', message: expect.stringContaining('99.5') },
    ])
    expect(check([{ to: 'pou:a', type: 'fixed', value: 5 }])).toEqual([])
    expect(
      check(
        Array.from({ length: 3 }, (_, i) => ({
          to: `pou:p${i}`,
          type: 'percent' as const,
          value: [33.3, 33.3, 33.4][i]!,
        })),
      ),
    ).toEqual([])
  })
})
