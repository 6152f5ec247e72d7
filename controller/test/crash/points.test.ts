import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { CRASH_POINTS, type CrashPoint } from '../../src/runs/crash-points.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import type { RunProcessConfig } from '../support/run-process.ts'
import { blueprintOf, caller, environmentOf, until, untilEnded } from '../support/run-stack.ts'

/** Passes every crash point: an effect that must not be repeated, one that may, a decision. */
const blueprint = blueprintOf('everything', {
  triggers: [{ event: 'test.wanted' }],
  plan: [
    { id: 'once', kind: 'action_task', action: 'effect.once', with: {} },
    { id: 'again', kind: 'action_task', action: 'effect.again', with: {} },
    { id: 'ask', kind: 'gate', mode: 'manual' },
    { id: 'end', kind: 'transform', expression: 'steps.once.output' },
  ],
})

/** How often the process passes a point before its run has ended; each pass is a crash of its own. */
const PASSES: Readonly<Record<CrashPoint, number>> = {
  'journal.before_commit': 4,
  'journal.after_commit': 4,
  'trigger.before_commit': 1,
  'trigger.after_commit': 1,
  'run.claimed': 2,
  'action.before_effect': 2,
  'action.after_effect': 2,
  // Nothing of this blueprint costs anything: budgets.test.ts passes these.
  'budget.reserved': 0,
  'budget.unsettled': 0,
  'gate.before_commit': 1,
  'gate.after_commit': 1,
}

const loop = blueprintOf('looping', {
  triggers: [{ event: 'test.list.wanted' }],
  plan: [
    {
      id: 'each',
      kind: 'foreach',
      // Two at once: at least four commits, however many moves share one.
      items: '[1, 2, 3, 4, 5, 6, 7, 8]',
      as: 'n',
      concurrency: 2,
      plan: [
        { id: 'again', kind: 'action_task', action: 'effect.again', with: {} },
        { id: 'sum', kind: 'transform', expression: 'n' },
      ],
    },
  ],
  outputs: [{ name: 'each', value: '{{ steps.each.output }}' }],
})

describe('a worker that is killed', () => {
  let store: TestStore
  let folder: string
  const children: ChildProcess[] = []
  beforeAll(async () => {
    store = await createTestStore({ host: 'observer' })
    folder = mkdtempSync(join(tmpdir(), 'stateward-crash-'))
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await store.end()
    rmSync(folder, { recursive: true, force: true })
  })

  // Also when a test broke off: nobody works on the run of the next one.
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  const spawnProcess = (effectsFile: string, crash: RunProcessConfig['crash']): Promise<NodeJS.Signals | null> => {
    const config: RunProcessConfig = {
      urls: store.database.urls,
      dataDir: folder,
      effectsFile,
      blueprints: [blueprint, loop],
      crash,
    }
    const file = join(folder, `${uuidv7()}.json`)
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/run-process.ts'), file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    children.push(child)
    const exited = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_code, signal) => resolve(signal)))
    if (crash === null) return exited
    const late = delay(30_000, undefined, { ref: false }).then(() => {
      throw new Error(`the process did not pass ${crash.point} ${crash.passes} times`)
    })
    return Promise.race([exited, late])
  }
  const emit = async (name = 'test.wanted') => {
    const id = uuidv7()
    const event = {
      event_id: id,
      event_name: name,
      occurred_at: new Date(),
      env_id: 'default',
      actor: 'user:ada',
      correlation_id: id,
      data: {},
    }
    await transact(store, (tx) => appendEvents(tx, store, [event]))
    return id
  }

  const untilStep = async (runId: string, path: string, status: string) => {
    const steps = await until(
      () => stepsOfRuns(store.reader, [runId]),
      (seen) => seen.some((step) => step.path === path && step.status === status),
      `step ${path} to be ${status}`,
    )
    return steps.find((step) => step.path === path)!
  }

  const points = (Object.keys(CRASH_POINTS) as CrashPoint[]).flatMap((point) =>
    Array.from({ length: PASSES[point] }, (_, index) => [point, index + 1] as const),
  )
  it.each(points)('at %s (pass %i) loses no run and repeats no recorded effect', async (point, passes) => {
    const effectsFile = join(folder, `${point}-${passes}`)
    const eventId = await emit()
    expect(await spawnProcess(effectsFile, { point, passes })).toBe('SIGKILL')
    const successor = spawnProcess(effectsFile, null)

    const [run] = await until(
      () => store.reader<{ run_id: string; status: string; unknown: boolean }[]>`
        SELECT run_id, status, EXISTS (SELECT FROM gates g WHERE g.run_id = r.run_id AND mode = 'quarantine') AS unknown
        FROM runs r WHERE trigger_event = ${eventId}`,
      ([seen]) => seen?.status === 'completed' || seen?.unknown === true,
      'the end of the run, or its quarantine',
    )
    const { run_id: runId, unknown } = run!
    const lines = existsSync(effectsFile) ? readFileSync(effectsFile, 'utf8').trim().split('\n') : []
    const count = (line: string) => lines.filter((one) => one === line).length
    for (const effect of await effectsOfRuns(store.reader, [runId])) {
      const times = count(`${effect.tool} ${effect.operation_id}`)
      if (effect.idempotent) expect(times).toBeGreaterThanOrEqual(1)
      else expect(times).toBeLessThanOrEqual(1)
      if (effect.state === 'succeeded' && !effect.idempotent) expect(times).toBe(1)
      expect(effect.state).toBe(unknown && effect.path === 'once' ? 'quarantined' : 'succeeded')
    }
    // Quarantined only when the process died between intent and outcome of the effect that must not be repeated.
    if (unknown) {
      expect([point, passes]).not.toEqual(['action.after_effect', 2])
      const decide = { store, environmentOf, standingOf: () => ({ roles: [], teams: [] }), nudge: () => {} }
      const input = { answer: 'done', output: { done: 'by hand' } }
      await decideGate(decide, { stepId: stepIdOf(runId, 'once', 1), decision: 'approve', reason: null, input }, caller)
      const once = await untilStep(runId, 'once', 'completed')
      expect(once.outputs).toEqual({ done: 'by hand' })
    }
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    const story = await readEvents(store.reader, { runId, limit: 100 })
    for (const name of ['stateward.run.created', 'stateward.run.started', 'stateward.run.completed']) {
      expect(story.filter(({ event_name }) => event_name === name)).toHaveLength(1)
    }
    children.at(-1)!.kill('SIGKILL')
    await successor
  })

  it('between a run that is made at once and the cursor of its event starts nothing twice', async () => {
    const effectsFile = join(folder, 'made-at-once')
    // The first event is read by a process that does not know yet who read before it; the second one's run is made at once.
    const before = await emit()
    const crashed = spawnProcess(effectsFile, { point: 'trigger.before_commit', passes: 2 })
    await until(
      () => store.reader`SELECT 1 FROM runs WHERE trigger_event = ${before} AND status = 'completed'`,
      (seen) => seen.length === 1,
      'the first run to end',
    )
    const eventId = await emit()
    expect(await crashed).toBe('SIGKILL')
    const made = await store.reader<{ run_id: string }[]>`SELECT run_id FROM runs WHERE trigger_event = ${eventId}`
    expect(made).toHaveLength(1)
    const [cursor] = await store.reader<{ behind: boolean }[]>`
      SELECT consumers.seq < events.seq AS behind FROM consumers, events WHERE name = 'triggers' AND event_id = ${eventId}`
    expect(cursor).toEqual({ behind: true })
    const successor = spawnProcess(effectsFile, null)
    await until(
      () => store.reader`
        SELECT 1 FROM consumers, events WHERE name = 'triggers' AND event_id = ${eventId} AND consumers.seq >= events.seq`,
      (seen) => seen.length === 1,
      'the cursor to move on',
    )
    const runs = await store.reader<{ run_id: string }[]>`SELECT run_id FROM runs WHERE trigger_event = ${eventId}`
    expect([...runs]).toEqual([...made])
    children.at(-1)!.kill('SIGKILL')
    await successor
  })

  const inLoop: readonly [CrashPoint, number][] = [
    ['action.before_effect', 1],
    ['action.after_effect', 2],
    ['action.after_effect', 3],
    ['journal.after_commit', 4],
  ]
  it.each(inLoop)('in a loop, at %s (pass %i), is followed where the loop stood', async (point, passes) => {
    const effectsFile = join(folder, `loop-${point}-${passes}`)
    const eventId = await emit('test.list.wanted')
    expect(await spawnProcess(effectsFile, { point, passes })).toBe('SIGKILL')
    const [before] = await store.reader<{ run_id: string }[]>`SELECT run_id FROM runs WHERE trigger_event = ${eventId}`
    const recorded = (await effectsOfRuns(store.reader, [before!.run_id])).filter(({ state }) => state === 'succeeded')
    const linesOf = (operationId: string) =>
      readFileSync(effectsFile, 'utf8')
        .split('\n')
        .filter((line) => line === `effect.again ${operationId}`).length
    const successor = spawnProcess(effectsFile, null)
    const run = await untilEnded(store, before!.run_id)
    expect(run).toMatchObject({ status: 'completed', outputs: { each: [1, 2, 3, 4, 5, 6, 7, 8] } })
    const effects = await effectsOfRuns(store.reader, [run.run_id])
    expect(effects.map(({ state }) => state)).toEqual(Array(8).fill('succeeded'))
    for (const { operation_id } of effects) expect(linesOf(operation_id)).toBeGreaterThanOrEqual(1)
    for (const { operation_id } of recorded) expect(linesOf(operation_id)).toBe(1)
    const story = await readEvents(store.reader, { runId: run.run_id, limit: 100 })
    const ends = story.filter(({ event_name }) => event_name === 'stateward.run.step.completed')
    expect(new Set(ends.map(({ data }) => data['step'])).size).toBe(ends.length)
    children.at(-1)!.kill('SIGKILL')
    await successor
  })
})
