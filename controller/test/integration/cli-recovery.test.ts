import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { requeueDeadLetter } from '../../src/runs/triggers/requeue.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import {
  blueprintOf,
  blueprintsOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  untilEnded,
} from '../support/run-stack.ts'

const CALL = { id: 'call', kind: 'action_task', action: 'flaky' }
const blueprint = blueprintOf('calls', { inputs: [{ name: 'host' }], plan: [CALL] })

let api: TestApi
let stack: RunStack
let folder: string
const asked: object[] = []
let broken = true

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-cli-'))
  api = await startApi({
    listen: true,
    services: {
      runs: {
        createInline: async (request) => {
          asked.push(request)
          return { runId: await stack.start(blueprint) }
        },
        requeue: (id, caller) =>
          requeueDeadLetter(
            {
              store: api.store,
              blueprints: blueprintsOf([blueprint]),
              environmentOf,
              nudge: (runId) => stack.engine.nudge(runId),
            },
            id,
            caller,
          ),
      },
    },
  })
  const run = () => {
    if (broken) throw new Error('connection refused')
    return {}
  }
  stack = startRunStack(api.store, functionTools({ flaky: { run } }))
})
afterAll(async () => {
  await stack.stop()
  await api.stop()
  await rm(folder, { recursive: true, force: true })
})

async function stateward(...argv: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = fakeTerminal({
    cwd: folder,
    now: new Date().toISOString(),
    env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
  })
  const code = await runProgram(argv, terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}

describe('recovery', () => {
  it('lists what failed for good, tries one again, and counts both', async () => {
    expect(await stateward('recovery', 'list')).toMatchObject({ code: 0, output: 'no dead letters\n' })
    const runId = await stack.start(blueprint, { host: 'web-1' })
    await untilEnded(api.store, runId)
    const listed = await stateward('recovery', 'list')
    expect(listed.output).toMatch(/^ID +KIND +BLUEPRINT +RUN/i)
    expect(listed.output).toContain(`${runId}   run `)
    expect((await stateward('recovery')).output).toMatch(/Dead:? +1\n/)
    broken = false
    const again = await stateward('recovery', 'requeue', runId, '-o', 'json')
    expect(again.code).toBe(0)
    const made = JSON.parse(again.output) as { run_id: string }
    expect(await untilEnded(api.store, made.run_id)).toMatchObject({ status: 'completed', inputs: { host: 'web-1' } })
    const twice = await stateward('recovery', 'requeue', runId)
    expect(twice).toMatchObject({ code: 1, output: '' })
    expect(twice.errors).toContain('was requeued before')
    expect(JSON.parse((await stateward('recovery', 'stats', '-o', 'json')).output)).toMatchObject({
      dead: 0,
      requeued: 1,
    })
    expect(JSON.parse((await stateward('recovery', 'list', '--requeued', '-o', 'json')).output).items).toMatchObject([
      { dead_letter_id: runId, requeued_run_id: made.run_id },
    ])
  })

  it('says what it is asked for when it is asked wrongly', async () => {
    expect((await stateward('recovery', 'requeue')).errors).toContain('stats, list or requeue <id>')
  })
})

describe('run --plan', () => {
  it('sends the plan of a file with its inputs and what it may cost', async () => {
    await writeFile(
      join(folder, 'plan.yaml'),
      'plan:\n  - skill: http.call\n    params: {url: "http://x"}\ninputs: {a: 1}\n',
    )
    const started = await stateward('run', '--plan', 'plan.yaml', '--input', 'b=two', '--budget-cents', '5')
    expect(started.errors).toBe('')
    expect(started.output).toContain('was started')
    expect(asked).toMatchObject([
      { plan: [{ skill: 'http.call', params: { url: 'http://x' } }], inputs: { a: 1, b: 'two' }, budgetCents: 5 },
    ])
    expect((await stateward('run', 'calls', '--plan', 'plan.yaml')).errors).toContain(
      'name a blueprint, or give a plan',
    )
    expect((await stateward('run', '--plan', 'gone.yaml')).errors).toContain('cannot be read')
  })
})
