import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyVersion } from './compile.ts'
import { compileWindows } from './sync-window.ts'

type Window = NonNullable<PolicyVersion['spec']['windows']>[number]
const windows = (...list: Window[]) =>
  compileWindows([{ namespace: 'default', name: 'freeze', version: 1, spec: { type: 'window', windows: list } }])

const SRE = { kind: 'Agent', namespace: 'default', name: 'sre' }
/** From Friday 18:00 in Berlin over the weekend: to Monday 08:00. */
const WEEKEND: Window = {
  id: 'weekend',
  kind: 'deny',
  schedule: '0 18 * * 5',
  duration: '62h',
  timeZone: 'Europe/Berlin',
}
const NIGHTLY: Window = { id: 'nightly', kind: 'allow', schedule: '0 2 * * *', duration: '1h' }
const at = (time: string) => new Date(time)

describe('windows', () => {
  it('that deny let nothing through while they are open, and tell until when', () => {
    const deny = windows(WEEKEND)
    expect(deny.waitFor(SRE, at('2026-11-20T16:59:59Z'))).toBeNull()
    expect(deny.waitFor(SRE, at('2026-11-20T17:00:00Z'))).toMatchObject({ until: at('2026-11-23T07:00:00Z') })
    expect(deny.waitFor(SRE, at('2026-11-22T12:00:00Z'))!.message).toContain(
      'waits until 2026-11-23T07:00:00.000Z: policy default/freeze allows no changes while window weekend is open',
    )
    expect(deny.waitFor(SRE, at('2026-11-23T07:00:00Z'))).toBeNull()
  })

  it('that allow let changes through only while one of them is open', () => {
    const allow = windows(NIGHTLY, { ...NIGHTLY, id: 'noon', schedule: '0 12 * * *' })
    expect(allow.waitFor(SRE, at('2026-11-20T02:30:00Z'))).toBeNull()
    expect(allow.waitFor(SRE, at('2026-11-20T12:30:00Z'))).toBeNull()
    expect(allow.waitFor(SRE, at('2026-11-20T03:00:00Z'))).toMatchObject({ until: at('2026-11-20T12:00:00Z') })
  })

  it('that deny win over those that allow', () => {
    expect(windows(NIGHTLY, WEEKEND).waitFor(SRE, at('2026-11-21T02:30:00Z'))).not.toBeNull()
  })

  it('are about the objects they name', () => {
    const some = windows({ ...WEEKEND, kinds: ['Blueprint'], names: ['web-*'] })
    const saturday = at('2026-11-21T12:00:00Z')
    expect(some.waitFor({ kind: 'Blueprint', namespace: 'default', name: 'web-deploy' }, saturday)).not.toBeNull()
    expect(some.waitFor({ kind: 'Blueprint', namespace: 'default', name: 'db-deploy' }, saturday)).toBeNull()
    expect(some.waitFor(SRE, saturday)).toBeNull()
    expect(windows(WEEKEND).waitFor({ ...SRE, namespace: 'other' }, saturday)).toBeNull()
    expect(windows(WEEKEND).waitFor({ kind: 'Policy', namespace: 'default', name: 'freeze' }, saturday)).toBeNull()
  })

  it('open as often as they tell: a change that waits until a time need not wait at it', () => {
    fc.assert(
      fc.property(
        fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z'), noInvalidDate: true }),
        (now) => {
          for (const some of [windows(WEEKEND), windows(NIGHTLY)]) {
            const wait = some.waitFor(SRE, now)
            if (wait !== null) expect(some.waitFor(SRE, wait.until!)).toBeNull()
          }
        },
      ),
    )
  })
})
