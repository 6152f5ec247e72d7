import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const tool = (name: string, risk: string) =>
  manifest('Tool', name, {
    executor: { command: { stdin: 'json', command: ['sh', '-c', 'cat > /dev/null; echo "{}"'] } },
    inputSchema: { type: 'object' },
    risk,
    sideEffects: 'reversible',
  })
const calls = (name: string, action: string, above: object[] = []) =>
  manifest('Blueprint', name, { plan: [...above, { id: 'go', kind: 'action_task', action, with: { target: 'web' } }] })
const rules = (...list: object[]) => manifest('Policy', 'infra', { rules: list })

const DENY_DESTROY = { id: 'no-destroy', effect: 'deny', match: { action: 'infra.destroy' } }
const ASK_APPLY = {
  id: 'apply-needs-ada',
  effect: 'require_approval',
  match: { action: 'infra.*', expression: "data.with.target == 'web'" },
  requirements: { approvals: { min: 1, fromAnyOf: ['user:ada'] } },
}

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'policy.yaml': rules(DENY_DESTROY, ASK_APPLY),
    'watch.yaml': manifest('Policy', 'watch', {
      enforcement: 'evaluate_only',
      rules: [{ id: 'no-runs', effect: 'deny', match: { action: 'run.start', expression: "resource.name == 'free'" } }],
    }),
    'acts.yaml': manifest('Policy', 'acts', {
      rules: [
        {
          id: 'no-spawn',
          effect: 'deny',
          match: { action: 'agent.spawn', expression: "resource.labels.kind == 'big'" },
        },
        {
          id: 'bob-ends',
          effect: 'require_approval',
          match: { action: 'intervention.terminate' },
          requirements: { approvals: { fromAnyOf: ['user:bob'] } },
        },
        { id: 'ada-pauses', effect: 'require_approval', match: { action: 'intervention.pause' } },
      ],
    }),
    'big.yaml': manifest('AgentTemplate', 'big', PER_TASK, { labels: { kind: 'big' } }),
    'small.yaml': manifest('AgentTemplate', 'small', PER_TASK, { labels: { kind: 'small' } }),
    'a.yaml': agent('a', PER_TASK),
    'apply.yaml': tool('infra.apply', 'high'),
    'destroy.yaml': tool('infra.destroy', 'high'),
    'echo.yaml': tool('echo', 'low'),
    'applies.yaml': calls('applies', 'infra.apply'),
    'gated.yaml': calls('gated', 'infra.apply', [{ id: 'ok', kind: 'gate', mode: 'manual' }]),
    'destroys.yaml': calls('destroys', 'infra.destroy'),
    'free.yaml': calls('free', 'echo'),
    'untouched.yaml': calls('untouched', 'echo'),
  })
  await here.start({ limitsPerPrincipal: '100000' })
  ada = asAda(here)
})
afterAll(() => here.end())

async function start(blueprint: string) {
  const { status, body } = await ada('POST', '/api/v1/runs', { blueprint_ref: blueprint })
  expect([status, body]).toMatchObject([201, {}])
  return body
}
const run = async (id: string) => (await ada('GET', `/api/v1/runs/${id}`)).body
const ended = (id: string) =>
  until(`run ${id} to end`, async () => {
    const seen = await run(id)
    return ['completed', 'failed', 'cancelled'].includes(seen.status) ? seen : undefined
  })
const waits = (id: string, step: string) =>
  until(`gate ${id}.${step}`, async () => {
    const { status, body } = await ada('GET', `/api/v1/gates/${id}.${step}`)
    return status === 200 && body.state === 'waiting' ? body : undefined
  })
const decisions = async (query: string) => (await ada('GET', `/api/v1/policies/decisions?${query}`)).body.items

describe('a policy', () => {
  it('is in force as a version, and says so', async () => {
    await here.untilCondition('Policy/default/infra', 'Ready', 'True')
    expect(here.object('Policy/default/infra').status).toMatchObject({ phase: 'active', version: 1, rules: 2 })
    const { body } = await ada('GET', '/api/v1/policies/versions?name=infra')
    expect(body.items).toMatchObject([{ name: 'infra', version: 1, activated_by: expect.any(String) }])
  })

  it('denies a call: the step fails by its name, and the decision is recorded with what was asked', async () => {
    const { run_id } = await start('destroys')
    const { status, error } = await ended(run_id)
    expect(status).toBe('failed')
    expect(error.message).toContain('policy default/infra (version 1), rule no-destroy')
    expect(await decisions(`run_id=${run_id}`)).toMatchObject([
      {
        point: 'tool_call',
        action: 'infra.destroy',
        subject: 'user:ada',
        effect: 'deny',
        policy: 'default/infra',
        policy_version: 1,
        rule: 'no-destroy',
        risk: 'high',
        inputs: { data: { with: { target: 'web' } }, resource: { type: 'tool' } },
      },
    ])
    const { body } = await ada('GET', `/api/v1/events?event_name=stateward.policy.evaluated&run_id=${run_id}`)
    expect(body.items).toMatchObject([{ data: { effect: 'deny', rule: 'no-destroy' } }])
  })

  it('asks for an approval: a gate opens in front of the call, for those it names', async () => {
    const { run_id } = await start('applies')
    const gate = await waits(run_id, 'go')
    expect(gate).toMatchObject({ mode: 'policy', approvers: ['user:ada'] })
    expect(gate.message).toContain('rule apply-needs-ada asks for approval')
    expect((await ada('POST', `/api/v1/gates/${run_id}.go/approve`, {})).status).toBe(200)
    expect((await ended(run_id)).status).toBe('completed')
    expect(await decisions(`run_id=${run_id}&effect=require_approval`)).toHaveLength(1)
  })

  it('is satisfied by an approval of those it names at a gate of the plan', async () => {
    const { run_id } = await start('gated')
    await waits(run_id, 'ok')
    await ada('POST', `/api/v1/gates/${run_id}.ok/approve`, {})
    expect((await ended(run_id)).status).toBe('completed')
  })

  it('that only records lets everything through and tells what it would have done', async () => {
    const { run_id } = await start('free')
    expect((await ended(run_id)).status).toBe('completed')
    expect(await decisions(`run_id=${run_id}`)).toMatchObject([
      { effect: 'allow', policy: null, opinions: [{ policy: 'default/watch', effect: 'deny', enforced: false }] },
    ])
  })

  it('leaves no trace of what it is not about', async () => {
    const { run_id } = await start('untouched')
    expect((await ended(run_id)).status).toBe('completed')
    expect(await decisions(`run_id=${run_id}`)).toEqual([])
  })

  it('is asked before an agent is spawned', async () => {
    const spawn = (template: string) => ada('POST', '/agents/spawn', { template, reason: 'more hands' })
    expect(await spawn('big')).toMatchObject({
      status: 403,
      body: { error: { code: 'policy_denied', message: expect.stringContaining('rule no-spawn') } },
    })
    expect((await spawn('small')).status).toBe(202)
    expect(await decisions('point=spawn')).toMatchObject([
      { action: 'agent.spawn', resource_name: 'big', effect: 'deny' },
    ])
  })

  it('is asked before somebody intervenes: what needs an approval is done by those who may give it', async () => {
    const intervene = (verb: string) => ada('POST', `/agents/a/${verb}`, { reason: 'test' })
    expect(await intervene('terminate')).toMatchObject({
      status: 403,
      body: { error: { code: 'approval_required', message: expect.stringContaining('user:bob') } },
    })
    expect((await intervene('pause')).status).toBe(202)
    expect(await decisions('point=intervention')).toMatchObject([
      { action: 'intervention.pause', effect: 'require_approval' },
      { action: 'intervention.terminate', effect: 'require_approval' },
    ])
  })

  it('that is edited is a new version; the one before it stays as it was', async () => {
    await here.apply({ 'policy.yaml': rules(DENY_DESTROY) })
    const { run_id } = await start('applies')
    expect((await ended(run_id)).status).toBe('completed')
    const { body } = await ada('GET', '/api/v1/policies/versions?name=infra')
    expect(body.items.map(({ version, spec }: never) => [version, (spec as { rules: [] }).rules.length])).toEqual([
      [2, 1],
      [1, 2],
    ])
    const { body: log } = await ada('GET', '/api/v1/events?event_name=stateward.policy.activated')
    expect(log.items.map(({ data }: { data: object }) => data)).toContainEqual(
      expect.objectContaining({ name: 'infra', version: 2 }),
    )
  })

  it('is broken where its expression is, with the place', async () => {
    await here.apply({ 'policy.yaml': rules({ id: 'r', effect: 'deny', match: { expression: 'subject.role == 1' } }) })
    const { body } = await ada('GET', '/api/v1/policies/versions?name=infra')
    expect(body.items[0].version).toBe(2)
  })
})
