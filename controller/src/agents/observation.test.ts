import { describe, expect, test } from 'vitest'
import { aTarget } from '../../test/support/agent-target.ts'
import type { Ending, Held } from './decide-instances.ts'
import { type Observed, type ObservedInstance, summarize } from './observation.ts'

const NOW = Date.UTC(2026, 0, 1)

function instance(change: Partial<ObservedInstance> = {}): ObservedInstance {
  return {
    id: 'i0',
    ordinal: 0,
    host: 'local',
    pid: 42,
    startedAt: new Date(NOW - 60_000).toISOString(),
    restartCount: 0,
    mode: 'daemon',
    launchDigest: 'd1',
    stopping: false,
    registered: true,
    lastSeenAt: NOW - 1_000,
    ...change,
  }
}

function held(crashCount: number, change: Partial<Ending> & { until?: number | null } = {}): Held {
  const { until = NOW + 1000, ...ending } = change
  return {
    ordinal: 0,
    until,
    crashCount,
    ending: {
      id: 'e',
      ordinal: 0,
      launchDigest: 'd1',
      createdAt: NOW,
      endedAt: NOW,
      exitCode: 1,
      reason: 'exited',
      restartCount: 0,
      crashCount,
      ...ending,
    },
  }
}

const observed = (change: Partial<Observed> = {}) =>
  summarize({
    target: aTarget(),
    instances: [],
    held: [],
    obstacle: null,
    now: NOW,
    observedSince: NOW - 600_000,
    ...change,
  })

describe('what an agent looks like', () => {
  test('a registered daemon that reports is Running and Ready', () => {
    const seen = observed({ instances: [instance()] })
    expect(seen).toMatchObject({
      phase: 'Running',
      replicas: 1,
      readyReplicas: 1,
      ready: { status: 'True', reason: 'Succeeded' },
    })
    expect(seen.instances).toEqual([
      { id: 'i0', ordinal: 0, host: 'local', pid: 42, startedAt: '2025-12-31T23:59:00.000Z', restartCount: 0 },
    ])
  })

  test('one that has not registered is Starting', () => {
    expect(observed({ instances: [instance({ registered: false })] })).toMatchObject({
      phase: 'Starting',
      readyReplicas: 0,
      ready: { status: 'False', reason: 'Starting' },
    })
  })

  test('one that went silent has failed, unless nobody was listening', () => {
    const instances = [instance({ lastSeenAt: NOW - 91_000 })]
    expect(observed({ instances })).toMatchObject({ phase: 'Failed', ready: { reason: 'HeartbeatMissed' } })
    expect(observed({ instances, observedSince: NOW - 1000 })).toMatchObject({
      phase: 'Running',
      ready: { status: 'True' },
    })
  })

  test('one that carries an old digest is not what is wanted yet', () => {
    expect(observed({ instances: [instance({ launchDigest: 'old', stopping: true })] })).toMatchObject({
      ready: { status: 'False', reason: 'Progressing' },
    })
  })

  test('one that ended once is being started again; one that keeps ending is in a crash loop and says when it is tried next', () => {
    expect(observed({ held: [held(1)] })).toMatchObject({ phase: 'Starting', ready: { reason: 'Starting' } })
    expect(observed({ held: [held(3)] })).toMatchObject({
      phase: 'Failed',
      ready: {
        reason: 'CrashLoop',
        message: 'instance 0 ended with exit code 1, 3 times in a row; next start at 2026-01-01T00:00:01.000Z',
      },
    })
  })

  test('one that is not restarted has stopped, or failed, by how it ended', () => {
    expect(observed({ held: [held(1, { until: null, exitCode: 0 })] })).toMatchObject({
      phase: 'Stopped',
      ready: { reason: 'Stopped' },
    })
    expect(observed({ held: [held(1, { until: null, exitCode: 2 })] })).toMatchObject({
      phase: 'Failed',
      ready: { reason: 'Failed' },
    })
  })

  test('no room is Pending, a missing command or secret is Failed', () => {
    expect(observed({ obstacle: { reason: 'NoHost', message: 'full' } })).toMatchObject({
      phase: 'Pending',
      ready: { reason: 'NoHost' },
    })
    expect(observed({ obstacle: { reason: 'CommandNotFound', message: 'x' } })).toMatchObject({ phase: 'Failed' })
    expect(observed({ obstacle: { reason: 'SecretMissing', message: 'x' } })).toMatchObject({ phase: 'Failed' })
  })

  test('a perTask agent is Running without any process: it can take as many tasks at once as it has replicas', () => {
    const target = aTarget({ mode: 'perTask', replicas: 2 })
    const idle = {
      phase: 'Running',
      replicas: 2,
      readyReplicas: 2,
      instances: [],
      ready: { status: 'True', message: 'takes up to 2 tasks at once' },
    }
    expect(observed({ target })).toMatchObject({ ...idle, commands: [], gone: true })
    const working = observed({ target, instances: [instance({ mode: 'perTask', currentTask: 't' })] })
    expect(working).toMatchObject({ ...idle, commands: [{ id: 'i0', currentTask: 't' }], gone: false })
    expect(observed({ target, obstacle: { reason: 'NoHost', message: 'full' } })).toMatchObject({
      replicas: 2,
      readyReplicas: 0,
    })
  })

  test('a suspended agent is Paused, one without replicas Stopped', () => {
    expect(observed({ target: aTarget({ suspended: true }), instances: [instance()] })).toMatchObject({
      phase: 'Paused',
      ready: { reason: 'Suspended' },
    })
    expect(observed({ target: aTarget({ replicas: 0 }) })).toMatchObject({
      phase: 'Stopped',
      ready: { status: 'True' },
    })
  })

  test('a deleted agent is gone when nothing of it lives', () => {
    const target = aTarget({ deleting: true })
    expect(observed({ target, instances: [instance({ stopping: true })] })).toMatchObject({
      gone: false,
      phase: 'Running',
      ready: { reason: 'Terminating' },
    })
    expect(observed({ target })).toMatchObject({ gone: true, phase: 'Stopped' })
  })
})
