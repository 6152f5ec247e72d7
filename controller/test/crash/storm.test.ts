import { describe, expect, it } from 'vitest'
import { storm } from './storm/storm.ts'

/** The short form of `npm run test:crash`. */
const SEED = Number(process.env['STATEWARD_CRASH_SEED'] ?? 1)

describe('an installation of which the worker, agents and Postgres are killed at random', () => {
  it('loses no run, repeats no recorded effect, and has every run ended or waiting for a person', async () => {
    const { counts, breaches } = await storm({
      seed: SEED,
      runs: 40,
      kills: 8,
      calmMs: 60_000,
      limitMs: 150_000,
      log: console.log,
    })
    console.table(counts)
    expect(breaches).toEqual([])
    expect(counts).toMatchObject({ runs: 40, breaches: 0 })
  })
})
