import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { git } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

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

/** As a person writes it. */
const BUDGET = `# What the team may spend.
apiVersion: stateward.dev/v1alpha1
kind: Budget
metadata: { name: team }
spec:
  scopeRef: { kind: Environment, name: default }
  maxUsd: 0.25 # for now
  action: Pause
`
const TOOL = manifest('Tool', 'lookup.paid', {
  executor: { command: { stdin: 'json', command: ['sh', '-c', "cat >/dev/null; echo '{}'"] } },
  inputSchema: { type: 'object' },
  cost: { estimatedCents: 10 },
})
const BLUEPRINT = manifest('Blueprint', 'look', {
  plan: ['one', 'two', 'three'].map((id) => ({ id, kind: 'action_task', action: 'lookup.paid', with: {} })),
})

const run = async (here: Installation, id: string) => (await here.ask('GET', `/api/v1/runs/${id}`)).body
const untilRun = (here: Installation, id: string, what: string, holds: (run: Record<string, unknown>) => boolean) =>
  until(what, async () => holds(await run(here, id)))

describe('a budget', () => {
  it('says what its models read and wrote in the last whole days', async () => {
    const here = await started({ 'tool.yaml': TOOL })
    const yesterday = new Date(Date.now() - 24 * 3_600_000).toISOString()
    const entry = { provider: 'openai', model: 'small', input_tokens: 1000, output_tokens: 200 }
    expect(await here.post('/api/v1/costs', { amount_usd: '0.50', occurred_at: yesterday, ...entry })).toMatchObject({
      status: 201,
    })
    await here.apply({ 'budget.yaml': BUDGET })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    expect(here.object('Budget/default/team').status).toMatchObject({
      lastDays: { days: 7, spent: '0.50', inputTokens: 1000, outputTokens: 200 },
    })
  })

  it('that is used up pauses the run, proposes one line, and lets the same step go on when that is merged', async () => {
    const here = await started({ 'budget.yaml': BUDGET, 'tool.yaml': TOOL, 'look.yaml': BLUEPRINT })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'look' })
    const id = String(body['run_id'])
    await untilRun(here, id, 'the run to wait', ({ condition }) =>
      JSON.stringify(condition ?? null).includes('WaitingForBudget'),
    )
    const over = await here.untilCondition('Budget/default/team', 'OverBudget', 'True')
    expect(over).toMatchObject({ reason: 'BudgetExhausted' })
    expect(over.message).toContain('0.20 of 0.25 USD are used')
    expect(over.message).toContain('more is proposed on proposals/set-maxusd-budget-team')
    expect(await run(here, id)).toMatchObject({ status: 'running' })

    expect(here.object('Budget/default/team').status).toMatchObject({ lastDays: { days: 7, spent: '0.00' } })
    const branch = 'proposals/set-maxusd-budget-team'
    expect(git(here.repo, ['diff', '--numstat', 'main', branch])).toBe('1\t1\tbudget.yaml')
    expect(git(here.repo, ['diff', 'main', branch])).toContain('+  maxUsd: 0.3 # for now')
    expect((await here.ask('GET', '/api/v1/budgets/team')).body).toMatchObject({
      used_usd: '0.20',
      remaining_usd: '0.05',
      proposal: branch,
    })
    expect((await here.ask('GET', '/api/v1/budgets/team/reservations')).body['items']).toMatchObject([
      { state: 'waiting', amount_usd: '0.10', step: 'three', tool: 'lookup.paid' },
    ])
    await until('the alert', async () => {
      const { body: alerts } = await here.ask('GET', '/api/v1/alerts?state=active')
      return JSON.stringify(alerts['items']).includes('budget team is used up')
    })

    // A restart changes nothing.
    await here.stop()
    await here.start()
    expect(await run(here, id)).toMatchObject({ status: 'running' })
    git(here.repo, ['update-ref', 'refs/heads/main', branch])
    await untilRun(here, id, 'the run to end', ({ status }) => status === 'completed')
    const steps = (await here.ask('GET', `/api/v1/runs/${id}/steps`)).body['items'] as { attempt: number }[]
    expect(steps.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
    await until('the last call to be settled', async () => {
      const { body: now } = await here.ask('GET', '/api/v1/budgets/team')
      return now['used_usd'] === '0.30' && now['reserved_usd'] === '0.00'
    })
    // All of it is used: nothing more may be had, until it is raised again.
    await here.untilCondition('Budget/default/team', 'OverBudget', 'True')
    await here.apply({ 'budget.yaml': BUDGET.replace('0.25', '10') })
    await until('the budget to have enough', () => here.condition('Budget/default/team', 'OverBudget') === null)
    await until('the alert to be resolved', async () => {
      const { body: alerts } = await here.ask('GET', '/api/v1/alerts?state=active')
      return !JSON.stringify(alerts['items']).includes('budget/')
    })
  })

  it('of an agent keeps what a task may cost, counts what the agent reports, and ends with what it ends', async () => {
    const here = await started({
      'budget.yaml': manifest('Budget', 'own', {
        scopeRef: { kind: 'Agent', name: 'worker' },
        maxUsd: '0.5',
        action: 'Kill',
      }),
      'worker.yaml': agent('worker', PER_TASK),
      'ask.yaml': manifest('Blueprint', 'ask', {
        plan: [
          { id: 'a', kind: 'agent_task', agent: 'worker', prompt: 'p', maxUsd: '0.3' },
          { id: 'b', kind: 'agent_task', agent: 'worker', prompt: 'p', maxUsd: '0.3' },
        ],
      }),
    })
    await here.untilCondition('Budget/default/own', 'Ready', 'True')
    const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'ask' })
    const id = String(body['run_id'])
    await untilRun(here, id, 'the run to fail', ({ status }) => status === 'failed')
    // The command reports nothing: all that was kept for it is charged, and marked.
    expect(await run(here, id)).toMatchObject({ error: { code: 'budget_exceeded' } })
    await until('the task to be settled', async () => {
      const { body: budget } = await here.ask('GET', '/api/v1/budgets/own')
      return budget['used_usd'] === '0.30' && budget['reserved_usd'] === '0.00'
    })
    const { body: costs } = await here.ask('GET', `/api/v1/costs?run=${id}`)
    expect(costs['items']).toMatchObject([{ agent: 'worker', usage: 'unknown', step: 'a', blueprint: 'ask' }])
  })

  it('counts until it is removed, and limits nothing then', async () => {
    const here = await started({
      'budget.yaml': BUDGET.replace('0.25', '0'),
      'tool.yaml': TOOL,
      'look.yaml': BLUEPRINT,
    })
    await here.untilCondition('Budget/default/team', 'Ready', 'True')
    const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'look' })
    const id = String(body['run_id'])
    await untilRun(here, id, 'the run to wait', ({ condition }) =>
      JSON.stringify(condition ?? null).includes('WaitingForBudget'),
    )
    await here.apply({ 'budget.yaml': null })
    await untilRun(here, id, 'the run to end', ({ status }) => status === 'completed')
    expect((await here.ask('GET', '/api/v1/budgets/team')).status).toBe(404)
  })

  it('that is used up lets an agent spawn no other; one that was spawned has no more than it was given', async () => {
    const here = await started({
      'boss.yaml': agent('boss', PER_TASK),
      'worker.yaml': manifest('AgentTemplate', 'worker', PER_TASK),
      'budget.yaml': manifest('Budget', 'own', { scopeRef: { kind: 'Agent', name: 'boss' }, maxUsd: 1 }),
    })
    await here.untilCondition('Budget/default/own', 'Ready', 'True')
    await here.untilCondition('Agent/default/boss', 'Ready', 'True')
    const spawn = () =>
      here.post('/api/v1/agents/spawn', {
        template: 'worker',
        ...{ lifetime: 'ephemeral', parent: 'boss', budget_usd: '0.50', ttl_seconds: 600 },
      })
    const first = await spawn()
    expect(first).toMatchObject({ status: 202 })
    await here.post('/api/v1/costs', { amount_usd: '0.4', agent: first.body['name'] })
    expect((await here.ask('GET', '/api/v1/budgets/own')).body).toMatchObject({ used_usd: '0.40' })
    const [account] = await here.sql`SELECT used::text, max_amount::text FROM budgets WHERE account LIKE 'Spawned/%'`
    expect(account).toEqual({ used: '400000000', max_amount: '500000000' })
    await here.post('/api/v1/costs', { amount_usd: '0.6', agent: 'boss' })
    expect(await spawn()).toMatchObject({ status: 422, body: { error: { code: 'budget_exceeded' } } })
  })
})

describe('the quota of an environment', () => {
  it('lets so many runs be under way at once, whoever asked for them, and so many spawned agents live', async () => {
    const here = await started({
      'env.yaml': manifest('Environment', 'default', { quota: { runs: 1, spawnedAgents: 0 } }),
      'gate.yaml': manifest('Blueprint', 'ask', { plan: [{ id: 'ok', kind: 'gate', mode: 'manual' }] }),
      'worker.yaml': manifest('AgentTemplate', 'worker', PER_TASK),
    })
    await here.untilCondition('Blueprint/default/ask', 'Ready', 'True')
    const [one, two] = [
      await here.post('/api/v1/runs', { blueprint_ref: 'ask' }),
      await here.post('/api/v1/runs', { blueprint_ref: 'ask' }),
    ]
    const conditionOf = async ({ body }: typeof one) =>
      JSON.stringify((await run(here, String(body['run_id'])))['condition'] ?? null)
    await until('the first to wait for its gate', async () => (await conditionOf(one)).includes('WaitingForApproval'))
    await until('the second to be held', async () => (await conditionOf(two)).includes('quota.runs'))
    await here.post(`/api/v1/runs/${String(one.body['run_id'])}/cancel`, {})
    await until('the second to go on', async () => (await conditionOf(two)).includes('WaitingForApproval'))
    const spawned = await here.post('/api/v1/agents/spawn', { template: 'worker' })
    expect(spawned).toMatchObject({ status: 429, body: { error: { code: 'quota_exceeded' } } })
  })
})
