import { describe, expect, it } from 'vitest'
import { FAILURES as OF_THE_API } from '../../../../controller/src/events/failures.ts'
import type { Event } from '../../api/reads.ts'
import { FAILURES, globMatches, isFailure, matchesFilter, nameGlob, summaryOf } from './event-words.ts'

const event = (event_name: string, data: Event['data'] = {}, more: Partial<Event> = {}): Event => ({
  ...{ event_id: 'e', event_name, occurred_at: '2030-01-01T00:00:00.000Z', env_id: 'default', actor: 'system' },
  ...{ correlation_id: 'c', run_id: null, step_id: null, resource: null, data, seq: 1 },
  ...more,
})
const ALL = { name: '', run: '', resourceType: '', resource: '', actor: '', correlation: '', failures: false }

describe('a failure', () => {
  it('is what the API takes for one', () => {
    expect(FAILURES).toEqual({
      words: [...OF_THE_API.words],
      names: [...OF_THE_API.names],
      statusEvent: OF_THE_API.statusEvent,
    })
  })

  it('is known by the last word of its name, by its name, or by what it says of an object', () => {
    expect(isFailure(event('stateward.run.failed'))).toBe(true)
    expect(isFailure(event('ci.build.error'))).toBe(true)
    expect(isFailure(event('stateward.alert.raised'))).toBe(true)
    expect(isFailure(event('stateward.alert.resolved'))).toBe(false)
    expect(isFailure(event('stateward.object.status_changed', { ready: 'False' }))).toBe(true)
    expect(isFailure(event('stateward.object.status_changed', { ready: 'True' }))).toBe(false)
  })
})

describe('one line about an event', () => {
  it('says the most telling first, and leaves out what is no text', () => {
    expect(summaryOf(event('a.b', { zeta: 1, host: 'web-1', message: 'a  \n b', nested: { x: 1 } }))).toBe(
      'a b  host=web-1  zeta=1',
    )
    expect(summaryOf(event('a.b'))).toBe('')
    expect(summaryOf(event('a.b', { message: 'x'.repeat(500) })).length).toBeLessThan(170)
  })
})

describe('filters', () => {
  it('take patterns as the API does', () => {
    expect(globMatches('checkmk.*', 'checkmk.alert')).toBe(true)
    expect(globMatches('checkmk.*', 'xcheckmk.alert')).toBe(false)
    expect(globMatches('a.b', 'a.bc')).toBe(false)
    expect([nameGlob('alert'), nameGlob('a.b'), nameGlob('x*'), nameGlob(' ')]).toEqual(['*alert*', 'a.b', 'x*', ''])
  })

  it('hold all at once', () => {
    const one = event('a.failed', {}, { run_id: 'r', actor: 'user:ada' })
    expect(matchesFilter(one, ALL)).toBe(true)
    expect(matchesFilter(one, { ...ALL, run: 'r', actor: 'user:ada', failures: true })).toBe(true)
    expect(matchesFilter(one, { ...ALL, run: 'r', actor: 'user:ben' })).toBe(false)
    expect(matchesFilter(event('a.done'), { ...ALL, failures: true })).toBe(false)
  })
})
