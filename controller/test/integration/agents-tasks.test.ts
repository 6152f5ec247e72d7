import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTaskLog, taskLog } from '../../src/agents/logs.ts'
import { cancelTask } from '../../src/agents/tasks.ts'
import { identityOf } from '../../src/lib/process-identity.ts'
import { liveInstancesOfAgent } from '../../src/store/queries/instances.ts'
import { transact } from '../../src/store/transact.ts'
import { startTestFleet, type TestFleet, until } from '../support/agent-fleet.ts'
import { aTarget, type TargetOptions } from '../support/agent-target.ts'

describe('one command per task', () => {
  let fleet: TestFleet
  beforeEach(async () => {
    fleet = await startTestFleet()
  })
  afterEach(() => fleet.end())

  const perTask = (command: string[], options: TargetOptions = {}) =>
    aTarget({ mode: 'perTask', command, grace: 1, ...options })
  const sh = (script: string, options: TargetOptions = {}) =>
    fleet.agents.ensure(perTask(['sh', '-c', script], options))
  const ended = (taskId: string) =>
    until('the end of the task', async () => {
      const task = await fleet.task(taskId)
      return ['completed', 'failed', 'cancelled'].includes(task.status) ? task : null
    })
  const live = () => liveInstancesOfAgent(fleet.store.engine, aTarget().uid)
  const taskFolders = () => {
    const folder = join(fleet.dataDir, 'workspaces', aTarget().uid, 'tasks')
    return existsSync(folder) ? readdirSync(folder) : []
  }

  it('reads the task as one line of JSON, in a folder of its own that is gone afterwards', async () => {
    expect(
      await fleet.agents.ensure(
        perTask([
          'node',
          '-e',
          `const text = require('fs').readFileSync(0, 'utf8'); const task = JSON.parse(text); require('fs').writeFileSync('scratch', 'x')
           console.log(JSON.stringify({ lines: text.split('\\n').length, ...task, cwd: process.cwd(), env: process.env.STATEWARD_WORKSPACE }))`,
        ]),
      ),
    ).toMatchObject({ phase: 'Running', replicas: 1, instances: [], ready: { status: 'True' } })
    const taskId = await fleet.enqueue({ prompt: 'Why?', inputs: { host: 'web-1' } })
    const task = await ended(taskId)
    const workspace = join(fleet.dataDir, 'workspaces', aTarget().uid, 'tasks', `${taskId}.1`)
    expect(task).toMatchObject({
      status: 'completed',
      output: {
        lines: 2,
        protocol: 1,
        task_id: taskId,
        attempt: 1,
        prompt: 'Why?',
        inputs: { host: 'web-1' },
        workspace,
        cwd: workspace,
        env: workspace,
      },
    })
    await until('an empty folder', () => taskFolders().length === 0)
    expect(await live()).toEqual([])
  })

  it('reads the bare prompt when the agent says so', async () => {
    await sh('cat', { stdin: 'prompt' })
    expect(await ended(await fleet.enqueue({ prompt: 'line one\nline two' }))).toMatchObject({
      output: { text: 'line one\nline two' },
    })
  })

  it('runs as many at once as there are replicas, and no task twice', async () => {
    const runs = join(fleet.dataDir, 'runs')
    await sh(`echo "$STATEWARD_INSTANCE" >>${runs}; sleep 0.1; echo done`, { replicas: 3 })
    const ids: string[] = []
    for (let i = 0; i < 12; i++) ids.push(await fleet.enqueue())
    let most = 0
    await until('all of them', async () => {
      most = Math.max(most, (await live()).length)
      return (await Promise.all(ids.map((id) => fleet.task(id)))).every(({ status }) => status === 'completed')
    })
    expect(most).toBeLessThanOrEqual(3)
    expect(most).toBeGreaterThan(1)
    expect(new Set(readFileSync(runs, 'utf8').trim().split('\n')).size).toBe(12)
    expect(readFileSync(runs, 'utf8').trim().split('\n')).toHaveLength(12)
  })

  it('fails by exit code, with the end of its log as the reason and no secret in it', async () => {
    fleet.secrets.set('keys/k', 'the-secret-value')
    await sh('echo "no access with $KEY" >&2; exit 3', {
      env: [{ name: 'KEY', secretRef: { name: 'keys', key: 'k' } }],
    })
    const taskId = await fleet.enqueue()
    expect(await ended(taskId)).toMatchObject({
      status: 'failed',
      error: { code: 'agent_failed', message: 'no access with [redacted]', retryable: false },
    })
    expect(await readTaskLog(fleet.agents.fleet, taskId, { tail: 10 })).toBe('no access with [redacted]\n')
    const [event] = await fleet.events('stateward.task.failed')
    expect(event).toMatchObject({ data: { task_id: taskId, code: 'agent_failed', attempt: 1 } })
  })

  it('with exit code 75 says that another try may help', async () => {
    await sh('exit 75')
    expect(await ended(await fleet.enqueue())).toMatchObject({ error: { retryable: true } })
  })

  it('fails when its output does not fit, is no JSON, or is too large', async () => {
    await sh('cat', { stdin: 'prompt' })
    const schema = { type: 'object', required: ['a'] }
    const fits = await fleet.enqueue({ prompt: '{"a":1}', output_schema: schema })
    const misfit = await fleet.enqueue({ prompt: '{"b":1}', output_schema: schema })
    const text = await fleet.enqueue({ prompt: 'hello', output_schema: schema })
    expect(await ended(fits)).toMatchObject({ status: 'completed', output: { a: 1 } })
    expect(await ended(misfit)).toMatchObject({ error: { code: 'invalid_output' } })
    expect(await ended(text)).toMatchObject({ error: { code: 'invalid_output' } })
    await sh('yes', { digest: 'd2' })
    expect(await ended(await fleet.enqueue())).toMatchObject({ error: { code: 'output_too_large' } })
  })

  it('is ended when its time is over, also when it ignores TERM', async () => {
    await sh('trap "" TERM; while :; do sleep 0.05; done')
    const taskId = await fleet.enqueue({ deadline: new Date(Date.now() + 400) })
    expect(await ended(taskId)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } })
    expect(await live()).toEqual([])
  })

  it('that gets TERM at its deadline and then exits well has failed all the same', async () => {
    await sh('trap "exit 0" TERM; echo partial; while :; do sleep 0.05; done')
    expect(await ended(await fleet.enqueue({ deadline: new Date(Date.now() + 400) }))).toMatchObject({
      error: { code: 'deadline_exceeded' },
    })
  })

  it('is ended when its task is cancelled, and its result does not count', async () => {
    await sh('sleep 60')
    const taskId = await fleet.enqueue()
    const [row] = await until('a command', async () => ((await live())[0]?.pid ? live() : null))
    const change = await transact(fleet.store, (tx) => cancelTask(tx, fleet.store, taskId))
    expect(change.events).toMatchObject([{ event_name: 'stateward.task.cancelled' }])
    await until('its end', async () => (await live()).length === 0)
    expect(identityOf(row!.pid!)).toBeNull()
    expect(await fleet.task(taskId)).toMatchObject({ status: 'cancelled', output: null })
  })

  it('that outlives the controller is adopted, and its result read by the next one', async () => {
    await sh('sleep 0.7; echo survived')
    const taskId = await fleet.enqueue()
    const [row] = await until('a command', async () => ((await live())[0]?.pid ? live() : null))
    await fleet.restart()
    expect((await live()).map(({ id, pid }) => [id, pid])).toEqual([[row!.id, row!.pid]])
    expect(await ended(taskId)).toMatchObject({ status: 'completed', attempt: 1, output: { text: 'survived' } })
  })

  it('that ended while no controller was there has its result read from its files, without the agent being known yet', async () => {
    await sh('sleep 0.3; echo alone')
    const taskId = await fleet.enqueue()
    const [row] = await until('a command', async () => ((await live())[0]?.pid ? live() : null))
    await fleet.agents.abandon()
    await until('its end', () => identityOf(row!.pid!) === null)
    expect(await fleet.task(taskId)).toMatchObject({ status: 'leased' })
    await fleet.restart()
    expect(await fleet.task(taskId)).toMatchObject({ status: 'completed', output: { text: 'alone' } })
    await until('an empty folder', () => taskFolders().length === 0)
  })

  it('that was killed with everything around it is tried again, and fails after the last attempt', async () => {
    await sh('sleep 60')
    const taskId = await fleet.enqueue()
    for (let attempt = 1; attempt <= 3; attempt++) {
      const row = await until(`attempt ${attempt}`, async () => {
        const task = await fleet.task(taskId)
        const [command] = await live()
        return task.attempt === attempt && command?.pid && task.instance_id === command.id ? command : null
      })
      process.kill(-row.pid!, 'SIGKILL')
    }
    expect(await ended(taskId)).toMatchObject({
      status: 'failed',
      attempt: 3,
      error: { code: 'agent_failed', message: 'the agent that worked on it ended, on attempt 3 of 3' },
    })
  })

  it('goes back to the queue when the controller stops, and is done by the next one', async () => {
    const marker = join(fleet.dataDir, 'second')
    await sh(`test -e ${marker} && echo ok || sleep 60`)
    const taskId = await fleet.enqueue()
    await until('a command', async () => (await live())[0]?.pid)
    await fleet.agents.stopAll({ graceMs: 2000 })
    expect(await fleet.task(taskId)).toMatchObject({ status: 'queued', attempt: 2 })
    fleet.write('second', '')
    await fleet.restart()
    await sh(`test -e ${marker} && echo ok || sleep 60`)
    expect(await ended(taskId)).toMatchObject({ status: 'completed', attempt: 2 })
  })

  it('finishes what runs when its agent is deleted, within the grace period, and starts nothing more', async () => {
    await sh('sleep 0.4; echo finished', { grace: 10 })
    const first = await fleet.enqueue()
    await until('a command', async () => (await live())[0]?.pid)
    const second = await fleet.enqueue()
    const deleting = perTask(['sh', '-c', 'sleep 0.4; echo finished'], { grace: 10, deleting: true })
    expect(await fleet.agents.ensure(deleting)).toMatchObject({ gone: false })
    expect(await ended(first)).toMatchObject({ status: 'completed' })
    await until('gone', async () => (await fleet.agents.ensure(deleting)).gone)
    expect(await fleet.task(second)).toMatchObject({ status: 'queued' })
  })

  it('waits while the agent is suspended, has no room, or its command is missing', async () => {
    await sh('echo hi', { suspended: true })
    const taskId = await fleet.enqueue()
    fleet.host.slots = 0
    expect(await sh('echo hi')).toMatchObject({ phase: 'Pending', ready: { reason: 'NoHost' } })
    fleet.host.slots = 1
    expect(await fleet.agents.ensure(perTask(['./program']))).toMatchObject({
      ready: { reason: 'CommandNotFound', message: expect.stringContaining('STATEWARD_FILES') },
    })
    expect(await fleet.agents.ensure(perTask(['no-such-program']))).toMatchObject({
      ready: { reason: 'CommandNotFound' },
    })
    expect(await fleet.task(taskId)).toMatchObject({ status: 'queued', attempt: 1 })
    expect(await sh('echo hi')).toMatchObject({ ready: { status: 'True' } })
    expect(await ended(taskId)).toMatchObject({ status: 'completed' })
  })

  it('keeps the folder of a task that wants it', async () => {
    await sh('echo kept >file; echo ok')
    const kept = await fleet.enqueue({ keep_workspace: true })
    await ended(kept)
    expect(readFileSync(join(fleet.dataDir, 'workspaces', aTarget().uid, 'tasks', `${kept}.1`, 'file'), 'utf8')).toBe(
      'kept\n',
    )
    await sh('echo kept >file; echo ok', { keepWorkspace: true, digest: 'd2' })
    await ended(await fleet.enqueue())
    expect(taskFolders()).toHaveLength(2)
  })

  it('shows the log of a task as it grows', async () => {
    await sh('echo a >&2; sleep 0.3; echo b >&2; echo result')
    const taskId = await fleet.enqueue()
    await until('a command', async () => (await live())[0]?.pid)
    let text = ''
    const request = { follow: true, signal: new AbortController().signal, tailLines: null }
    for await (const chunk of await taskLog(fleet.agents.fleet, taskId, request)) text += chunk
    expect(text).toBe('a\nb\n')
    await expect(taskLog(fleet.agents.fleet, aTarget().uid, request)).rejects.toMatchObject({ code: 'not_found' })
  })
})
