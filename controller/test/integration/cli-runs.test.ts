import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import type { LiveArea } from '../../src/cli/terminal.ts'
import { createRun, emit, endRun, openGate } from '../support/api-rows.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { type FakeTerminal, fakeTerminal } from '../support/fake-terminal.ts'

let api: TestApi
/** The run that the next `run` starts. */
let nextRun: string

beforeAll(async () => {
  api = await startApi({
    listen: true,
    services: {
      runs: {
        create: async () => ({ runId: nextRun }),
        retry: async () => ({ runId: nextRun }),
        rollback: async () => ({ runId: nextRun }),
        cancel: async ({ runId }) =>
          endRun(api.store, runId, 'cancelled', { error: { ...FAILURE, code: 'cancelled' } }),
      },
    },
  })
})
afterAll(() => api.stop())

const FAILURE = {
  code: 'tool_failed',
  category: 'tool',
  message: 'no route to host',
  retryable: false,
  details: { place: 'blueprints/fix.yaml:9:5' },
}
const started = {
  event_name: 'stateward.run.step.started',
  data: { run: 'x', step: 'analyze', kind: 'agent_task', attempt: 1 },
}

function terminalFor(options: Parameters<typeof fakeTerminal>[0] = {}): FakeTerminal {
  return fakeTerminal({
    now: '2030-01-01T00:05:00.000Z',
    env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
    ...options,
  })
}

async function run(...argv: string[]): Promise<string> {
  const terminal = terminalFor()
  expect(await runProgram(argv, terminal)).toBe(0)
  return terminal.output()
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A terminal whose live area keeps what it shows. */
function liveTerminal(): {
  readonly terminal: FakeTerminal
  readonly frames: string[]
  readonly isDone: () => boolean
} {
  const frames: string[] = []
  let done = false
  const area: LiveArea = {
    size: { columns: 80, rows: 24 },
    show: (text) => void frames.push(text),
    done: () => {
      done = true
    },
  }
  return { terminal: terminalFor({ live: async () => area, columns: 80 }), frames, isDone: () => done }
}

describe('run --wait without a terminal', () => {
  it('prints a line for each event, what came out, and exits by the outcome', async () => {
    nextRun = await createRun(api.store, { name: 'lines-aaaaaa' })
    const terminal = terminalFor()
    const done = runProgram(['run', 'fix', '--wait'], terminal)
    await until(() => terminal.output().includes('was created'))
    await emit(api.store, { ...started, run_id: nextRun })
    await endRun(api.store, nextRun, 'completed', { outputs: { summary: 'well' } })
    expect(await done).toBe(0)
    expect(terminal.output()).toMatch(
      /analyze: started \(agent_task\)\n.* run completed after 2\.5s\nrun lines-aaaaaa completed after 2\.5s\n\nOutputs:\n {2}summary: well\n$/,
    )
  })

  it('says why a run failed and where to look; a cancelled one has an exit code of its own', async () => {
    nextRun = await createRun(api.store, { name: 'lines-bbbbbb' })
    await endRun(api.store, nextRun, 'failed', { error: FAILURE })
    const failed = terminalFor()
    expect(await runProgram(['run', 'fix', '--wait'], failed)).toBe(1)
    expect(failed.output()).toMatch(
      /run lines-bbbbbb failed after 2\.5s\n {2}tool_failed: no route to host\n {2}remedy: .+ \[SW_TOOL_FAILED\]\n {2}at: blueprints\/fix\.yaml:9:5\nnext: stateward describe run lines-bbbbbb\n$/,
    )
    nextRun = await createRun(api.store, { name: 'lines-cccccc' })
    await endRun(api.store, nextRun, 'cancelled', { error: { ...FAILURE, code: 'cancelled' } })
    expect(await runProgram(['run', 'fix', '--wait'], terminalFor())).toBe(3)
  })

  it('prints nothing but the run as it ended with -o json', async () => {
    nextRun = await createRun(api.store, { name: 'lines-dddddd' })
    await endRun(api.store, nextRun, 'failed', { error: FAILURE })
    const terminal = terminalFor()
    expect(await runProgram(['run', 'fix', '--wait', '-o', 'json'], terminal)).toBe(1)
    expect(JSON.parse(terminal.output())).toMatchObject({ name: 'lines-dddddd', status: 'failed', error: FAILURE })
  })

  it('leaves the run alone at Ctrl-C, and says how to come back', async () => {
    nextRun = await createRun(api.store, { name: 'lines-eeeeee' })
    const terminal = terminalFor()
    const done = runProgram(['run', 'fix', '--wait'], terminal)
    await until(() => terminal.output().includes('was created'))
    terminal.interrupt()
    expect(await done).toBe(130)
    expect(terminal.errors()).toBe(
      'run lines-eeeeee goes on without this command\n  watch it again: stateward describe run lines-eeeeee --watch\n  cancel it:      stateward cancel lines-eeeeee\n',
    )
    expect(JSON.parse(await run('describe', 'run', 'lines-eeeeee', '-o', 'json')).run.status).toBe('running')
  })
})

describe('run --wait on a terminal', () => {
  it('keeps a tree of the steps up to date, and leaves it standing at the end', async () => {
    nextRun = await createRun(api.store, { name: 'tree-aaaaaa' })
    const { terminal, frames, isDone } = liveTerminal()
    const done = runProgram(['run', 'fix', '--wait'], terminal)
    await until(() => frames.some((frame) => frame.includes('· approve')))
    await openGate(api.store, nextRun)
    await emit(api.store, { ...started, run_id: nextRun })
    await until(() => frames.at(-1)!.includes('✔ analyze'))
    await endRun(api.store, nextRun, 'completed', { outputs: {} })
    expect(await done).toBe(0)
    expect(frames.at(-1)).toContain('✔ tree-aaaaaa  completed  2.5s')
    expect(isDone()).toBe(true)
    expect(terminal.output()).toBe('run tree-aaaaaa completed after 2.5s\n')
  })

  it('gives the terminal back at Ctrl-C', async () => {
    nextRun = await createRun(api.store, { name: 'tree-bbbbbb' })
    const { terminal, frames, isDone } = liveTerminal()
    const done = runProgram(['describe', 'run', 'tree-bbbbbb', '--watch'], terminal)
    await until(() => frames.length > 2)
    terminal.interrupt()
    expect(await done).toBe(130)
    expect(isDone()).toBe(true)
    expect(terminal.errors()).toContain('goes on without this command')
  })
})

describe('cancel', () => {
  it('with --wait shows the end, which is what was asked for', async () => {
    await createRun(api.store, { name: 'cancel-aaaaaa' })
    const terminal = terminalFor()
    expect(await runProgram(['cancel', 'cancel-aaaaaa', '--wait'], terminal)).toBe(0)
    expect(terminal.output()).toContain('run cancel-aaaaaa cancelled')
  })
})

describe('retry and rollback', () => {
  it('with --wait show the run that follows, and exit by its outcome', async () => {
    await createRun(api.store, { name: 'follow-aaaaaa', status: 'failed' })
    nextRun = await createRun(api.store, { name: 'follow-bbbbbb' })
    await endRun(api.store, nextRun, 'completed', { outputs: {} })
    expect(await run('retry', 'follow-aaaaaa', '--from', 'report', '--wait')).toContain(
      'run follow-bbbbbb completed after 2.5s\n',
    )
    nextRun = await createRun(api.store, { name: 'follow-cccccc' })
    await api.store.engine`
      UPDATE runs SET inputs = ${api.store.engine.json({ undo: ['fix'], not_undone: [{ step: 'report', action: 'fs.write', reason: 'no undo' }] })}
      WHERE run_id = ${nextRun}`
    await endRun(api.store, nextRun, 'failed', { error: FAILURE })
    const terminal = terminalFor()
    expect(await runProgram(['rollback', 'follow-aaaaaa', '--wait'], terminal)).toBe(1)
    expect(terminal.output()).toMatch(
      /^run follow-cccccc undoes follow-aaaaaa: fix\nnot undone: report \(fs\.write\): no undo\n(.*\n)*run follow-cccccc failed/,
    )
  })

  it('complete the steps to go on from', async () => {
    expect(await run('__complete', 'retry', 'follow-aaaaaa', '--from', '')).toBe('analyze\napprove\nreport\n')
    expect(await run('__complete', 'rollback', 'follow-a')).toBe('follow-aaaaaa\n')
  })
})

describe('runs', () => {
  it('lists the newest first, narrowed by status, time and what waits', async () => {
    const create = (name: string, status: string, day: number) =>
      createRun(api.store, { name, namespace: 'list', status, createdAt: new Date(Date.UTC(2029, 11, day)) })
    const waiting = await create('l-running', 'running', 29)
    await create('l-failed', 'failed', 30)
    await create('l-completed', 'completed', 31)
    await openGate(api.store, waiting)
    const names = async (...argv: string[]) =>
      (await run('runs', '-n', 'list', '-o', 'name', ...argv)).trim().split('\n')
    expect(await names()).toEqual(['l-completed', 'l-failed', 'l-running'])
    expect(await names('--status', 'failed,running')).toEqual(['l-failed', 'l-running'])
    expect(await names('--since', '36h')).toEqual(['l-completed'])
    expect(await names('--since', '2029-12-30')).toEqual(['l-completed', 'l-failed'])
    expect(await names('--waiting')).toEqual(['l-running'])
    expect(await names('--blueprint', 'other')).toEqual([''])
    const limited = terminalFor()
    expect(await runProgram(['runs', '-n', 'list', '--limit', '2'], limited)).toBe(0)
    expect(limited.output()).toMatch(/^NAME +STATUS .*\nl-completed .*\nl-failed .*\n$/)
    expect(limited.errors()).toBe('… and older ones: --limit 10\n')
    expect(JSON.parse(await run('runs', '-A', '--limit', '3', '-o', 'json')).items).toHaveLength(3)
    expect(await run('runs', '-n', 'list', '--status', 'failed', '-o', 'yaml')).toMatch(/^items:\n {2}- run_id: /)
  })

  it('refuses words that are no status and times that are none', async () => {
    for (const argv of [
      ['--status', 'done'],
      ['--since', 'soon'],
      ['--limit', 'x'],
    ]) {
      const terminal = terminalFor()
      expect(await runProgram(['runs', ...argv], terminal)).toBe(2)
      expect(terminal.errors()).toContain(argv[1])
    }
  })
})

describe('replay', () => {
  it('prints the history of a run as it was recorded, also as JSON and YAML', async () => {
    const runId = await createRun(api.store, { name: 'replay-aaaaaa' })
    await emit(api.store, { ...started, run_id: runId, data: { ...started.data, inputs: { host: 'web-1' } } })
    await endRun(api.store, runId, 'failed', { error: FAILURE })
    const text = await run('replay', 'replay-aaa')
    expect(text).toMatch(/^ +\+0\.000s {2}run .* was created by user:ada/)
    expect(text).toMatch(
      /analyze: started \(agent_task\)\n +\+0\.000s {2}run failed after 2\.5s\n +tool_failed: no route/,
    )
    expect(await run('replay', 'replay-aaaaaa', '--values')).toContain('host: web-1')
    expect(
      (await run('replay', runId, '-o', 'json'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).event_name),
    ).toEqual(['stateward.run.created', 'stateward.run.step.started', 'stateward.run.failed'])
    expect((await run('replay', runId, '-o', 'yaml')).split('---\n')).toHaveLength(4)
  })

  it('goes on with -f until the run ends', async () => {
    const runId = await createRun(api.store, { name: 'replay-bbbbbb' })
    const terminal = terminalFor()
    const done = runProgram(['replay', 'replay-bbbbbb', '-f'], terminal)
    await until(() => terminal.output().includes('was created'))
    await endRun(api.store, runId, 'completed', { outputs: {} })
    expect(await done).toBe(0)
    expect(terminal.output().match(/was created/g)).toHaveLength(1)
    expect(terminal.output()).toContain('run completed')
  })

  it('refuses a run that never was', async () => {
    const terminal = terminalFor()
    expect(await runProgram(['replay', 'nope-nope'], terminal)).toBe(1)
    expect(terminal.errors()).toBe(
      'error: there is no run "nope-nope"\n  remedy: list them: stateward runs [SW_NOT_FOUND]\n',
    )
  })
})

describe('describe -o', () => {
  it('gives all facts about a run, and about an object', async () => {
    const runId = await createRun(api.store, { name: 'facts-aaaaaa' })
    await openGate(api.store, runId)
    const facts = JSON.parse(await run('describe', 'run', 'facts-aaaaaa', '-o', 'json'))
    expect(facts).toMatchObject({
      run: { name: 'facts-aaaaaa' },
      gates: [{ step: 'approve', state: 'waiting' }],
      artifacts: [],
      events: [{ event_name: 'stateward.run.created' }],
    })
    expect(facts.steps).toHaveLength(3)
    expect(await run('describe', 'run', 'facts-aaaaaa', '-o', 'yaml')).toMatch(/^run:\n {2}run_id: /)
    const wrong = terminalFor()
    expect(await runProgram(['describe', 'agent', 'sre', '--watch'], wrong)).toBe(2)
  })
})
