import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const COSTLY = {
  executor: { command: { command: ['sh', '-c', 'cat'] } },
  inputSchema: { type: 'object', properties: { n: {} }, additionalProperties: false },
  aliases: ['echo'],
  cost: { estimatedCents: 3 },
  idempotent: true,
}

describe('a run that brings its own plan', () => {
  let here: Installation
  let head: string
  beforeAll(async () => {
    here = await createInstallation({
      'tools/echo.yaml': manifest('Tool', 'echo.call', COSTLY),
      'agents/a.yaml': agent('a', PER_TASK),
      'environments/closed.yaml': manifest('Environment', 'closed', { inlinePlans: 'deny' }),
    })
    await here.start()
    await here.untilCondition('Source/state', 'Ready', 'True')
    head = here.object('Tool/default/echo.call').lastAppliedRevision
  })
  afterAll(() => here.end())

  const start = (body: object) => here.post('/api/v1/runs', body)
  const ended = (runId: unknown) =>
    until('the end of the run', async () => {
      const [run] = await here.sql`SELECT status, error, plan_digest FROM runs WHERE run_id = ${String(runId)}`
      return ['completed', 'failed'].includes(String(run?.['status'])) ? run : null
    })

  it('runs the calls of its tools, pinned to its plan and to the commit in force', async () => {
    const { status, body } = await start({
      name: 'echoes',
      plan: [
        { skill: 'echo', params: { n: 1 } },
        { skill: 'echo.call', params: { n: '{{ steps.step_1.output.n }}' } },
      ],
      budget_cents: 6,
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'echoes', blueprint_ref: null, revision: head, trigger: 'inline' })
    const run = await ended(body['run_id'])
    expect(run).toMatchObject({ status: 'completed', error: null })
    const [stored] = await here.sql`SELECT plan FROM compiled_plans WHERE digest = ${String(run['plan_digest'])}`
    expect(stored!['plan']).toMatchObject({ blueprint: { name: '' }, steps: [{ id: 'step_1' }, { id: 'step_2' }] })
    expect(body['plan_digest']).toBe(run['plan_digest'])
    const steps = await here.sql`SELECT path, outputs FROM steps WHERE run_id = ${String(body['run_id'])} ORDER BY path`
    expect(steps).toMatchObject([{ outputs: { n: 1 } }, { outputs: { n: 1 } }])
  })

  it('is refused with every problem of the plan, and leaves nothing behind', async () => {
    const plan = [{ skill: 'gone' }, { id: 'ask', kind: 'agent_task', agent: 'a', prompt: '{{ inputs.x }}' }]
    expect(await start({ plan })).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'validation_failed',
          details: {
            violations: [{ path: 'body/plan/0/skill' }, { path: 'body/plan/1/prompt' }],
          },
        },
      },
    })
    expect(await start({ plan: [{ id: 'sub', kind: 'blueprint', ref: 'gone' }] })).toMatchObject({
      body: { error: { details: { violations: [{ path: 'body/plan/0/ref' }] } } },
    })
    expect(await start({ plan: [{ id: 'ask', kind: 'agent_task', agent: 'b', prompt: 'x' }] })).toMatchObject({
      body: { error: { details: { violations: [{ path: 'body/plan/0/agent' }] } } },
    })
    expect(await start({ plan: [{ skill: 'echo.call' }], blueprint_ref: 'x' })).toMatchObject({ status: 400 })
    expect(await start({})).toMatchObject({ status: 400 })
    expect(await start({ blueprint_ref: 'x', budget_cents: 1 })).toMatchObject({ status: 400 })
  })

  it('may cost no more than its budget, and 0 means 0', async () => {
    const plan = [{ skill: 'echo.call' }, { skill: 'echo.call' }]
    const refused = { status: 422, body: { error: { code: 'budget_exceeded', details: { estimated_cents: 6 } } } }
    expect(await start({ plan, budget_cents: 5 })).toMatchObject(refused)
    expect(await start({ plan, budget_cents: 0 })).toMatchObject(refused)
    expect(await start({ plan, name: 'echoes' })).toMatchObject({ status: 409 })
  })

  it('is refused where the environment allows none', async () => {
    expect(
      await start({ namespace: 'closed', plan: [{ skill: 'http.call', params: { url: 'http://x' } }] }),
    ).toMatchObject({ status: 403, body: { error: { code: 'inline_plans_denied' } } })
  })
})
