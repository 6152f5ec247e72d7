import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { CrashPoint } from '../../src/runs/crash-points.ts'
import { decideGate } from '../../src/runs/decide-gate.ts'
import { appendEvents, readEvents } from '../../src/store/log.ts'
import { effectsOfRuns } from '../../src/store/queries/effects.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import type { RunProcessConfig } from '../support/run-process.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  startRunStack,
  statusesOf,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

const blueprint = blueprintOf('two-effects', {
  triggers: [{ event: 'test.wanted' }],
  plan: [
    { id: 'once', kind: 'action_task', action: 'effect.once', with: {} },
    { id: 'again', kind: 'action_task', action: 'effect.again', with: {} },
    { id: 'end', kind: 'transform', expression: 'steps.once.output' },
  ],
})

const loop = blueprintOf('looping', {
  triggers: [{ event: 'test.list.wanted' }],
  plan: [
    {
      id: 'each',
      kind: 'foreach',
      items: '[1, 2, 3, 4]',
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

describe('a process that is killed', () => {
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
    return new Promise((resolve) => child.on('exit', (_code, signal) => resolve(signal)))
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

  const points: readonly [CrashPoint, number][] = [
    ['trigger.before_commit', 1],
    ['trigger.after_commit', 1],
    ['run.claimed', 1],
    ['journal.before_commit', 1],
    ['journal.after_commit', 1],
    ['journal.before_commit', 2],
    ['journal.after_commit', 2],
    ['journal.before_commit', 3],
    ['action.before_effect', 1],
    ['action.after_effect', 1],
    ['action.before_effect', 2],
    ['action.after_effect', 2],
  ]
  it.each(points)('at %s (pass %i) loses no run and repeats no recorded effect', async (point, passes) => {
    const effectsFile = join(folder, `${point}-${passes}`)
    const eventId = await emit()
    expect(await spawnProcess(effectsFile, { point, passes })).toBe('SIGKILL')
    const successor = spawnProcess(effectsFile, null)

    const [run] = await until(
      () => store.reader<{ run_id: string; status: string; reason: string | null }[]>`
        SELECT run_id, status, condition ->> 'reason' AS reason FROM runs WHERE trigger_event = ${eventId}`,
      ([seen]) => seen?.status === 'completed' || seen?.reason === 'WaitingForApproval',
      'the end of the run, or its quarantine',
    )
    const runId = run!.run_id
    const lines = existsSync(effectsFile) ? readFileSync(effectsFile, 'utf8').trim().split('\n') : []
    const count = (line: string) => lines.filter((one) => one === line).length
    for (const effect of await effectsOfRuns(store.reader, [runId])) {
      const times = count(`${effect.tool} ${effect.operation_id}`)
      if (effect.idempotent) expect(times).toBeGreaterThanOrEqual(1)
      else expect(times).toBeLessThanOrEqual(1)
      if (effect.state === 'succeeded' && !effect.idempotent) expect(times).toBe(1)
      expect(effect.state).toBe(run!.reason === null || effect.path === 'again' ? 'succeeded' : 'quarantined')
    }
    // Quarantined only when the process died between intent and outcome of the effect that must not be repeated.
    if (run!.reason !== null) {
      expect([point, passes]).not.toEqual(['action.after_effect', 2])
      const decide = { store, environmentOf, standingOf: () => ({ roles: [], teams: [] }), nudge: () => {} }
      await decideGate(
        decide,
        { stepId: stepIdOf(runId, 'once', 1), decision: 'approve', reason: null, input: { done: 'by hand' } },
        caller,
      )
      expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
      const once = (await stepsOfRuns(store.reader, [runId])).find(({ path }) => path === 'once')
      expect(once!.outputs).toEqual({ done: 'by hand' })
    }
    const story = await readEvents(store.reader, { runId, limit: 100 })
    for (const name of ['stateward.run.created', 'stateward.run.started', 'stateward.run.completed']) {
      expect(story.filter(({ event_name }) => event_name === name)).toHaveLength(1)
    }
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
    expect(run).toMatchObject({ status: 'completed', outputs: { each: [1, 2, 3, 4] } })
    const effects = await effectsOfRuns(store.reader, [run.run_id])
    expect(effects.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded'])
    for (const { operation_id } of effects) expect(linesOf(operation_id)).toBeGreaterThanOrEqual(1)
    for (const { operation_id } of recorded) expect(linesOf(operation_id)).toBe(1)
    const story = await readEvents(store.reader, { runId: run.run_id, limit: 100 })
    const ends = story.filter(({ event_name }) => event_name === 'stateward.run.step.completed')
    expect(new Set(ends.map(({ data }) => data['step'])).size).toBe(ends.length)
    children.at(-1)!.kill('SIGKILL')
    await successor
  })
})

describe('a process whose lease is taken', () => {
  let first: TestStore
  beforeAll(async () => {
    first = await createTestStore()
  })
  afterAll(() => first.end())

  it('writes nothing more; its successor goes on behind the last recorded step', async () => {
    const hung = functionTools({
      quick: { run: () => 1 },
      hang: { run: () => new Promise(() => {}), idempotent: true },
    })
    const old = startRunStack(first, hung)
    const chain = blueprintOf('chain', {
      plan: [
        { id: 'a', kind: 'action_task', action: 'quick', with: {} },
        { id: 'b', kind: 'action_task', action: 'hang', with: {} },
        { id: 'c', kind: 'transform', expression: 'steps.a.output + steps.b.output' },
      ],
      outputs: [{ name: 'sum', value: '{{ steps.c.output }}' }],
    })
    const runId = await old.start(chain)
    await until(
      () => statusesOf(first, runId),
      (seen) => seen['b'] === 'running',
    )
    const second = await openTestStore(first.database, { host: 'other-host' })
    const tools = functionTools({ quick: { run: () => 100 }, hang: { run: () => 2, idempotent: true } })
    const heir = startRunStack(second, tools)
    await second.engine`DELETE FROM writers WHERE id = ${first.writer.id}`
    expect(await untilEnded(second, runId)).toMatchObject({ status: 'completed', outputs: { sum: 3 } })
    expect(tools.calls.map(({ operationId }) => operationId)).toEqual([`${runId}/b/1`])
    await old.stop()
    await heir.stop()
    await second.end()
  })
})

describe('a process that stops', () => {
  let store: TestStore
  beforeAll(async () => {
    store = await createTestStore()
  })
  afterAll(() => store.end())

  it('records what ends in time and hands the run on before its next step', async () => {
    let finish: () => void = () => {}
    const tools = functionTools({
      slow: { run: () => new Promise((resolve) => (finish = () => resolve('done'))) },
      next: { run: () => 'next' },
    })
    const stack = startRunStack(store, tools, { stopGraceMs: 5000 })
    const plan = [
      { id: 'slow', kind: 'action_task', action: 'slow', with: {} },
      { id: 'next', kind: 'action_task', action: 'next', with: {} },
    ]
    const runId = await stack.start(blueprintOf('stopping', { plan }))
    await until(
      async () => tools.calls.length,
      (calls) => calls === 1,
    )
    const stopped = stack.stop()
    finish()
    await stopped
    expect(await statusesOf(store, runId)).toEqual({ slow: 'completed' })
    const again = startRunStack(store, tools)
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'completed' })
    expect(tools.calls.map(({ tool }) => tool)).toEqual(['slow', 'next'])
    await again.stop()
  })

  it('leaves an effect that does not end as an intent, which its successor puts into quarantine', async () => {
    const tools = functionTools({ hang: { run: () => new Promise(() => {}) } })
    const stack = startRunStack(store, tools, { stopGraceMs: 50 })
    const runId = await stack.start(
      blueprintOf('hanging', { plan: [{ id: 'hang', kind: 'action_task', action: 'hang', with: {} }] }),
    )
    await until(
      async () => tools.calls.length,
      (calls) => calls === 1,
    )
    await stack.stop()
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'intent' }])
    const heir = startRunStack(store, tools)
    const run = await untilWaiting(store, runId, 'WaitingForApproval')
    expect(run.deadline).toBeNull()
    const decide = {
      store,
      environmentOf,
      standingOf: () => ({ roles: [], teams: [] }),
      nudge: (id: string) => heir.engine.nudge(id),
    }
    await decideGate(
      decide,
      { stepId: stepIdOf(runId, 'hang', 1), decision: 'reject', reason: null, input: null },
      caller,
    )
    expect(await untilEnded(store, runId)).toMatchObject({ status: 'failed', error: { code: 'effect_unknown' } })
    expect(await effectsOfRuns(store.reader, [runId])).toMatchObject([{ state: 'failed' }])
    expect(tools.calls).toHaveLength(1)
    await heir.stop()
  })
})
