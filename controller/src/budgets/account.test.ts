import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Account,
  admit,
  afterSpending,
  atTime,
  BUDGET_ACTIONS,
  limitAt,
  newThresholds,
  roomOf,
} from './account.ts'
import { windowAt } from './window.ts'

const NOON = new Date('2026-11-21T12:00:00.000Z')
const HOUR = 3_600_000

function account(more: Partial<Account> = {}): Account {
  return {
    account: 'Budget/1',
    max: 1000n,
    used: 0n,
    reserved: 0n,
    period: 'day',
    action: 'Pause',
    thresholds: [80, 95],
    window: windowAt('day', NOON),
    told: 0,
    paced: null,
    exhaustedAt: null,
    ...more,
  }
}

test('nothing may be had of a budget of 0, and everything of one that only alerts', () => {
  expect(admit([account({ max: 0n })], 1n, NOON).granted).toBe(false)
  expect(admit([account({ max: 0n })], 0n, NOON).granted).toBe(false)
  expect(admit([account({ max: 0n, action: 'Alert' })], 10n ** 18n, NOON).granted).toBe(true)
  expect(admit([], 5n, NOON).granted).toBe(true)
})

test('the first account from the top that has too little says so, with the end of its window', () => {
  const env = account({ account: 'env', max: 100n, used: 60n })
  const agent = account({ account: 'agent', max: 10n })
  expect(admit([env, agent], 10n, NOON)).toEqual({ granted: true })
  expect(admit([env, agent], 50n, NOON)).toMatchObject({ granted: false, by: env, retryAt: env.window.end })
  expect(admit([env, agent], 11n, NOON)).toMatchObject({ granted: false, by: agent })
})

test('in a new window nothing is used, and what is reserved stays reserved', () => {
  const before = account({ used: 900n, reserved: 50n, told: 80, exhaustedAt: NOON })
  expect(atTime(before, NOON)).toBe(before)
  const later = atTime(before, before.window.end!)
  expect(later).toMatchObject({ used: 0n, reserved: 50n, told: 0, exhaustedAt: null })
  expect(later.window.start).toEqual(before.window.end)
})

test('Throttle spreads what is left over the rest of the window, from its first threshold on', () => {
  const end = windowAt('day', NOON).end!
  const paced = afterSpending(account({ action: 'Throttle', used: 800n }), NOON)
  expect(paced).toMatchObject({ told: 80, paced: { from: NOON, level: 800n } })
  expect(limitAt(paced, NOON)).toBe(800n)
  expect(limitAt(paced, new Date(NOON.getTime() + 6 * HOUR))).toBe(900n)
  expect(limitAt(paced, end)).toBe(1000n)
  const refused = admit([paced], 100n, NOON)
  expect(refused).toMatchObject({ granted: false, retryAt: new Date(NOON.getTime() + 6 * HOUR) })
  expect(admit([paced], 100n, new Date(NOON.getTime() + 6 * HOUR)).granted).toBe(true)
  expect(admit([paced], 201n, NOON)).toMatchObject({ granted: false, retryAt: end })
})

test('a threshold is told of once, the higher ones later', () => {
  expect(newThresholds(account({ used: 799n }))).toEqual([])
  expect(newThresholds(account({ used: 960n }))).toEqual([80, 95])
  expect(newThresholds(account({ used: 960n, told: 80 }))).toEqual([95])
  expect(afterSpending(account({ used: 960n }), NOON).told).toBe(95)
})

const amount = fc.bigInt({ min: 0n, max: 10n ** 18n })
const anAccount = fc
  .record({
    max: amount,
    period: fc.constantFrom('hour', 'day', 'week', 'month', 'total'),
    action: fc.constantFrom(...BUDGET_ACTIONS),
    thresholds: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
  })
  .map((said) => account({ ...said, window: windowAt(said.period, NOON) }) as Account)

type Act = { readonly kind: 'reserve'; readonly amount: bigint } | { readonly kind: 'settle'; readonly share: number }
const act = fc.oneof(
  fc.record({ kind: fc.constant('reserve' as const), amount: fc.oneof(amount, fc.bigInt({ min: 0n, max: 100n })) }),
  fc.record({ kind: fc.constant('settle' as const), share: fc.integer({ min: 0, max: 100 }) }),
)

test('whatever is asked for in whatever order, no account that limits ever gives more than it has, and none loses anything', () => {
  fc.assert(
    fc.property(
      fc.array(anAccount, { minLength: 1, maxLength: 5 }),
      fc.array(act, { maxLength: 60 }),
      (start, acts: Act[]) => {
        let accounts = start
        let open: bigint[] = []
        let [spent, now] = [0n, NOON.getTime()]
        for (const one of acts) {
          now += 1000
          const at = new Date(now)
          if (one.kind === 'reserve') {
            if (!admit(accounts, one.amount, at).granted) continue
            open.push(one.amount)
            accounts = accounts.map((each) => ({ ...each, reserved: each.reserved + one.amount }))
          } else if (open.length > 0) {
            const [reserved = 0n, ...others] = open
            open = others
            const charged = (reserved * BigInt(one.share)) / 100n
            spent += charged
            accounts = accounts.map((each) =>
              afterSpending({ ...each, reserved: each.reserved - reserved, used: each.used + charged }, at),
            )
          }
          const kept = open.reduce((sum, each) => sum + each, 0n)
          for (const each of accounts) {
            expect(each.used).toBe(spent)
            expect(each.reserved).toBe(kept)
            if (each.action !== 'Alert') expect(each.used + each.reserved).toBeLessThanOrEqual(each.max)
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('Throttle never lets more through than Pause, and never takes back what it gave room for', () => {
  fc.assert(
    fc.property(
      anAccount,
      amount,
      fc.array(fc.nat(86_400_000), { minLength: 2, maxLength: 20 }),
      (said, used, offsets) => {
        const spentTo = used % (said.max + 1n)
        const throttled = afterSpending({ ...said, action: 'Throttle' as const, used: spentTo }, NOON)
        const times = offsets.toSorted((a, b) => a - b).map((ms) => new Date(NOON.getTime() + ms))
        let last = -1n
        for (const at of times) {
          const limit = limitAt(throttled, at)
          expect(limit).toBeLessThanOrEqual(throttled.max)
          expect(limit).toBeGreaterThanOrEqual(last)
          expect(limit).toBeGreaterThanOrEqual(throttled.used)
          expect(roomOf(throttled, at)).toBe(limit - throttled.used)
          last = limit
        }
      },
    ),
  )
})

test('when Throttle says that there may be enough, there is', () => {
  fc.assert(
    fc.property(anAccount, amount, amount, (said, used, wanted) => {
      const throttled = afterSpending({ ...said, action: 'Throttle' as const, used: used % (said.max + 1n) }, NOON)
      const answer = admit([throttled], wanted, NOON)
      if (answer.granted || answer.retryAt === null || answer.retryAt.getTime() === throttled.window.end?.getTime())
        return
      expect(admit([throttled], wanted, answer.retryAt).granted).toBe(true)
    }),
  )
})
