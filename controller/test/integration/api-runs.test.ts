import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fail } from '../../src/lib/error-catalogue.ts'
import { createObject, createRun, emit, openGate } from '../support/api-rows.ts'
import { AGENT, asAdmin, asAgent, newId, startApi, type TestApi } from '../support/api-server.ts'

let api: TestApi
const asked: unknown[] = []

async function* chunks(...parts: string[]): AsyncGenerator<string> {
  yield* parts
}

beforeAll(async () => {
  api = await startApi({
    listen: true,
    services: {
      runs: {
        create: async (request, caller) => {
          asked.push({ ...request, ...caller })
          if (request.blueprint === 'gone') throw fail('SW_NOT_FOUND', 'there is no blueprint gone')
          return { runId: await createRun(api.store, { name: request.name ?? `fix-${newId().slice(-6)}` }) }
        },
        cancel: async ({ runId }, caller) => {
          await api.store.engine`UPDATE runs SET status = 'cancelled' WHERE run_id = ${runId}`
          await emit(api.store, { event_name: 'stateward.run.cancelled', run_id: runId, actor: caller.actor })
        },
      },
      gates: {
        decide: async ({ stepId, decision }) => {
          const rows = await api.store.engine`
            UPDATE gates SET state = ${decision === 'approve' ? 'approved' : 'rejected'}, decided_at = created_at
            WHERE step_id = ${stepId} AND state = 'waiting' RETURNING 1`
          if (rows.length === 0) throw fail('SW_CONFLICT', 'the gate was decided before')
        },
      },
      agents: {
        pickup: async (_agent, { max }) => ({ interventions: [], tasks: [task()].slice(0, max) }),
        complete: async (_agent, result) => {
          if (result.attempt !== 1) throw fail('SW_CONFLICT', 'the attempt moved on')
          return { task_id: result.taskId, status: result.status }
        },
      },
      objects: {
        reconcile: async (ref) => {
          asked.push(ref)
          return { requestedAt: '2030-01-01T00:00:00.000Z' }
        },
        suspend: async (ref, options) => {
          asked.push({ ref, ...options })
          return { branch: 'proposals/suspend-agent-sre', commit: 'abc', merged: options.merge }
        },
        resume: async () => ({ branch: null, commit: null, merged: false }),
      },
      sources: {
        sync: async () => ({
          revision: 'c2',
          syncId: SYNC,
          standing: { counts: { create: 0, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 }, issues: [] },
        }),
        approveDeletions: async (_source, revision) => ({ revision, deletions: 7 }),
      },
      logs: {
        run: async (runId, { tailLines }) => chunks(`${runId}\n`, `tail ${tailLines}\n`),
        task: async () => {
          throw fail('SW_NOT_FOUND', 'there is no such task')
        },
        agent: async (ref) => chunks(`${ref.namespace}/${ref.name}\n`),
      },
    },
  })
})
afterAll(() => api.stop())

const SYNC = '01900000-0000-7000-8000-0000000000c1'
const task = () => ({
  task_id: SYNC,
  attempt: 1,
  run_id: null,
  step_id: null,
  prompt: 'why?',
  inputs: { host: 'web-1' },
  output_schema: null,
  workspace: '/tmp/x',
  deadline: null,
  correlation_id: 'c',
  tools: null,
  goal: null,
  data_access: 'bus' as const,
})
const get = (url: string) => api.server.app.inject(url)
const post = (url: string, payload?: object, headers: Record<string, string> = asAdmin) =>
  api.server.app.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) })

describe('runs', () => {
  it('start through the service, with the caller and the correlation id', async () => {
    const response = await post(
      '/api/v1/runs',
      { blueprint_ref: 'fix', name: 'fix-aaaaaa', inputs: { host: 'web-1' }, priority: 3 },
      { ...asAdmin, 'x-correlation-id': 'corr-9' },
    )
    expect(response.statusCode).toBe(201)
    expect(response.json()).toMatchObject({
      name: 'fix-aaaaaa',
      namespace: 'default',
      blueprint_ref: 'fix',
      status: 'running',
      inputs: {},
      outputs: null,
      error: null,
      completed_at: null,
    })
    expect(asked.at(-1)).toEqual({
      namespace: 'default',
      blueprint: 'fix',
      name: 'fix-aaaaaa',
      inputs: { host: 'web-1' },
      priority: 3,
      actor: 'user:ada',
      correlationId: 'corr-9',
      roles: expect.arrayContaining(['operator', 'admin']),
    })
  })

  it('start once for one Idempotency-Key, and may be tried again after a failure', async () => {
    const headers = { ...asAdmin, 'idempotency-key': 'run-1' }
    const one = await post('/api/v1/runs', { blueprint_ref: 'fix', name: 'fix-idem11' }, headers)
    const two = await post('/api/v1/runs', { blueprint_ref: 'fix', name: 'fix-idem11' }, headers)
    expect([two.statusCode, two.json()]).toEqual([201, one.json()])
    const failing = { ...asAdmin, 'idempotency-key': 'run-2' }
    const before = asked.length
    expect((await post('/api/v1/runs', { blueprint_ref: 'gone' }, failing)).statusCode).toBe(404)
    expect((await post('/api/v1/runs', { blueprint_ref: 'gone' }, failing)).statusCode).toBe(404)
    expect(asked.length).toBe(before + 2)
  })

  it('are found by name, id and a unique beginning of four characters or more', async () => {
    const id = await createRun(api.store, { name: 'deploy-qqqqqq' })
    await createRun(api.store, { name: 'deploy-qqqrrr' })
    for (const reference of ['deploy-qqqqqq', id, 'deploy-qqqq', id.toUpperCase()]) {
      const response = await get(`/api/v1/runs/${reference}`)
      expect([reference, response.json().run_id]).toEqual([reference, id])
    }
    const ambiguous = await get('/api/v1/runs/deploy')
    expect([
      ambiguous.statusCode,
      ambiguous.json().error.code,
      ambiguous.json().error.details.candidates.length,
    ]).toEqual([409, 'ambiguous', 2])
    for (const reference of ['dep', 'deploy-zzz', newId(), 'deploy%25'])
      expect([reference, (await get(`/api/v1/runs/${reference}`)).statusCode]).toEqual([reference, 404])
  })

  it('of one name in two namespaces are told apart by the namespace', async () => {
    await createRun(api.store, { name: 'twin-aaaaaa', namespace: 'prod' })
    await createRun(api.store, { name: 'twin-aaaaaa', namespace: 'test' })
    expect((await get('/api/v1/runs/twin-aaaaaa')).statusCode).toBe(409)
    expect((await get('/api/v1/runs/twin-aaaaaa?namespace=prod')).json().namespace).toBe('prod')
  })

  it('are listed the newest first, by page, by namespace and status', async () => {
    for (let n = 0; n < 5; n++)
      await createRun(api.store, {
        name: `list-${n}`,
        namespace: 'list',
        createdAt: new Date(1_900_000_000_000 + n),
        status: n === 0 ? 'completed' : 'running',
      })
    const first = (await get('/api/v1/runs?namespace=list&limit=3')).json()
    const second = (await get(`/api/v1/runs?namespace=list&limit=3&cursor=${first.next_cursor}`)).json()
    const names = [...first.items, ...second.items].map((run: { name: string }) => run.name)
    expect(names).toEqual(['list-4', 'list-3', 'list-2', 'list-1', 'list-0'])
    expect(second.next_cursor).toBeNull()
    expect((await get('/api/v1/runs?namespace=list&status=completed')).json().items).toHaveLength(1)
  })

  it('show every step of the plan, also those that have not started', async () => {
    const id = await createRun(api.store, { name: 'steps-aaaaaa' })
    const stepId = await openGate(api.store, id)
    const { items } = (await get('/api/v1/runs/steps-aaaaaa/steps')).json()
    expect(items.map((step: { path: string; status: string }) => [step.path, step.status])).toEqual([
      ['analyze', 'completed'],
      ['approve', 'running'],
      ['report', 'created'],
    ])
    expect((await get('/api/v1/runs/steps-aaaaaa/steps/approve')).json()).toMatchObject({
      step_id: stepId,
      kind: 'gate',
      waits_for: ['analyze'],
    })
    expect((await get(`/api/v1/runs/steps-aaaaaa/steps/${stepId}`)).json().path).toBe('approve')
    const { step_id: ahead } = (await get('/api/v1/runs/steps-aaaaaa/steps/report')).json()
    expect((await get(`/api/v1/runs/steps-aaaaaa/steps/${ahead}`)).json()).toMatchObject({
      path: 'report',
      attempt: 1,
      started_at: null,
    })
    expect((await get('/api/v1/runs/steps-aaaaaa/steps/none')).statusCode).toBe(404)
  })

  it('are cancelled, with or without a body', async () => {
    await createRun(api.store, { name: 'cancel-aaaaaa' })
    const response = await post('/api/v1/runs/cancel-aaaaaa/cancel')
    expect([response.statusCode, response.json().status]).toEqual([200, 'cancelled'])
  })
})

describe('gates', () => {
  it('are decided by step id or <run>.<step>; a later decision is a conflict', async () => {
    const one = await openGate(api.store, await createRun(api.store, { name: 'gate.with.dots-aa' }))
    const approved = await post('/api/v1/gates/gate.with.dots-aa.approve/approve', { reason: 'looks right' })
    expect([approved.statusCode, approved.json()]).toEqual([
      200,
      expect.objectContaining({ step_id: one, gate_id: one, state: 'approved', step: 'approve', decisions: [] }),
    ])
    const late = await post(`/api/v1/gates/${one}/reject`)
    expect([late.statusCode, late.json().error.code]).toEqual([409, 'conflict'])
  })

  it('that are not open are not found', async () => {
    await createRun(api.store, { name: 'nogate-aaaaaa' })
    for (const gate of ['nogate-aaaaaa.approve', 'nobody.approve', 'word', newId()]) {
      expect([gate, (await post(`/api/v1/gates/${gate}/approve`)).statusCode]).toEqual([gate, 404])
    }
  })
})

describe('the daemon protocol', () => {
  it('registers, beats, picks up and reports', async () => {
    const register = await post('/api/v1/agents/register', { instance_id: AGENT.instanceId, protocol: 1 }, asAgent)
    expect(register.json()).toMatchObject({ agent_id: AGENT.agentUid, heartbeat_seconds: 30, spec: {} })
    const beat = await post(
      '/api/v1/agents/sre/heartbeat',
      { instance_id: AGENT.instanceId, status: 'busy', tasks: [SYNC] },
      asAgent,
    )
    expect(beat.json()).toMatchObject({ interventions: [], drain: false })
    const pickup = await post(
      '/api/v1/agents/sre/pickup',
      { instance_id: AGENT.instanceId, max: 1, wait_seconds: 0 },
      asAgent,
    )
    expect(pickup.json()).toMatchObject({ interventions: [], tasks: [task()] })
  })

  it('speaks version 1 only', async () => {
    expect(
      (await post('/api/v1/agents/register', { instance_id: AGENT.instanceId, protocol: 2 }, asAgent)).statusCode,
    ).toBe(400)
  })

  it('takes a result once, whatever JSON it is, and wants a reason for a failure', async () => {
    const patch = (payload: object) =>
      api.server.app.inject({ method: 'PATCH', url: `/api/v1/tasks/${SYNC}`, headers: asAgent, payload })
    for (const output of [{ a: 1 }, 'text', 3, null, [1]])
      expect((await patch({ attempt: 1, status: 'completed', output })).json()).toMatchObject({
        task_id: SYNC,
        status: 'completed',
      })
    expect((await patch({ attempt: 2, status: 'completed' })).statusCode).toBe(409)
    expect((await patch({ attempt: 1, status: 'failed' })).statusCode).toBe(400)
    expect((await patch({ attempt: 1, status: 'failed', error: { code: 'x', message: 'y' } })).statusCode).toBe(200)
  })
})

describe('logs', () => {
  it('are plain text', async () => {
    const id = await createRun(api.store, { name: 'logs-aaaaaa' })
    const response = await get('/api/v1/runs/logs-aaaaaa/log?tail_lines=5')
    expect([response.headers['content-type'], response.body]).toEqual(['text/plain; charset=utf-8', `${id}\ntail 5\n`])
    expect((await get('/api/v1/agents/sre/log?namespace=prod')).body).toBe('prod/sre\n')
    const uid = await createObject(api.store, { kind: 'Agent', name: 'logged' })
    expect((await get(`/api/v1/agents/${uid}/log`)).body).toBe('default/logged\n')
    expect((await get(`/api/v1/tasks/${SYNC}/log`)).statusCode).toBe(404)
  })
})

describe('verbs on objects', () => {
  it('reconcile one object by any word for its kind, or every source', async () => {
    await createObject(api.store, { kind: 'Agent', name: 'sre' })
    await createObject(api.store, { kind: 'Host', name: 'local', namespace: '' })
    for (const [kind, name, ref] of [
      ['ag', 'sre', { kind: 'Agent', namespace: 'default', name: 'sre' }],
      ['Agents', 'sre', { kind: 'Agent', namespace: 'default', name: 'sre' }],
      ['host', 'local', { kind: 'Host', namespace: '', name: 'local' }],
    ] as const) {
      const response = await post('/api/v1/reconcile', { kind, name })
      expect([response.statusCode, response.json().object, asked.at(-1)]).toEqual([202, ref, ref])
    }
    expect((await post('/api/v1/reconcile')).json().object).toBeNull()
    expect((await post('/api/v1/reconcile', { kind: 'ag' })).statusCode).toBe(400)
    expect((await post('/api/v1/reconcile', { kind: 'gadget', name: 'x' })).statusCode).toBe(404)
    expect((await post('/api/v1/reconcile', { kind: 'agent', name: 'nobody' })).statusCode).toBe(404)
  })

  it('suspend and resume', async () => {
    await createObject(api.store, { kind: 'Agent', name: 'noisy' })
    const suspended = await post('/api/v1/objects/suspend', {
      kind: 'agent',
      name: 'noisy',
      reason: 'too loud',
      expires_at: '2999-01-01T00:00:00Z',
    })
    expect(suspended.json()).toMatchObject({
      object: { kind: 'Agent', namespace: 'default', name: 'noisy' },
      suspended: true,
      branch: 'proposals/suspend-agent-sre',
      merged: false,
    })
    expect(asked.at(-1)).toMatchObject({
      reason: 'too loud',
      expiresAt: new Date('2999-01-01T00:00:00Z'),
      merge: false,
    })
    expect((await post('/api/v1/objects/resume', { kind: 'agent', name: 'noisy' })).json()).toMatchObject({
      suspended: false,
      branch: null,
    })
    expect(
      (await post('/api/v1/objects/suspend', { kind: 'agent', name: 'noisy', expires_at: '2001-01-01T00:00:00Z' }))
        .statusCode,
    ).toBe(400)
  })
})

describe('sources', () => {
  it('show their history, read now, and let deletions through', async () => {
    for (let n = 1; n <= 3; n++) {
      await api.store.engine`
        INSERT INTO syncs (id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms)
        VALUES (${n === 2 ? SYNC : newId()}, 'main', ${n}, ${`c${n - 1}`}, ${`c${n}`}, 'applied', '{"create": 1}', '[{"action": "create"}]', '[]', 0, 'd', 'system', '2030-01-01Z', 12)`
    }
    const first = (await get('/api/v1/sources/main/syncs?limit=2')).json()
    expect(first.items.map((sync: { to_revision: string }) => sync.to_revision)).toEqual(['c3', 'c2'])
    expect(first.items[0]).not.toHaveProperty('changes')
    const second = (await get(`/api/v1/sources/main/syncs?limit=2&cursor=${first.next_cursor}`)).json()
    expect([second.items[0].to_revision, second.next_cursor]).toEqual(['c1', null])
    expect((await get(`/api/v1/sources/main/syncs/${SYNC}`)).json().changes).toEqual([{ action: 'create' }])
    expect((await get(`/api/v1/sources/other/syncs/${SYNC}`)).statusCode).toBe(404)
    const sync = (await post('/api/v1/sources/main/sync')).json()
    expect([sync.revision, sync.sync.counts]).toEqual(['c2', { create: 1 }])
    expect((await post('/api/v1/sources/main/deletions/approve', { revision: 'c0ffee' })).json()).toMatchObject({
      revision: 'c0ffee',
      deletions: 7,
    })
  })
})
