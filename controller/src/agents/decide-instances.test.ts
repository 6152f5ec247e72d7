import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aTarget } from '../../test/support/agent-target.ts'
import type { AgentTarget } from './agent-target.ts'
import { decideInstances, type Ending, type InstanceAction, type LiveInstance } from './decide-instances.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

function live(change: Partial<LiveInstance> = {}): LiveInstance {
  return {
    id: `i${change.ordinal ?? 0}`,
    ordinal: 0,
    mode: 'daemon',
    launchDigest: 'd1',
    createdAt: NOW - MINUTE,
    lastHeartbeatAt: NOW - 1000,
    hasTasks: false,
    stopping: null,
    ...change,
  }
}

function ending(change: Partial<Ending> = {}): Ending {
  return {
    id: 'e0',
    ordinal: 0,
    launchDigest: 'd1',
    createdAt: NOW - 2 * MINUTE,
    endedAt: NOW - 1,
    exitCode: 1,
    reason: 'exited',
    restartCount: 0,
    crashCount: 0,
    ...change,
  }
}

const decide = (
  target: AgentTarget,
  living: LiveInstance[] = [],
  endings: Ending[] = [],
  since = NOW - 10 * MINUTE,
  now = NOW,
) => decideInstances(target, living, endings, now, since)
const types = (actions: readonly InstanceAction[]) => actions.map(({ type }) => type)

describe('replicas', () => {
  test('that are missing are started, the ones that run are left alone', () => {
    const { actions } = decide(aTarget({ replicas: 3 }), [live({ ordinal: 1 })])
    expect(actions).toEqual([
      { type: 'start', ordinal: 0, restartCount: 0, crashCount: 0 },
      { type: 'start', ordinal: 2, restartCount: 0, crashCount: 0 },
    ])
  })

  test('beyond the number wanted are drained and terminated', () => {
    const { actions } = decide(aTarget({ replicas: 1 }), [live(), live({ ordinal: 1 })])
    expect(actions).toEqual([
      { type: 'drain', id: 'i1', reason: 'scaled' },
      { type: 'terminate', id: 'i1' },
    ])
  })

  test('of a changed agent are replaced only after the old process is gone', () => {
    const { actions } = decide(aTarget(), [live({ launchDigest: 'old' })])
    expect(types(actions)).toEqual(['drain', 'terminate'])
  })

  test('of an agent that became perTask are stopped, and none is started', () => {
    expect(types(decide(aTarget({ mode: 'perTask' }), [live()]).actions)).toEqual(['drain', 'terminate'])
    expect(decide(aTarget({ mode: 'perTask' })).actions).toEqual([])
  })

  test('ends a terminated agent at once, suspended or at work or not, and starts nothing of it', () => {
    const terminated = (more: object) => aTarget({ terminated: true, replicas: 2, ...more })
    for (const mode of ['daemon', 'perTask'] as const) {
      const { actions } = decide(terminated({ suspended: true, mode }), [live({ mode, hasTasks: true })])
      expect(types(actions)).toEqual(['drain', 'terminate'])
    }
    expect(decide(terminated({})).actions).toEqual([])
    // What only drained before is not waited for any longer.
    const draining = live({ hasTasks: true, stopping: { since: NOW, terminatedAt: null, killed: false } })
    expect(types(decide(terminated({}), [draining]).actions)).toEqual(['terminate'])
  })

  test('of a suspended agent are left as they are', () => {
    expect(
      decide(aTarget({ suspended: true, replicas: 3 }), [live({ launchDigest: 'old', lastHeartbeatAt: 0 })]).actions,
    ).toEqual([])
  })
})

describe('stopping', () => {
  const stopping = { since: NOW - 5_000, terminatedAt: null, killed: false }

  test('waits for a task up to the grace period', () => {
    const working = live({ hasTasks: true, stopping })
    const waiting = decide(aTarget({ deleting: true }), [working])
    expect(waiting).toMatchObject({ actions: [], nextAt: NOW + 25_000 })
    expect(types(decide(aTarget({ deleting: true }), [working], [], NOW, NOW + 25_000).actions)).toEqual(['terminate'])
  })

  test('terminates at once when there is no task, and kills after the grace period', () => {
    const idle = live({ stopping })
    expect(types(decide(aTarget({ deleting: true }), [idle]).actions)).toEqual(['terminate'])
    const terminated = live({ stopping: { ...stopping, terminatedAt: NOW } })
    expect(decide(aTarget({ deleting: true }), [terminated])).toMatchObject({ actions: [], nextAt: NOW + 25_000 })
    expect(decide(aTarget({ deleting: true }), [terminated], [], NOW, NOW + 25_000).actions).toEqual([
      { type: 'kill', id: 'i0', reason: 'stopped' },
    ])
  })

  test('gives who was terminated after his grace ten seconds more', () => {
    const late = live({ stopping: { since: NOW - 30_000, terminatedAt: NOW, killed: false } })
    expect(decide(aTarget({ deleting: true }), [late]).nextAt).toBe(NOW + 10_000)
  })

  test('without any grace terminates and kills together', () => {
    expect(types(decide(aTarget({ deleting: true, grace: 0 }), [live({ hasTasks: true })]).actions)).toEqual([
      'drain',
      'terminate',
      'kill',
    ])
  })

  test('with deletionPolicy Orphan only forgets the process', () => {
    expect(decide(aTarget({ deleting: true, deletionPolicy: 'Orphan' }), [live()]).actions).toEqual([
      { type: 'release', id: 'i0' },
    ])
  })

  test('with deletionPolicy WaitForTermination never signals it', () => {
    const target = aTarget({ deleting: true, deletionPolicy: 'WaitForTermination' })
    expect(types(decide(target, [live()]).actions)).toEqual(['drain'])
    expect(decide(target, [live({ stopping: { since: 0, terminatedAt: null, killed: false } })]).actions).toEqual([])
  })

  test('reaches a running command only when its agent is deleted', () => {
    const command = live({ mode: 'perTask', launchDigest: 'old', hasTasks: true })
    expect(decide(aTarget({ mode: 'perTask' }), [command]).actions).toEqual([])
    expect(types(decide(aTarget({ mode: 'perTask', deleting: true }), [command]).actions)).toEqual(['drain'])
  })
})

describe('heartbeats', () => {
  test('that stay away longer than the timeout get the process killed', () => {
    const silent = live({ lastHeartbeatAt: NOW - 90_000 })
    expect(decide(aTarget(), [silent]).actions).toEqual([{ type: 'kill', id: 'i0', reason: 'heartbeat' }])
  })

  test('count from the start for a process that never reported', () => {
    expect(decide(aTarget(), [live({ createdAt: NOW - 89_999, lastHeartbeatAt: null })])).toMatchObject({
      actions: [],
      nextAt: NOW + 1,
    })
    expect(types(decide(aTarget(), [live({ createdAt: NOW - 90_000, lastHeartbeatAt: null })]).actions)).toEqual([
      'kill',
    ])
  })

  test('are waited for one timeout after this supervisor began to listen', () => {
    const silent = live({ lastHeartbeatAt: NOW - 10 * MINUTE })
    expect(decide(aTarget(), [silent], [], NOW - 89_000)).toMatchObject({ actions: [], nextAt: NOW + 1_000 })
  })
})

describe('restarts', () => {
  test('wait longer each time', () => {
    const first = decide(aTarget(), [], [ending({ endedAt: NOW })])
    const third = decide(aTarget(), [], [ending({ endedAt: NOW, createdAt: NOW - 1000, crashCount: 2 })])
    expect(first.actions).toEqual([])
    expect(first.nextAt! - NOW).toBeGreaterThanOrEqual(500)
    expect(third.nextAt! - NOW).toBeGreaterThanOrEqual(2000)
    expect(third.held[0]).toMatchObject({ crashCount: 3 })
  })

  test('carry the counts on', () => {
    const { actions } = decide(
      aTarget(),
      [],
      [ending({ endedAt: NOW - MINUTE, createdAt: NOW - MINUTE - 1, restartCount: 4, crashCount: 2 })],
    )
    expect(actions).toEqual([{ type: 'start', ordinal: 0, restartCount: 5, crashCount: 3 }])
  })

  test.each([
    ['OnFailure', 0, 'none'],
    ['OnFailure', 1, 'restart'],
    ['Never', 0, 'none'],
    ['Never', 1, 'none'],
    ['Always', 0, 'restart'],
  ] as const)('with policy %s after exit code %i: %s', (restartPolicy, exitCode, expected) => {
    const { actions, held } = decide(aTarget({ restartPolicy }), [], [ending({ exitCode, endedAt: NOW - MINUTE })])
    expect(types(actions)).toEqual(expected === 'restart' ? ['start'] : [])
    expect(held.map(({ until }) => until)).toEqual(expected === 'restart' ? [] : [null])
  })

  test('of a changed agent do not wait, whatever the policy', () => {
    const target = aTarget({ restartPolicy: 'Never' })
    expect(types(decide(target, [], [ending({ launchDigest: 'old', endedAt: NOW })]).actions)).toEqual(['start'])
  })

  test('after we stopped it ourselves do not wait', () => {
    expect(types(decide(aTarget(), [], [ending({ reason: 'shutdown', endedAt: NOW })]).actions)).toEqual(['start'])
    expect(types(decide(aTarget(), [], [ending({ reason: 'lost', exitCode: null, endedAt: NOW })]).actions)).toEqual([
      'start',
    ])
  })
})

describe('for any target and any processes', () => {
  const instances = fc.uniqueArray(
    fc.record({
      ordinal: fc.nat(5),
      mode: fc.constantFrom('daemon' as const, 'perTask' as const),
      launchDigest: fc.constantFrom('d1', 'old'),
      createdAt: fc.integer({ min: NOW - 10 * MINUTE, max: NOW }),
      lastHeartbeatAt: fc.option(fc.integer({ min: NOW - 10 * MINUTE, max: NOW })),
      hasTasks: fc.boolean(),
      stopping: fc.option(
        fc.record({
          since: fc.integer({ min: NOW - MINUTE, max: NOW }),
          terminatedAt: fc.option(fc.integer({ min: NOW - MINUTE, max: NOW })),
          killed: fc.boolean(),
        }),
      ),
    }),
    { selector: ({ ordinal }) => ordinal },
  )
  const targets = fc
    .record({
      replicas: fc.nat(4),
      mode: fc.constantFrom('daemon' as const, 'perTask' as const),
      suspended: fc.boolean(),
      deleting: fc.boolean(),
      restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
      deletionPolicy: fc.constantFrom('Delete' as const, 'Orphan' as const, 'WaitForTermination' as const),
      grace: fc.nat(60),
    })
    .map(aTarget)
  const endings = fc.uniqueArray(
    fc.record({
      ordinal: fc.nat(5),
      exitCode: fc.option(fc.nat(2)),
      reason: fc.constantFrom('exited' as const, 'lost' as const, 'heartbeat' as const, 'replaced' as const),
      endedAt: fc.integer({ min: NOW - MINUTE, max: NOW }),
      crashCount: fc.nat(20),
    }),
    { selector: ({ ordinal }) => ordinal },
  )
  const any = fc.tuple(targets, instances, endings).map(([target, living, ended]) => ({
    target,
    living: living.map((one) => live({ ...one, id: `i${one.ordinal}` })),
    decision: decideInstances(
      target,
      living.map((one) => live({ ...one, id: `i${one.ordinal}` })),
      ended.map(ending),
      NOW,
      NOW - 10 * MINUTE,
    ),
  }))

  test('nothing is started where something lives, beyond the replicas, or for an agent that is not to run', () => {
    fc.assert(
      fc.property(any, ({ target, living, decision }) => {
        const starts = decision.actions.filter((action) => action.type === 'start').map(({ ordinal }) => ordinal)
        const occupied = new Set(living.map(({ ordinal }) => ordinal))
        expect(starts.filter((ordinal) => occupied.has(ordinal) || ordinal >= target.spec.replicas)).toEqual([])
        expect(new Set(starts).size).toBe(starts.length)
        if (target.suspended || target.terminated || target.deleting || target.spec.runtime.process.mode === 'perTask')
          expect(starts).toEqual([])
      }),
    )
  })

  test('every wanted replica lives, is started, or is held with a reason', () => {
    fc.assert(
      fc.property(any, ({ target, living, decision }) => {
        if (target.suspended || target.terminated || target.deleting || target.spec.runtime.process.mode === 'perTask')
          return
        const accounted = new Set([
          ...living.map(({ ordinal }) => ordinal),
          ...decision.actions.flatMap((action) => (action.type === 'start' ? [action.ordinal] : [])),
          ...decision.held.map(({ ordinal }) => ordinal),
        ])
        for (let ordinal = 0; ordinal < target.spec.replicas; ordinal++) expect(accounted).toContain(ordinal)
      }),
    )
  })

  test('only processes that live are acted on, and what waits has a time to look again', () => {
    fc.assert(
      fc.property(any, ({ living, decision }) => {
        const ids = new Set(living.map(({ id }) => id))
        for (const action of decision.actions) if (action.type !== 'start') expect(ids).toContain(action.id)
        for (const { until } of decision.held) if (until !== null) expect(decision.nextAt).toBeLessThanOrEqual(until)
        if (decision.nextAt !== null) expect(decision.nextAt).toBeGreaterThan(NOW)
      }),
    )
  })

  test('a deleted agent keeps nothing that is not being ended', () => {
    fc.assert(
      fc.property(any, ({ target, living, decision }) => {
        if (!target.deleting) return
        const ending = new Set(decision.actions.flatMap((action) => (action.type === 'start' ? [] : [action.id])))
        for (const { id, stopping } of living) expect(stopping !== null || ending.has(id)).toBe(true)
      }),
    )
  })
})
