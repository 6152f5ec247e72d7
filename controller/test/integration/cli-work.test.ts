import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'

let api: TestApi
beforeAll(async () => {
  api = await startApi({
    listen: true,
    services: {
      work: { agentsWith: () => ['sre'], hasAgent: () => true, hasProject: (_, name) => name === 'platform' },
    },
  })
})
afterAll(() => api.stop())

async function stateward(...argv: string[]): Promise<{ code: number; output: string; errors: string }> {
  const env = { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN }
  const terminal = fakeTerminal({ now: new Date().toISOString(), env, columns: 80 })
  const code = await runProgram(argv, terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}
async function make(...words: string[]): Promise<string> {
  const { output, errors } = await stateward('work', 'create', ...words)
  expect(errors).toBe('')
  return /^(\S+) was made\n/.exec(output)![1]!
}

it('makes, gives away, links and moves items, and says what to type next', async () => {
  const ticket = await make('ticket', 'Alerts come twice', '--project', 'platform', '--field', 'kind=bug')
  const task = await make('task', 'Look at the rule', '--parent', ticket, '--capability', 'alerts')
  const other = await make('task', 'Ask who wrote it', '--parent', ticket)
  expect(await stateward('work', 'link', task, 'depends_on', other)).toMatchObject({ code: 0, errors: '' })
  const early = await stateward('work', 'move', task, 'in_progress')
  expect([early.code, early.errors]).toEqual([1, expect.stringContaining(`waits for ${other}`)])
  const assigned = await stateward('work', 'assign', task)
  expect(assigned.output).toContain(`${task} is assigned, agent:default/sre has it\nnext: `)
  expect((await stateward('work', 'unlink', task, 'depends_on', other)).output).toContain('no more depends_on')
  expect((await stateward('work', 'move', task, 'in_progress')).output).toContain(`${task} is in_progress`)
  expect((await stateward('work', 'move', task, 'done', '--reason', 'found it')).output).toContain('is done')
  const { output } = await stateward('work', 'list', '--type', 'ticket')
  expect(output).toMatch(/^NAME +STATE +ASSIGNEE +PARTS +AGE +TITLE\n/)
  expect(output).toMatch(new RegExp(`^${ticket} +open +- +1/2 +\\S+ +Alerts come twice$`, 'm'))
  for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('shows items as it shows objects', async () => {
  const sprint = await make('sprint', 'Week 12')
  const got = await stateward('get', 'wi', sprint)
  expect(got.output).toMatch(/^NAME +TYPE +STATE +TITLE +ASSIGNEE +AGE\n/)
  expect(got.output).toMatch(/ sprint +planned +Week 12 /)
  const described = await stateward('describe', 'workitem', sprint)
  expect(described.output).toContain('title: Week 12')
  expect(described.output).toContain('work.created')
  expect((await stateward('work', 'types')).output).toMatch(/^sprint +planned +open +active, cancelled$/m)
})

it('says what is wrong', async () => {
  expect((await stateward('work', 'create', 'ticket')).errors).toContain('it is: stateward work list')
  const wrong = await stateward('work', 'create', 'ticket', 'x', '--field', 'severity=huge')
  expect([wrong.code, wrong.errors]).toEqual([1, expect.stringContaining('body/fields/severity')])
  expect((await stateward('work', 'create', 'ticket', 'x', '--field', 'severity')).errors).toContain('<name>=<value>')
  expect((await stateward('work', 'create', 'ticket', 'x', '--project', 'none')).errors).toContain(
    'there is no project',
  )
})
