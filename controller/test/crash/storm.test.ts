import { describe, expect, it } from 'vitest'
import { storm } from './storm/storm.ts'

/** The short form of `npm run test:crash`. */
const SEED = Number(process.env['STATEWARD_CRASH_SEED'] ?? 1)

describe('an installation of which workers, agents and Postgres are killed at random', () => {
  it.each(['single', 'team'] as const)(
    'loses no run, repeats no recorded effect, and has no run left that neither ended nor waits (%s)',
    async (profile) => {
      const { counts, breaches } = await storm({
        profile,
        seed: SEED,
        runs: 30,
        kills: profile === 'team' ? 10 : 8,
        calmMs: 45_000,
        limitMs: 170_000,
        log: console.log,
      })
      console.table(counts)
      expect(breaches).toEqual([])
      expect(counts).toMatchObject({ runs: 30, breaches: 0 })
    },
  )
})
