import { afterEach, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { until } from '../support/agent-fleet.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { git } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const TOOL = manifest('Tool', 'lookup.paid', {
  executor: { command: { stdin: 'json', command: ['sh', '-c', "cat >/dev/null; echo '{}'"] } },
  inputSchema: { type: 'object' },
  cost: { estimatedCents: 10 },
})
const paid = (id: string) => ({ id, kind: 'action_task', action: 'lookup.paid', with: {} })
const budget = (spec: object) =>
  manifest('Budget', 'team', { scopeRef: { kind: 'Environment', name: 'default' }, window: 'month', ...spec })

const run = async (here: Installation, id: string) => (await here.ask('GET', `/api/v1/runs/${id}`)).body
const start = async (here: Installation, blueprint: string) => {
  const { status, body } = await here.post('/api/v1/runs', { blueprint_ref: blueprint })
  expect(status).toBe(201)
  return String(body['run_id'])
}
const untilRun = (here: Installation, id: string, holds: (run: Record<string, unknown>) => boolean) =>
  until('a run', async () => {
    const seen = await run(here, id)
    return holds(seen) ? seen : null
  })
const waits = (for_: string) => (seen: Record<string, unknown>) =>
  JSON.stringify(seen['condition'] ?? null).includes(for_)
const stepsOf = async (here: Installation, id: string) =>
  (await here.ask('GET', `/api/v1/runs/${id}/steps`)).body['items'] as {
    readonly path: string
    readonly status: string
    readonly attempt: number
  }[]
const used = async (here: Installation) => (await here.ask('GET', '/api/v1/budgets/team')).body

describe('a budget that is used up', () => {
  it('with Kill cancels every open run that spends of it, and fails what asks for more', async () => {
    const here = await started({
      'tool.yaml': TOOL,
      'budget.yaml': budget({ maxUsd: '0.2', action: 'Kill' }),
      'stay.yaml': manifest('Blueprint', 'stay', { plan: [paid('one'), { id: 'ok', kind: 'gate', mode: 'manual' }] }),
      'free.yaml': manifest('Blueprint', 'free', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] }),
    })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    const free = await start(here, 'free')
    const one = await start(here, 'stay')
    await untilRun(here, one, waits('WaitingForApproval'))
    const two = await start(here, 'stay')
    for (const id of [one, two]) {
      const ended = await untilRun(here, id, ({ status }) => status === 'cancelled')
      expect(JSON.stringify(ended)).toContain('budget default/team is used up')
    }
    // What spends nothing of it goes on.
    expect(await run(here, free)).toMatchObject({ status: 'running' })
    const three = await start(here, 'stay')
    expect(await untilRun(here, three, ({ status }) => status === 'failed')).toMatchObject({
      error: { code: 'budget_exceeded' },
    })
    expect(await used(here)).toMatchObject({ used_usd: '0.20', reserved_usd: '0.00' })
  })

  it('with Throttle spreads what is left, so that a run waits in the middle of its plan', async () => {
    const plan = ['a', 'b', 'c', 'd', 'e', 'f'].map(paid)
    const spec = { maxUsd: '0.6', action: 'Throttle', alertThresholdPercent: [50] }
    const here = await started({
      'tool.yaml': TOOL,
      'budget.yaml': budget(spec),
      'work.yaml': manifest('Blueprint', 'work', { plan }),
    })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    const id = await start(here, 'work')
    await untilRun(here, id, waits('WaitingForBudget'))
    // A call that began before the one that reached half of it was charged may still go through.
    const seen = (await stepsOf(here, id)).map(({ status }) => status)
    expect(seen.filter((status) => status === 'completed').length).toBeOneOf([3, 4])
    expect(seen).toContain('running')
    expect(Number((await used(here))['remaining_usd'])).toBeGreaterThanOrEqual(0.2)
    await here.apply({ 'budget.yaml': budget({ ...spec, action: 'Pause' }) })
    await untilRun(here, id, ({ status }) => status === 'completed')
    await until('the last call to be charged', async () => (await used(here))['used_usd'] === '0.60')
  })

  it('keeps a run that waits over the end of its process, and its events tell all of it, when it waits and afterwards', async () => {
    const here = await started({
      'tool.yaml': TOOL,
      'budget.yaml': budget({ maxUsd: '0.1', action: 'Pause' }),
      'work.yaml': manifest('Blueprint', 'work', { plan: [paid('a'), paid('b')] }),
    })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    const id = await start(here, 'work')
    await untilRun(here, id, waits('WaitingForBudget'))
    const rebuild = (write: boolean) => here.post(`/api/v1/runs/${id}/replay`, { write })
    expect(await rebuild(false)).toMatchObject({ status: 200, body: { differences: [] } })
    await here.stop()
    await here.start()
    await untilRun(here, id, waits('WaitingForBudget'))
    expect(await rebuild(false)).toMatchObject({ status: 200, body: { differences: [] } })
    const proposal = await until('the proposal', async () => (await used(here))['proposal'] ?? null)
    git(here.repo, ['update-ref', 'refs/heads/main', `refs/heads/${String(proposal)}`])
    await untilRun(here, id, ({ status }) => status === 'completed')
    await until('both to be charged, once', async () => (await used(here))['used_usd'] === '0.20')
    const before = await stepsOf(here, id)
    await here.sql`DELETE FROM steps WHERE run_id = ${id}`
    expect(await rebuild(true)).toMatchObject({ status: 200, body: { written: true, steps: 2 } })
    expect(await stepsOf(here, id)).toEqual(before)
    expect(before.map(({ path, status, attempt }) => `${path} ${status} ${attempt}`)).toEqual([
      'a completed 1',
      'b completed 1',
    ])
    expect(await used(here)).toMatchObject({ used_usd: '0.20', reserved_usd: '0.00' })
  })
})

describe('a run that is known to cost more than it may', () => {
  it('is not made for an event either: nothing is kept, and the log says why', async () => {
    const here = await started({
      'tool.yaml': TOOL,
      'dear.yaml': manifest('Blueprint', 'dear', {
        triggers: [{ event: 'thing.happened' }],
        limits: { maxUsd: '0.15' },
        plan: [paid('a'), paid('b')],
      }),
    })
    await here.untilCondition('Blueprint/default/dear', 'Ready', 'True')
    await here.post('/api/v1/events', { event_name: 'thing.happened', data: {} })
    const refused = await until('it to be refused', async () => {
      const found = (await here.events()).filter(({ event_name }) => event_name === 'stateward.run.refused')
      return found.length > 0 ? found : null
    })
    for (const { data } of refused)
      expect(data['problems']).toEqual([
        {
          code: 'budget_exceeded',
          message: 'the plan costs 20 cents by what its steps declare; the run may cost 15',
          estimated_cents: 20,
          budget_cents: 15,
        },
      ])
    expect(await here.sql`SELECT 1 FROM runs`).toEqual([])
    expect(await here.sql`SELECT 1 FROM budget_reservations`).toEqual([])
  })
})

describe('what was spent', () => {
  it('is summed up and blamed on commits, on the command line', async () => {
    const work = (...steps: string[]) => manifest('Blueprint', 'work', { plan: steps.map(paid) })
    const here = await started({ 'tool.yaml': TOOL, 'work.yaml': work('a') })
    await here.untilCondition('Blueprint/default/work', 'Ready', 'True')
    const done = async () => untilRun(here, await start(here, 'work'), ({ status }) => status === 'completed')
    await done()
    await done()
    const dearer = await here.apply({ 'work.yaml': work('a', 'b', 'c') })
    await done()
    await until('all of it to be charged', async () => (await here.sql`SELECT 1 FROM ledger_entries`).length === 5)
    const cli = async (...args: string[]) => {
      const terminal = fakeTerminal({
        cwd: here.dataDir,
        columns: 80,
        now: new Date().toISOString(),
        env: { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url },
      })
      expect(await runProgram(['cost', ...args], terminal)).toBe(0)
      return terminal.output().replaceAll(/ +$/gm, '')
    }
    expect(await cli('--by', 'blueprint,step')).toMatchInlineSnapshot(`
      "BLUEPRINT   STEP   USD    TOKENS   ROWS
      work        a      0.30   0        3
      work        b      0.10   0        1
      work        c      0.10   0        1
      total              0.50   0        5
      "
    `)
    expect(await cli('--by', 'tool,usage')).toMatchInlineSnapshot(`
      "TOOL          USAGE      USD    TOKENS   ROWS
      lookup.paid   declared   0.50   0        5
      total                    0.50   0        5
      "
    `)
    const first = git(here.repo, ['rev-parse', `${dearer}^`])
    const named = (text: string) =>
      text
        .replaceAll(dearer, '<second>')
        .replaceAll(first, '<first>')
        .replaceAll(dearer.slice(0, 12), '<second>    ')
        .replaceAll(first.slice(0, 12), '<first>     ')
    expect(named(await cli('--by', 'commit'))).toMatchInlineSnapshot(`
      "COMMIT                                     USD    TOKENS   ROWS
      <second>   0.30   0        3
      <first>   0.20   0        2
      total                                      0.50   0        5
      "
    `)
    expect(named(await cli('blame'))).toMatchInlineSnapshot(`
      "COMMIT         OBJECT           RUNS   USD    A RUN   BEFORE   ADDED   BY
      <first>        Blueprint/work   2      0.20   0.10    -        0.20    system
      <second>       Blueprint/work   1      0.30   0.30    0.10     0.20    system
      "
    `)
    expect(await cli('forecast', '--by', 'blueprint')).toMatch(
      /^BLUEPRINT +7 DAYS +MONTH +FORECAST\nwork +0\.50 +0\.50 +\d/,
    )
  })
})
