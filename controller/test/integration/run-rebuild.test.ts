import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { digestOf } from '../../src/lib/digest.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import { decideGate } from '../../src/runs/gates/decide-gate.ts'
import { replayRun } from '../../src/runs/rebuild/replay.ts'
import { readEvents, verifyLog } from '../../src/store/log.ts'
import { getArtifact } from '../../src/store/queries/artifacts.ts'
import { getRun, type RunRow } from '../../src/store/queries/runs.ts'
import { stepsOfRuns } from '../../src/store/queries/steps.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import {
  blueprintOf,
  caller,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  until,
  untilEnded,
  untilWaiting,
} from '../support/run-stack.ts'

let api: TestApi
let stack: RunStack

const big = 'x'.repeat(40_000)
const tools = functionTools({
  'give.value': { run: ({ with: given }) => ({ got: given['value'] ?? null }) },
  'give.much': { run: () => ({ big }) },
  'give.more': { run: () => ({ big: `${big}!` }) },
  'give.up': {
    run: () => {
      throw fail('SW_TOOL_FAILED', 'the host is gone', { details: { host: 'web-1' } })
    },
  },
})
const INPUTS = [{ name: 'n', schema: { type: 'number' }, required: true }]

beforeAll(async () => {
  api = await startApi({
    listen: true,
    services: {
      runs: {
        replay: (request, by) => replayRun({ store: api.store, environmentOf, values: stack.values }, request, by),
      },
    },
  })
  stack = startRunStack(api.store, tools)
})
afterAll(async () => {
  await stack.stop()
  await api.stop()
})

const rowsOf = async (runId: string) => {
  // Who moves a run and when is no history; of a run that has ended only the count of messages is left of it.
  const { signals: _, ...run } = (await getRun(api.store.engine, runId)) as RunRow
  return { run, steps: await stepsOfRuns(api.store.engine, [runId]) }
}
const replay = (runId: string, write = false) =>
  replayRun({ store: api.store, environmentOf, values: stack.values }, { runId, write }, caller)
const deleteRun = (runId: string) => api.store.engine`DELETE FROM runs WHERE run_id = ${runId}`
const cli = async (...args: readonly string[]) => {
  const terminal = fakeTerminal()
  const code = await runProgram(['events', ...args, '--server', api.url, '--token', ADMIN_TOKEN], terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}

const PATIENT = { maxAttempts: 2, backoff: '1ms', retryIf: 'true' }
const ENDINGS: Record<string, { plan: object[]; inputs?: object }> = {
  'that looped': {
    plan: [
      {
        id: 'each',
        kind: 'foreach',
        items: '[inputs.n, 2.0, 3.0]',
        as: 'item',
        concurrency: 2,
        plan: [{ id: 'call', kind: 'action_task', action: 'give.value', with: { value: '{{ item }}' } }],
      },
    ],
  },
  'that failed after another attempt in a loop': {
    plan: [
      {
        id: 'each',
        kind: 'foreach',
        items: '[1, 2]',
        as: 'item',
        plan: [{ id: 'first', kind: 'action_task', action: 'give.up', retry: PATIENT }],
      },
      { id: 'second', kind: 'transform', expression: '1' },
    ],
  },
  'that completed': {
    plan: [
      { id: 'call', kind: 'action_task', action: 'give.value', with: { value: '{{ inputs.n }}' } },
      { id: 'never', kind: 'transform', expression: '1', if: 'inputs.n > 100.0' },
      { id: 'sum', kind: 'transform', expression: "{'text': 'a\\u0000b', 'nothing': null}" },
    ],
  },
  'that failed': {
    plan: [
      { id: 'first', kind: 'action_task', action: 'give.up' },
      { id: 'second', kind: 'transform', expression: '1' },
    ],
  },
}

describe('a run', () => {
  afterEach(async () => {
    // What a replay writes is logged like everything else.
    expect(await verifyLog(api.store.engine)).toMatchObject({ ok: true })
  })

  for (const [what, { plan }] of Object.entries(ENDINGS)) {
    it(`${what} comes back from its events as it was`, async () => {
      const runId = await stack.start(blueprintOf('rebuilt', { inputs: INPUTS, plan } as never), { n: 1.5 })
      await untilEnded(api.store, runId)
      const before = await rowsOf(runId)
      expect(await replay(runId)).toMatchObject({ differences: [], written: false })

      await deleteRun(runId)
      const back = await replay(runId, true)
      expect(back.written).toBe(true)
      expect(back.differences[0]).toMatchObject({ row: 'run', column: null, stored: null })
      expect(await rowsOf(runId)).toEqual(before)
      expect(await replay(runId)).toMatchObject({ differences: [] })
      const told = await readEvents(api.store.engine, { runId, name: 'stateward.run.rebuilt', limit: 5 })
      expect(told).toMatchObject([{ actor: 'user:ada', data: { steps: before.steps.length } }])
    })
  }

  it('that waited at a gate comes back with the time it had left', async () => {
    const plan = [
      { id: 'ask', kind: 'gate', mode: 'manual' },
      { id: 'after', kind: 'transform', expression: 'steps.ask.output.actor' },
    ]
    const runId = await stack.start(blueprintOf('asking', { plan } as never))
    await untilWaiting(api.store, runId, 'WaitingForApproval')
    // What is parked is compared without the time that stands still, and never written.
    expect(await replay(runId)).toMatchObject({ differences: [] })
    await api.store.engine`UPDATE runs SET priority = 7 WHERE run_id = ${runId}`
    await expect(replay(runId, true)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
    await api.store.engine`UPDATE runs SET priority = 0 WHERE run_id = ${runId}`

    const [gate] = await until(
      () => api.store.engine<{ step_id: string }[]>`SELECT step_id FROM gates WHERE run_id = ${runId}`,
      (gates) => gates.length === 1,
    )
    const deps = {
      store: api.store,
      environmentOf,
      standingOf: () => ({ roles: [], teams: [] }),
      nudge: (id: string) => stack.engine.nudge(id),
    }
    await decideGate(deps, { stepId: gate!.step_id, decision: 'approve', reason: null, input: null }, caller)
    await untilEnded(api.store, runId)
    const before = await rowsOf(runId)
    await deleteRun(runId)
    await replay(runId, true)
    expect(await rowsOf(runId)).toEqual(before)
  })

  it('whose rows were edited is found out, and put right by the command line', async () => {
    const plan = [{ id: 'only', kind: 'transform', expression: '{"a": 1}' }]
    const runId = await stack.start(blueprintOf('edited', { plan } as never))
    const { name } = await untilEnded(api.store, runId)
    const before = await rowsOf(runId)
    await api.store.engine`UPDATE steps SET outputs = '{"a": 2}' WHERE run_id = ${runId}`
    await api.store.engine`
      INSERT INTO steps (run_id, path, attempt, step_id, kind, status) VALUES (${runId}, 'forged', 1, ${runId}, 'gate', 'completed')`

    const compared = await cli('replay', '--run', name)
    expect(compared.code).toBe(1)
    expect(compared.output).toContain('step only#1 outputs: stored {"a":2}, events say {"a":1}')
    expect(compared.output).toContain('step forged#1: stored "completed", events say nothing')
    const written = await cli('replay', '--run', name, '--write', '-o', 'json')
    expect(written.code).toBe(0)
    expect(JSON.parse(written.output)).toMatchObject({ run_id: runId, written: true })
    expect(await rowsOf(runId)).toEqual(before)

    await deleteRun(runId)
    // Its name is known to the log alone now.
    expect((await cli('replay', '--run', name, '--write')).code).toBe(0)
    expect(await rowsOf(runId)).toEqual(before)
  })

  it('comes back with values too large for an event, which artifacts hold', async () => {
    const plan = [
      { id: 'much', kind: 'action_task', action: 'give.much' },
      { id: 'passed_on', kind: 'action_task', action: 'give.value', with: { value: '{{ steps.much.output }}' } },
      { id: 'small', kind: 'transform', expression: 'size(steps.passed_on.output.got.big)' },
    ]
    const outputs = [{ name: 'all', value: '{{ steps.much.output }}' }]
    const runId = await stack.start(blueprintOf('large', { plan, outputs } as never))
    await untilEnded(api.store, runId)
    const events = await readEvents(api.store.engine, { runId, limit: 50 })
    const told = events.find(({ event_name, data }) => event_name.endsWith('step.completed') && data['step'] === 'much')
    expect(told?.data).toEqual({
      run: expect.any(String),
      step: 'much',
      kind: 'action_task',
      attempt: 1,
      output_artifact: expect.any(String),
      output_bytes: 40_010,
      output_digest: digestOf({ big }),
    })
    const artifact = await getArtifact(api.store.engine, told!.data['output_artifact'] as string)
    expect(artifact).toMatchObject({ kind: 'value', run_id: runId, step_id: told!.step_id, sha256: digestOf({ big }) })
    const before = await rowsOf(runId)
    await deleteRun(runId)
    expect(await replay(runId, true)).toMatchObject({ written: true })
    expect(await rowsOf(runId)).toEqual(before)
  })

  it('with a large value keeps what is stored, and is refused when that and its artifact are gone', async () => {
    const plan = [{ id: 'more', kind: 'action_task', action: 'give.more' }]
    const runId = await stack.start(blueprintOf('large', { plan } as never))
    await untilEnded(api.store, runId)
    const before = await rowsOf(runId)
    expect(await replay(runId)).toMatchObject({ differences: [] })
    await api.store.engine`UPDATE runs SET error = '{}' WHERE run_id = ${runId}`
    expect(await replay(runId, true)).toMatchObject({ differences: [{ row: 'run', column: 'error' }], written: true })
    expect(await rowsOf(runId)).toEqual(before)
    await deleteRun(runId)
    rmSync(join(stack.dataDir, 'artifacts'), { recursive: true })
    await expect(replay(runId, true)).rejects.toMatchObject({ ref: 'SW_CONFLICT' })
  })

  it('that the log does not hold is not found', async () => {
    const terminal = await cli('replay', '--run', '01900000-0000-7000-8000-00000000dead')
    expect(terminal.code).toBe(1)
    expect(terminal.errors).toContain('SW_NOT_FOUND')
    expect((await cli('replay')).errors).toContain('SW_USAGE')
  })
})
