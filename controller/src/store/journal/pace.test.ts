import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'

function paced(tellMs: number, flightMs: number): Pace {
  const pace = new Pace()
  for (let i = 0; i < 100; i++) {
    pace.told(20, 20 * tellMs)
    pace.flew(flightMs)
  }
  return pace
}

describe('the pace of the journal', () => {
  it('tells all at once as long as it knows nothing', () => {
    expect(new Pace().before(100)).toBe(100)
  })

  it('takes turns when working out the next batch takes about as long as writing one', () => {
    const pace = paced(0.06, 1.2)
    expect(pace.takesTurns(20)).toBe(true)
    expect(pace.before(20)).toBe(10)
    expect(pace.before(21)).toBe(11)
  })

  it('tells all at once when commits are slow, and when there are few', () => {
    expect(paced(0.06, 3.5).before(20)).toBe(20)
    expect(paced(0.06, 1.2).before(7)).toBe(7)
  })

  it('follows what it measures', () => {
    const pace = paced(0.06, 1.2)
    for (let i = 0; i < 100; i++) pace.flew(5)
    expect(pace.takesTurns(20)).toBe(false)
  })
})
