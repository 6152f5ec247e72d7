import { describe, expect, it } from 'vitest'
import { daysBetween, MOST_SERIES, OTHERS, seriesOf } from './cost-series.ts'

const sumOf = (agent: string | null, day: string, usd: string) => ({
  group: { agent, day },
  ...{ amount_usd: usd, amount_cents: 0, tokens: 0, input_tokens: 0, output_tokens: 0, count: 1 },
})

describe('series of costs', () => {
  it('have one value for every day, the dearest first', () => {
    const days = daysBetween(new Date('2026-02-27T22:00:00Z'), new Date('2026-03-01T00:00:00Z'))
    expect(days).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    const items = [
      sumOf('sre', '2026-02-28', '1.5'),
      sumOf(null, '2026-03-01', '4'),
      sumOf('sre', '2026-03-01', '0.25'),
      sumOf('sre', '2026-01-01', '99'),
    ]
    expect(seriesOf(items, 'agent', days)).toEqual([
      { name: 'not said', amounts: [0, 0, 4], total: 4 },
      { name: 'sre', amounts: [0, 1.5, 0.25], total: 1.75 },
    ])
  })

  it('are never more than can be told apart, and lose nothing by that', () => {
    const items = Array.from({ length: 20 }, (_, n) => sumOf(`a${n}`, '2026-03-01', String(n + 1)))
    const series = seriesOf(items, 'agent', ['2026-03-01'])
    expect(series).toHaveLength(MOST_SERIES)
    expect(series.at(-1)?.name).toBe(OTHERS)
    expect(series.reduce((sum, { total }) => sum + total, 0)).toBe(210)
  })
})
