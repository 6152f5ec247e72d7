import { describe, expect, it } from 'vitest'
import type { Run } from '../../api/reads.ts'
import { hasGap, mergeRuns } from './merge-runs.ts'

const run = (n: number, status: Run['status'] = 'completed'): Run =>
  ({ run_id: `r${n}`, status, created_at: new Date(n * 1_000).toISOString() }) as Run
const ids = (runs: readonly Run[]) => runs.map(({ run_id, status }) => `${run_id} ${status}`)
const NONE = new Map<string, Run>()

describe('the list of runs', () => {
  it('has the newest as they are now, and below them what was scrolled to', () => {
    const merged = mergeRuns([run(4), run(3, 'failed')], [run(3, 'running'), run(2), run(1)], NONE, null)
    expect(ids(merged)).toEqual(['r4 completed', 'r3 failed', 'r2 completed', 'r1 completed'])
  })

  it('shows a run that moved since as it is, and leaves out what is no longer asked for', () => {
    const older = [run(3, 'running'), run(2, 'running'), run(1, 'running')]
    const moved = new Map([['r2', run(2, 'failed')]])
    expect(ids(mergeRuns([], older, moved, null))).toEqual(['r3 running', 'r2 failed', 'r1 running'])
    expect(ids(mergeRuns([], older, moved, new Set(['running'])))).toEqual(['r3 running', 'r1 running'])
  })

  it('leaves out what the newest page would have if it still belonged there', () => {
    const older = [run(5, 'running'), run(4, 'running'), run(3, 'running'), run(2, 'running')]
    expect(ids(mergeRuns([run(5, 'running'), run(3, 'running')], older, NONE, null))).toEqual([
      'r5 running',
      'r3 running',
      'r2 running',
    ])
  })

  it('knows when more was made than its newest page holds', () => {
    expect(hasGap([run(9), run(8)], [run(5)], false)).toBe(true)
    expect(hasGap([run(9), run(8)], [run(5)], true)).toBe(false)
    expect(hasGap([run(9), run(5)], [run(5)], false)).toBe(false)
    expect(hasGap([], [run(5)], false)).toBe(false)
  })
})
