import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authenticate, complete, heartbeat, pickup, register } from '../../src/agents/daemon-protocol.ts'
import { sweepTasks } from '../../src/agents/sweep.ts'
import { sha256 } from '../../src/lib/digest.ts'
import { newToken, uuidv7 } from '../../src/lib/ids.ts'
import { cutLog } from '../../src/lib/programs/log-file.ts'
import { openInboxRows } from '../../src/store/queries/inbox.ts'
import { endInstance, type InstanceRow, insertInstance, instanceById } from '../../src/store/queries/instances.ts'
import { startTestFleet, type TestFleet, until } from '../support/agent-fleet.ts'
import { aTarget } from '../support/agent-target.ts'

const never = () => new AbortController().signal

/** Instances without processes, on a host of their own so that nobody looks for one. */
describe('the daemon protocol', () => {
  let fleet: TestFleet
  let uids = 0
  beforeAll(async () => {
    fleet = await startTestFleet({ tickMs: 3_600_000 })
  })
  afterAll(() => fleet.end())

  async function instanceOf(
    name: string,
    ordinal = 0,
    uid = `01900000-0000-7000-9000-${String(++uids).padStart(12, '0')}`,
  ): Promise<{ row: InstanceRow; token: string }> {
    const target = aTarget({ uid, name, heartbeat: { interval: '1s', timeout: '5s' } })
    fleet.agents.fleet.targets.set(uid, target)
    const token = newToken('a')
    const id = uuidv7()
    const inserted = await insertInstance(
      fleet.store.engine,
      {
        id,
        agentUid: uid,
        namespace: 'default',
        agent: name,
        ordinal,
        host: 'elsewhere',
        mode: 'daemon',
        slots: 1,
        launchDigest: 'd1',
        tokenSha256: sha256(token),
        bootId: 'b',
        restartCount: 0,
        crashCount: 0,
        createdAt: fleet.store.clock.now(),
      },
      1000,
    )
    expect(inserted).toBe('inserted')
    return { row: (await authenticate(fleet.agents.fleet, token))!, token }
  }
  async function registered(name: string, ordinal?: number, uid?: string): Promise<InstanceRow> {
    const { row } = await instanceOf(name, ordinal, uid)
    await register(fleet.agents.fleet, row, { instance_id: row.id, protocol: 1 })
    return (await instanceById(fleet.store.engine, row.id))!
  }
  const take = (row: InstanceRow, wait_seconds = 0, max = 1, signal = never()) =>
    pickup(fleet.agents.fleet, row, { instance_id: row.id, max, wait_seconds }, signal)
  const give = (agent: string, more: Parameters<TestFleet['enqueue']>[0] = {}) => fleet.enqueue({ agent, ...more })

  it('knows a token only while its instance lives', async () => {
    const { row, token } = await instanceOf('tokens')
    expect(await authenticate(fleet.agents.fleet, token)).toMatchObject({ id: row.id })
    expect(await authenticate(fleet.agents.fleet, newToken('a'))).toBeNull()
    expect(await authenticate(fleet.agents.fleet, row.id)).toBeNull()
    await endInstance(fleet.store.engine, row.id, { endedAt: new Date(), exitCode: 0, reason: 'exited' })
    expect(await authenticate(fleet.agents.fleet, token)).toBeNull()
    await expect(
      heartbeat(fleet.agents.fleet, row, { instance_id: row.id, status: 'idle', tasks: [] }),
    ).rejects.toMatchObject({ code: 'conflict' })
    await expect(register(fleet.agents.fleet, row, { instance_id: row.id, protocol: 1 })).rejects.toMatchObject({
      code: 'conflict',
    })
  })

  it('registers once, whoever asks how often, and only for itself and this protocol', async () => {
    const { row } = await instanceOf('registering')
    const body = { instance_id: row.id, protocol: 1 }
    expect(await register(fleet.agents.fleet, row, body)).toMatchObject({
      agent_id: row.agent_uid,
      heartbeat_seconds: 1,
      spec: { replicas: 1 },
    })
    await register(fleet.agents.fleet, row, body)
    const events = await fleet.events('stateward.agent.instance.registered')
    expect(events.filter(({ data }) => data['instance_id'] === row.id)).toHaveLength(1)
    await expect(register(fleet.agents.fleet, row, { ...body, instance_id: uuidv7() })).rejects.toMatchObject({
      code: 'forbidden',
    })
    await expect(register(fleet.agents.fleet, row, { ...body, protocol: 2 })).rejects.toMatchObject({
      code: 'validation_failed',
    })
    fleet.agents.fleet.targets.delete(row.agent_uid)
    await expect(register(fleet.agents.fleet, row, body)).rejects.toMatchObject({ code: 'not_ready', status: 503 })
  })

  it('gives each of 100 tasks to exactly one of 10 pickers', async () => {
    const uid = '01900000-0000-7000-9000-0000000000ff'
    const pickers = []
    for (let ordinal = 0; ordinal < 10; ordinal++) pickers.push(await registered('crowd', ordinal, uid))
    const ids = await Promise.all(Array.from({ length: 100 }, () => give('crowd')))
    const taken = await Promise.all(
      pickers.map(async (row) => {
        const mine: string[] = []
        for (let picked = await take(row); picked !== null; picked = await take(row))
          mine.push(...picked.tasks.map(({ task_id }) => task_id))
        return mine
      }),
    )
    expect(taken.flat().sort()).toEqual([...ids].sort())
    expect(taken.filter((mine) => mine.length > 0).length).toBeGreaterThan(1)
  })

  it('gives the oldest first, as many as asked for, and none to one that has not registered', async () => {
    const { row } = await instanceOf('order')
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      ids.push(await give('order'))
      // Which of two tasks of one millisecond is the older one, nobody can tell.
      await delay(2)
    }
    expect(await take(row)).toBeNull()
    await register(fleet.agents.fleet, row, { instance_id: row.id, protocol: 1 })
    expect((await take(row, 0, 2))?.tasks.map(({ task_id }) => task_id)).toEqual(ids.slice(0, 2))
  })

  it('wakes who waits as soon as there is a task', async () => {
    const row = await registered('waiting')
    const waiting = take(row, 30)
    const taskId = await give('waiting', { prompt: 'now' })
    expect((await waiting)?.tasks).toMatchObject([{ task_id: taskId, prompt: 'now', attempt: 1, output_schema: null }])
  })

  it('gives nothing to a client that is gone', async () => {
    const row = await registered('gone')
    const aborted = AbortSignal.abort()
    const taskId = await give('gone')
    expect(await take(row, 30, 1, aborted)).toBeNull()
    expect(await fleet.task(taskId)).toMatchObject({ status: 'queued', attempt: 1, instance_id: null })
  })

  it('gives nothing while the agent is suspended or goes away, and tells it to drain', async () => {
    const row = await registered('draining')
    await give('draining')
    const target = fleet.agents.fleet.targets.get(row.agent_uid)!
    for (const change of [{ suspended: true }, { deleting: true }]) {
      fleet.agents.fleet.targets.set(row.agent_uid, { ...target, ...change })
      expect(await take(row)).toBeNull()
      expect(await heartbeat(fleet.agents.fleet, row, { instance_id: row.id, status: 'idle', tasks: [] })).toEqual({
        interventions: [],
        drain: true,
      })
    }
    fleet.agents.fleet.targets.set(row.agent_uid, target)
    expect(await heartbeat(fleet.agents.fleet, row, { instance_id: row.id, status: 'idle', tasks: [] })).toEqual({
      interventions: [],
      drain: false,
    })
  })

  it('counts a result once: the same again is the same answer, another is a conflict', async () => {
    const row = await registered('results')
    const taskId = await give('results')
    await take(row)
    const report = { attempt: 1, status: 'completed' as const, output: { a: 1, b: 'x\u0000y' } }
    expect(await complete(fleet.agents.fleet, row, taskId, report)).toEqual({ task_id: taskId, status: 'completed' })
    expect(await fleet.task(taskId)).toMatchObject({ output: { a: 1, b: 'x\uFFFDy' } })
    expect(await complete(fleet.agents.fleet, row, taskId, { ...report, output: { b: 'x\u0000y', a: 1 } })).toEqual({
      task_id: taskId,
      status: 'completed',
    })
    await expect(complete(fleet.agents.fleet, row, taskId, { ...report, output: { a: 2 } })).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(complete(fleet.agents.fleet, row, taskId, { attempt: 1, status: 'failed' })).rejects.toMatchObject({
      code: 'conflict',
    })
    const events = (await fleet.events('stateward.task.completed')).filter(({ data }) => data['task_id'] === taskId)
    expect(events).toMatchObject([{ data: { output_sanitized: true, attempt: 1, instance_id: row.id } }])
  })

  it("refuses results of tasks that are somebody else's, cancelled, or not leased", async () => {
    const row = await registered('strict')
    const other = await registered('strict', 1, row.agent_uid)
    const stranger = await registered('stranger')
    const taskId = await give('strict')
    const report = { attempt: 1, status: 'completed' as const, output: {} }
    await expect(complete(fleet.agents.fleet, row, taskId, report)).rejects.toMatchObject({ code: 'conflict' })
    await take(row)
    await expect(complete(fleet.agents.fleet, other, taskId, report)).rejects.toMatchObject({ code: 'conflict' })
    await expect(complete(fleet.agents.fleet, stranger, taskId, report)).rejects.toMatchObject({ code: 'not_found' })
    await expect(complete(fleet.agents.fleet, row, taskId, { ...report, attempt: 2 })).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(complete(fleet.agents.fleet, row, uuidv7(), report)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('fails a task whose output does not fit, and says so to the agent, again and again', async () => {
    const row = await registered('misfit')
    const taskId = await give('misfit', { output_schema: { type: 'object', required: ['severity'] } })
    await take(row)
    for (let i = 0; i < 2; i++) {
      expect(await complete(fleet.agents.fleet, row, taskId, { attempt: 1, status: 'completed', output: {} })).toEqual({
        task_id: taskId,
        status: 'failed',
      })
    }
    expect(await fleet.task(taskId)).toMatchObject({ error: { code: 'invalid_output' } })
  })

  it('keeps the lease of a task that heartbeats name, and gives any other to the next attempt', async () => {
    const uid = '01900000-0000-7000-9000-0000000000ee'
    const row = await registered('leases', 0, uid)
    const next = await registered('leases', 1, uid)
    const [kept, lost] = [await give('leases'), await give('leases')]
    await take(row, 0, 2)
    const ago = (ms: number) => new Date(Date.now() - ms)
    await fleet.store.engine`UPDATE tasks SET lease_until = ${ago(1)} WHERE task_id = ANY(${[kept, lost]}::uuid[])`
    await heartbeat(fleet.agents.fleet, row, { instance_id: row.id, status: 'busy', tasks: [kept] })
    fleet.agents.fleet.observedSince = Date.now()
    await sweepTasks(fleet.agents.fleet)
    expect(await fleet.task(lost)).toMatchObject({ status: 'leased' })
    fleet.agents.fleet.observedSince = Date.now() - 600_000
    await sweepTasks(fleet.agents.fleet)
    expect(await fleet.task(kept)).toMatchObject({ status: 'leased', attempt: 1 })
    expect(await fleet.task(lost)).toMatchObject({ status: 'queued', attempt: 2 })
    expect((await take(next))?.tasks).toMatchObject([{ task_id: lost, attempt: 2 }])
    await expect(
      complete(fleet.agents.fleet, row, lost, { attempt: 1, status: 'completed', output: 'late' }),
    ).rejects.toMatchObject({ code: 'conflict' })
    expect(
      await complete(fleet.agents.fleet, next, lost, { attempt: 2, status: 'completed', output: 'in time' }),
    ).toMatchObject({ status: 'completed' })
  })

  it('fails tasks whose time is over, queued or leased', async () => {
    const row = await registered('overdue')
    const deadline = new Date(Date.now() + 150)
    const leased = await give('overdue', { deadline })
    await take(row)
    const queued = await give('overdue', { deadline })
    await until('the deadline', () => Date.now() > deadline.getTime())
    expect(await take(row)).toBeNull()
    await sweepTasks(fleet.agents.fleet)
    for (const id of [leased, queued])
      expect(await fleet.task(id)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })
  })

  it('tells the run what became of its task, in the same transaction, and wakes it', async () => {
    const { engine } = fleet.store
    const runId = uuidv7()
    await engine`INSERT INTO compiled_plans (digest, plan, created_at) VALUES ('p1', '{}', ${new Date()}) ON CONFLICT DO NOTHING`
    await engine`
      INSERT INTO runs (run_id, namespace, name, blueprint_uid, blueprint, revision, plan_digest, status, trigger, inputs, actor, correlation_id, created_at)
      VALUES (${runId}, 'default', 'r-1', ${uuidv7()}, 'b', 'abc', 'p1', 'running', 'manual', '{}', 'user:x', 'c', ${new Date()})`
    const row = await registered('running')
    const stepId = uuidv7()
    const first = await give('running', { run_id: runId, step_id: stepId, path: 'analyze' })
    const second = await give('running', { run_id: runId, step_id: stepId, path: 'analyze' })
    await take(row, 0, 2)
    await complete(fleet.agents.fleet, row, first, { attempt: 1, status: 'completed', output: { ok: true } })
    await complete(fleet.agents.fleet, row, second, {
      attempt: 1,
      status: 'failed',
      error: { code: 'no_idea', message: 'cannot say', retryable: true },
    })
    expect(
      (await openInboxRows(engine, [runId])).map(({ kind, path, payload, actor }) => ({ kind, path, payload, actor })),
    ).toEqual([
      {
        kind: 'task_result',
        path: 'analyze',
        payload: { task_id: first, status: 'completed', output: { ok: true } },
        actor: 'agent:default/running',
      },
      {
        kind: 'task_result',
        path: 'analyze',
        payload: {
          task_id: second,
          status: 'failed',
          error: { code: 'no_idea', message: 'cannot say', retryable: true },
        },
        actor: 'agent:default/running',
      },
    ])
    const [run] = await engine<
      { wake_at: Date | null; signals: number }[]
    >`SELECT wake_at, signals FROM runs WHERE run_id = ${runId}`
    expect(run).toMatchObject({ signals: 2, wake_at: expect.any(Date) })
    expect(fleet.nudged.filter((id) => id === runId)).toHaveLength(2)
    const events = await fleet.store
      .reader`SELECT event_name, step_id, correlation_id FROM events WHERE run_id = ${runId} ORDER BY seq`
    expect(events).toMatchObject([
      { event_name: 'stateward.task.leased', step_id: stepId },
      { event_name: 'stateward.task.leased', step_id: stepId },
      { event_name: 'stateward.task.completed', step_id: stepId, correlation_id: 'c' },
      { event_name: 'stateward.task.failed', step_id: stepId, correlation_id: 'c' },
    ])
  })
})

describe('a log', () => {
  it('that grew too long keeps its end, and its writer goes on', async () => {
    const fleet = await startTestFleet()
    try {
      const file = fleet.write('log', '')
      for (let i = 0; i < 1000; i++) appendFileSync(file, `line ${i}\n`)
      expect(cutLog(file, 20_000)).toBe(false)
      expect(cutLog(file, 500)).toBe(true)
      appendFileSync(file, 'after\n')
      const lines = readFileSync(file, 'utf8').split('\n')
      expect(lines[0]).toBe('[stateward: cut here, the log was over 500 bytes]')
      expect(lines[1]).toMatch(/^line 9\d\d$/)
      expect(lines.slice(-3)).toEqual(['line 999', 'after', ''])
    } finally {
      await fleet.end()
    }
  })
})
