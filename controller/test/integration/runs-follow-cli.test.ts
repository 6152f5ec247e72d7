import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { fail } from '../../src/lib/error-catalogue.ts'
import { retryRun } from '../../src/runs/follow-up/retry-run.ts'
import { rollbackRun } from '../../src/runs/follow-up/rollback-run.ts'
import { getRun } from '../../src/store/queries/runs.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import {
  blueprintOf,
  environmentOf,
  functionTools,
  type RunStack,
  startRunStack,
  untilEnded,
} from '../support/run-stack.ts'

let api: TestApi
let stack: RunStack
let broken = true

const tools = functionTools({
  make: { run: () => 'made' },
  take: { run: () => null },
  break: {
    run: () => {
      if (broken) throw fail('SW_TOOL_FAILED', 'it broke')
      return 'whole'
    },
  },
})

beforeAll(async () => {
  const deps = () => ({ store: api.store, environmentOf, tools, nudge: (id: string) => stack.engine.nudge(id) })
  api = await startApi({
    listen: true,
    services: {
      runs: {
        retry: (request, by) => retryRun(deps(), request, by),
        rollback: async (request, by) => (await rollbackRun(deps(), request, by))!,
      },
    },
  })
  stack = startRunStack(api.store, tools)
})
afterAll(async () => {
  await stack.stop()
  await api.stop()
})

const cli = async (...args: readonly string[]) => {
  const terminal = fakeTerminal()
  const code = await runProgram([...args, '--server', api.url, '--token', ADMIN_TOKEN], terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}

describe('a run that ended, on the command line', () => {
  it('goes on from a step, is undone, and its description tells both', async () => {
    const plan = [
      { id: 'make', kind: 'action_task', action: 'make', with: {}, undo: { action: 'take' } },
      { id: 'leave', kind: 'action_task', action: 'make', with: {} },
      { id: 'break', kind: 'action_task', action: 'break', with: {} },
    ]
    const runId = await stack.start(blueprintOf('building', { plan }))
    const { name } = await untilEnded(api.store, runId)
    broken = false
    expect(await cli('retry', name, '--from', 'nothing')).toMatchObject({ code: 1 })
    const retried = await cli('retry', name, '-o', 'json')
    expect(retried.code).toBe(0)
    const child = JSON.parse(retried.output) as { run_id: string; name: string }
    expect(child).toMatchObject({ trigger: 'retry', parent: { run_id: runId, kind: 'retry' }, children: [] })
    expect(await untilEnded(api.store, child.run_id)).toMatchObject({ status: 'completed' })

    const refused = await cli('rollback', name)
    expect(refused.code).toBe(1)
    expect(refused.errors).toContain(`went on as run ${child.name}`)
    const undone = await cli('rollback', child.name)
    expect(undone.code).toBe(0)
    expect(undone.output).toContain(`undoes ${child.name}: make\n`)
    expect(undone.output).toContain('not undone: break (break): the step has no undo\n')
    expect(undone.output).toContain('not undone: leave (make): the step has no undo\n')
    const undoing = /^run (\S+) undoes/.exec(undone.output)![1]!
    const [rollback] = await api.store.engine<{ run_id: string }[]>`SELECT run_id FROM runs WHERE name = ${undoing}`
    expect(await untilEnded(api.store, rollback!.run_id)).toMatchObject({ status: 'completed' })

    const described = await cli('describe', 'run', child.name)
    expect(described.output).toContain(`rollback ${undoing}: completed; undoes make`)
    expect(described.output).toContain('not undone: leave (make): the step has no undo')
    expect((await cli('describe', 'run', name)).output).toContain(`retry ${child.name}: completed; goes on from here`)
    expect((await getRun(api.store.reader, runId))!.status).toBe('failed')
    const got = await cli('get', 'run', child.name, '-o', 'json')
    expect(JSON.parse(got.output)).toMatchObject({
      status: {
        parent: { runId, kind: 'retry' },
        children: [{ name: undoing, kind: 'rollback', phase: 'completed', undo: ['make'] }],
      },
    })
  })
})
