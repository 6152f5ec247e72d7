import { describe, expect, it } from 'vitest'
import type { RunGraphNode } from '../../api/reads.ts'
import { timelineRows, timeScale } from './timeline.ts'

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString()
const node = (path: string, more: Partial<RunGraphNode> = {}): RunGraphNode => ({
  ...{ path, step_id: null, container: null, iteration: null, name: path, kind: 'transform', does: null },
  ...{ condition_expression: null, place: null, waits_for: [], undo: null, status: 'created', attempt: 1 },
  ...{ max_attempts: 1, started_at: null, completed_at: null, next_attempt_at: null, error: null, condition: null },
  iterations: null,
  ...more,
})

describe('rows of a timeline', () => {
  it('have a bar for each attempt, in the order they began', () => {
    const steps = [
      { path: 'a', attempt: 2, status: 'running', started_at: at(5), completed_at: null },
      { path: 'a', attempt: 1, status: 'failed', started_at: at(1), completed_at: at(2) },
    ]
    const [row] = timelineRows([node('a')], steps)
    expect(row!.attempts).toEqual([
      { attempt: 1, status: 'failed', from: 1_000, to: 2_000 },
      { attempt: 2, status: 'running', from: 5_000, to: null },
    ])
  })

  it('stand as deep as their containers, and have no bar before they began', () => {
    const rows = timelineRows([node('each'), node('each[3].fix', { container: 'each', iteration: 3, name: 'fix' })], [])
    expect(rows.map(({ name, depth, attempts }) => [name, depth, attempts.length])).toEqual([
      ['each', 0, 0],
      ['[3] fix', 1, 0],
    ])
  })
})

describe('the scale of a timeline', () => {
  const rows = timelineRows([node('a', { started_at: at(10), completed_at: at(40) })], [])

  it('reaches from the beginning of the run to its end, or to now while it goes on', () => {
    const done = timeScale(rows, { from: 10_000, to: 50_000 }, 999_000, 10)
    expect([done.from, done.to, done.at(30_000)]).toEqual([10_000, 50_000, 0.5])
    expect(timeScale(rows, { from: 10_000, to: null }, 110_000, 10).to).toBe(110_000)
  })

  it('has at most as many ticks as asked for between its ends, at round distances', () => {
    for (const length of [7, 950, 40_000, 3_600_000, 400_000_000]) {
      const { ticks } = timeScale([], { from: 0, to: length }, 0, 8)
      expect(ticks.length).toBeLessThanOrEqual(9)
      expect(ticks.length).toBeGreaterThan(1)
      expect(ticks[0]).toEqual({ at: 0, afterMs: 0 })
    }
    expect(timeScale(rows, { from: 10_000, to: 50_000 }, 0, 8).ticks.map(({ afterMs }) => afterMs)).toEqual([
      0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000,
    ])
  })

  it('keeps what is outside of it at its ends', () => {
    const scale = timeScale(rows, { from: 10_000, to: 50_000 }, 0, 8)
    expect([scale.at(0), scale.at(60_000)]).toEqual([0, 1])
  })
})
