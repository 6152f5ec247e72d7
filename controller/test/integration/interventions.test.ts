import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { runProgram } from '../../src/cli/program.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { until } from '../support/agent-fleet.ts'
import { joinAs } from '../support/bus-agents.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation, isRunning, PER_TASK, SLEEPER } from '../support/stateward.ts'

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

type Reply = { readonly status: number; readonly body: Record<string, unknown> }

async function call(here: Installation, method: string, path: string, body?: object, token?: string): Promise<Reply> {
  const bearer = token ?? (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
  const response = await fetch(here.stateward.url + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

const intervene = (here: Installation, verb: string, body: object = {}, name = 'a') =>
  here.post(`/api/v1/agents/${name}/${verb}`, { reason: 'too loud', ...body })
const read = async (here: Installation, { body }: Reply) =>
  (await call(here, 'GET', `/api/v1/interventions/${body['id']}`)).body
const settled = (here: Installation, reply: Reply, state: string) =>
  until(`${state}`, async () => {
    const now = await read(here, reply)
    return now['state'] === state ? now : null
  })
const story = async (here: Installation, after = 0) =>
  (await here.events(after))
    .filter(({ event_name }) => event_name.startsWith('stateward.intervention.'))
    .map(({ event_name, data }) => {
      const verb = event_name.split('.').at(-1)
      return `${data['action']} ${verb}${data['why'] === undefined ? '' : ` ${data['why']}`}`
    })

/** A task that nobody else made: the queue of an agent is a table. */
async function enqueue(here: Installation, name: string, count = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7())
  for (const id of ids)
    await here.sql`
      INSERT INTO tasks (task_id, namespace, agent, status, prompt, inputs, correlation_id, created_at)
      VALUES (${id}, 'default', ${name}, 'queued', 'do it', '{}', 'c', now())`
  here.stateward.agents.taskQueued('default', name)
  return ids
}
const statusOf = async (here: Installation, id: string) =>
  (await here.sql<{ status: string; agent: string }[]>`SELECT status, agent FROM tasks WHERE task_id = ${id}`)[0]!

const outputOf = async (here: Installation, id: string) =>
  (await here.sql<{ output: unknown }[]>`SELECT output FROM tasks WHERE task_id = ${id}`)[0]!.output

/** Answers each task with its prompt, over the bus as the starter's agent speaks it; holds one that says "hold". */
const MAIN = `
import { connect } from './bus.mjs'
const { STATEWARD_URL: url, STATEWARD_TOKEN: token, STATEWARD_INSTANCE: instance, STATEWARD_AGENT: agent } = process.env
const { signal } = new AbortController()
const bus = connect({ url, token, agent, instance, namespace: process.env.STATEWARD_NAMESPACE }, console.log)
await bus.register(signal)
setInterval(() => bus.heartbeat([], signal).catch(() => {}), 300)
for (;;)
  for (const task of await bus.pickup(signal))
    await bus.report(task, { status: 'completed', output: { text: task.prompt } }, signal)
`
const BUS = readFileSync(new URL('../../../state-repo/agents/sre/bus.mjs', import.meta.url), 'utf8')
const KEY = 'Agent/default/a'
const DAEMON = {
  'a.yaml': agent('a', {
    runtime: { process: { command: ['node', 'main.mjs'], workdir: 'code/a' } },
    heartbeat: { interval: '1s', timeout: '20s' },
  }),
  'code/a/main.mjs': MAIN,
  'code/a/bus.mjs': BUS,
}

describe('pausing an agent', () => {
  it('counts at once, is told to the process, and is proposed as a commit that names it', async () => {
    const here = await started(DAEMON)
    await here.untilCondition(KEY, 'Ready', 'True')
    const main = tipOf(here.repo, 'refs/heads/main')
    const paused = await intervene(here, 'pause')
    expect(paused.status).toBe(202)
    expect(paused.body).toMatchObject({
      action: 'pause',
      agent: 'a',
      reason: 'too loud',
      issued_by: 'user:ada',
      in_force: true,
      expires_at: null,
      merged: false,
      branch: 'proposals/pause-agent-a',
    })
    const [task] = await enqueue(here, 'a')
    // The daemon of the test answers as the starter's does.
    expect(await settled(here, paused, 'applied')).toMatchObject({ acknowledged_by: 'agent:default/a', in_force: true })
    expect(await statusOf(here, task!)).toMatchObject({ status: 'queued' })
    expect(tipOf(here.repo, 'refs/heads/main')).toBe(main)
    const message = git(here.repo, ['log', '-1', '--format=%(trailers)', 'proposals/pause-agent-a'])
    expect(message).toContain(`Stateward-Intervention: ${paused.body['id']}`)
    expect(here.object(KEY).status).toMatchObject({
      overrides: [{ path: '/spec/suspend', intervention: paused.body['id'] }],
    })

    const resumed = await intervene(here, 'resume', { reason: 'fixed' })
    expect(resumed.status).toBe(202)
    await until('the task', async () => (await statusOf(here, task!)).status === 'completed')
    expect(await read(here, paused)).toMatchObject({ in_force: false, ended_why: 'resumed', state: 'applied' })
    await settled(here, resumed, 'applied')
    const told = await story(here)
    expect(told[0]).toBe('pause issued')
    // The process may be quicker than the commit.
    expect(told.slice(1, 3).sort()).toEqual(['pause applied', 'pause proposed'])
    expect(told.slice(3)).toEqual(['pause ended resumed', 'resume issued', 'resume applied'])
  })

  it('holds through commits of the same agent, full passes and restarts, and never ends by itself', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const paused = await intervene(here, 'pause')
    await here.untilCondition(KEY, 'Suspended', 'True')
    await here.apply({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 2 }) })
    await here.post('/api/v1/reconcile', {})
    await here.stop()
    await here.start()
    const [task] = await enqueue(here, 'a')
    await here.stateward.settled()
    expect(here.condition(KEY, 'Suspended')?.status).toBe('True')
    expect(await read(here, paused)).toMatchObject({ in_force: true, ended_at: null, state: 'applied' })
    expect(await statusOf(here, task!)).toMatchObject({ status: 'queued' })
  })

  it('ends with its merge and holds by Git from there on; resuming proposes the way back', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const paused = await intervene(here, 'pause', { merge: true })
    expect(paused.body).toMatchObject({ merged: true, branch: null })
    await until('the end', async () => (await read(here, paused))['ended_why'] === 'merged')
    expect(await here.sql`SELECT 1 FROM overrides`).toHaveLength(0)
    await until('Git to say it', () => here.condition(KEY, 'Suspended')?.message === 'spec.suspend is true')
    const resumed = await intervene(here, 'resume', { merge: true })
    expect(resumed.status).toBe(202)
    await until('the end', () => here.object(KEY).spec['suspend'] === undefined)
    await until('to go on', () => here.condition(KEY, 'Suspended') === null)
  })

  it('lifts itself when its time is up, and says so', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const paused = await intervene(here, 'pause', { expires_at: new Date(Date.now() + 800).toISOString() })
    await until('its end', async () => (await read(here, paused))['ended_why'] === 'expired')
    expect(await read(here, paused)).toMatchObject({ in_force: false })
    await until('to go on', () => here.condition(KEY, 'Suspended') === null)
    expect(await story(here)).toContain('pause ended expired')
    const [task] = await enqueue(here, 'a')
    await until('the task', async () => (await statusOf(here, task!)).status === 'completed')
  })

  it('is replaced by a later one, and taken back by objects/resume, too', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const first = await intervene(here, 'pause')
    const second = await intervene(here, 'pause', { reason: 'still too loud' })
    expect(await read(here, first)).toMatchObject({ in_force: false, ended_why: 'replaced' })
    const resumed = await here.post('/api/v1/objects/resume', { kind: 'agent', name: 'a' })
    expect(resumed).toMatchObject({ status: 200, body: { suspended: false } })
    expect(await read(here, second)).toMatchObject({ in_force: false, ended_why: 'resumed' })
  })

  it('is refused for who may not, for an agent that is not there, without a reason, and when there is nothing to resume', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK) })
    const key = async (role: string) =>
      String((await here.post('/api/v1/keys', { name: role, roles: [role] })).body['token'])
    const [governor, viewer] = [await key('governor'), await key('viewer')]
    const pause = (token: string) => call(here, 'POST', '/agents/a/pause', { reason: 'stop' }, token)
    expect((await pause(viewer)).status).toBe(403)
    expect((await pause(governor)).status).toBe(202)
    // A governor executes nothing.
    expect((await call(here, 'POST', '/api/v1/runs', { blueprint: 'b' }, governor)).status).toBe(403)
    expect((await intervene(here, 'pause', {}, 'nobody')).status).toBe(404)
    expect((await here.post('/api/v1/agents/a/pause', {})).status).toBe(400)
    expect((await intervene(here, 'pause', { expires_at: '2020-01-01T00:00:00.000Z' })).status).toBe(400)
    expect((await intervene(here, 'resume')).status).toBe(202)
    expect((await intervene(here, 'resume')).status).toBe(409)
    expect((await call(here, 'POST', `/api/v1/interventions/${uuidv7()}/ack`, { state: 'applied' })).status).toBe(403)
  })
})

describe('terminating an agent', () => {
  it('ends its processes, keeps them ended through commits and restarts, and starts them when it is resumed', async () => {
    const here = await started(DAEMON)
    await here.untilCondition(KEY, 'Ready', 'True')
    const [pid] = await here.pids(KEY)
    const terminated = await intervene(here, 'terminate', { reason: 'compromised' })
    expect(terminated.status).toBe(202)
    await until('its end', () => !isRunning(pid!))
    await settled(here, terminated, 'applied')
    await here.apply({ 'a.yaml': `${DAEMON['a.yaml']}\n# more\n` })
    await here.stop()
    await here.start()
    expect(await here.pids(KEY)).toEqual([])
    expect(here.object(KEY).status).toMatchObject({ phase: 'Stopped' })
    expect(await read(here, terminated)).toMatchObject({ in_force: true, branch: 'proposals/terminate-agent-a' })
    await intervene(here, 'resume')
    await until('a new process', async () => (await here.pids(KEY)).length === 1)
  })

  it('gives a task it works on back to the queue, also while it is paused', async () => {
    const here = await started({
      'a.yaml': agent('a', { runtime: { process: { command: ['sleep', '600'], mode: 'perTask' } } }),
    })
    const [task] = await enqueue(here, 'a')
    await until('the task to run', async () => (await statusOf(here, task!)).status === 'leased')
    await intervene(here, 'pause')
    await intervene(here, 'terminate')
    await until('the task to wait', async () => (await statusOf(here, task!)).status === 'queued')
    await here.stateward.settled()
    expect((await statusOf(here, task!)).status).toBe('queued')
  })

  it('that was merged is undone by a resume as it was before', async () => {
    const here = await started({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 3 }) })
    const terminated = await intervene(here, 'terminate', { merge: true })
    await until('the end', async () => (await read(here, terminated))['ended_why'] === 'merged')
    expect(here.object(KEY).spec['replicas']).toBe(0)
    const resumed = await intervene(here, 'resume', { merge: true })
    expect(resumed.body).toMatchObject({ merged: true })
    await until('the end', () => here.object(KEY).spec['replicas'] === 3)
    expect(await here.sql`SELECT 1 FROM overrides`).toHaveLength(0)
  })
})

describe('redirecting an agent', () => {
  it('hands its waiting tasks to another one, and to nobody that takes none', async () => {
    const here = await started({
      'a.yaml': agent('a', { ...PER_TASK, replicas: 0 }),
      'b.yaml': agent('b', PER_TASK),
      'c.yaml': agent('c', { ...PER_TASK, suspend: true }),
    })
    const tasks = await enqueue(here, 'a', 3)
    expect((await intervene(here, 'redirect', { to: 'c' })).status).toBe(409)
    expect((await intervene(here, 'redirect', { to: 'a' })).status).toBe(409)
    expect((await intervene(here, 'redirect', { to: 'nobody' })).status).toBe(404)
    const redirected = await intervene(here, 'redirect', { to: 'b' })
    expect(redirected).toMatchObject({ status: 202, body: { params: { to: 'b', tasks: 3 }, in_force: false } })
    for (const task of tasks) await until('the task', async () => (await statusOf(here, task)).status === 'completed')
    expect(await statusOf(here, tasks[0]!)).toMatchObject({ agent: 'b' })
    const moved = (await here.events()).filter(({ event_name }) => event_name === 'stateward.task.redirected')
    expect(moved).toHaveLength(3)
  })

  it('gives it another goal, which each of its tasks carries until it is resumed', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    expect((await intervene(here, 'redirect', {})).status).toBe(400)
    const redirected = await intervene(here, 'redirect', { goal: 'Look at the disks.' })
    expect(redirected).toMatchObject({
      status: 202,
      body: {
        state: 'applied',
        in_force: true,
        params: { goal: 'Look at the disks.' },
        branch: 'proposals/redirect-agent-a',
      },
    })
    const [task] = await enqueue(here, 'a', 1)
    await until('the task', async () => (await statusOf(here, task!)).status === 'completed')
    expect(await outputOf(here, task!)).toMatchObject({ goal: 'Look at the disks.' })
    expect((await intervene(here, 'resume', {})).status).toBe(202)
    await here.stateward.settled()
    const [next] = await enqueue(here, 'a', 1)
    await until('the task', async () => (await statusOf(here, next!)).status === 'completed')
    expect(await outputOf(here, next!)).toMatchObject({ goal: null })
  })
})

describe('constraining an agent', () => {
  it('limits how many tasks it has at once, and tells each task the tools', async () => {
    const here = await started({
      'a.yaml': agent('a', {
        runtime: { process: { command: ['sh', '-c', 'cat; sleep 0.3'], mode: 'perTask' } },
        replicas: 3,
      }),
    })
    const constrained = await intervene(here, 'constrain', { max_tasks: 1, tools: ['http.*'] })
    expect(constrained.body).toMatchObject({ params: { constraints: { maxTasks: 1, tools: ['http.*'] } } })
    const tasks = await enqueue(here, 'a', 3)
    let most = 0
    await until('the tasks', async () => {
      const [row] = await here.sql<{ leased: number; done: number }[]>`
        SELECT count(*) FILTER (WHERE status = 'leased')::integer AS leased,
               count(*) FILTER (WHERE status = 'completed')::integer AS done FROM tasks`
      most = Math.max(most, row!.leased)
      return row!.done === tasks.length
    })
    expect(most).toBe(1)
    const [done] = await here.sql<{ output: { tools: unknown } }[]>`SELECT output FROM tasks LIMIT 1`
    expect(done!.output.tools).toEqual(['http.*'])
    expect(git(here.repo, ['show', 'proposals/constrain-agent-a:a.yaml'])).toContain('"maxTasks":1')
  })

  it('refuses calls of other tools from then on, until it is resumed', async () => {
    const here = await started({
      'a.yaml': agent('a', {
        ...SLEEPER,
        replicas: 0,
        capabilities: ['fs'],
        heartbeat: { interval: '1h', timeout: '24h' },
      }),
    })
    const worker = await joinAs(here, 'a')
    const read = async () => (await worker.call('POST', '/api/v1/tools/fs.read/call', { input: { path: 'a' } })).body
    const missing = await read()
    expect(missing.error.code).not.toBe('tool_forbidden')
    expect((await intervene(here, 'constrain', { tools: ['http.*'] })).status).toBe(202)
    const refused = await read()
    expect(refused.error).toMatchObject({ code: 'tool_forbidden', details: { ref: 'SW_TOOL_FORBIDDEN' } })
    expect(refused.error.message).toContain('constraints.tools')
    expect((await intervene(here, 'constrain', { tools: ['http.*', 'fs.*'] })).status).toBe(202)
    expect((await read()).error.code).toBe(missing.error.code)
    expect((await intervene(here, 'constrain', { tools: [] })).status).toBe(202)
    expect((await read()).error.code).toBe('tool_forbidden')
    expect((await intervene(here, 'resume', {})).status).toBe(202)
    expect((await read()).error.code).toBe(missing.error.code)
  })

  it('limits how many it is given a minute, adds up, and is lifted by a resume', async () => {
    const here = await started({ 'a.yaml': agent('a', { ...PER_TASK, replicas: 3 }) })
    await intervene(here, 'constrain', { tasks_per_minute: 2 })
    const second = await intervene(here, 'constrain', { tools: ['fs.read'] })
    expect(second.body['params']).toEqual({ constraints: { tasksPerMinute: 2, tools: ['fs.read'] } })
    const tasks = await enqueue(here, 'a', 4)
    const done = async () =>
      (await here.sql`SELECT 1 FROM tasks WHERE status = 'completed' AND task_id = ANY(${tasks})`).length
    await until('two of them', async () => (await done()) === 2)
    await here.stateward.settled()
    expect(await done()).toBe(2)
    expect((await intervene(here, 'constrain')).status).toBe(400)
    await intervene(here, 'resume')
    await until('the others', async () => (await done()) === 4)
  })
})

describe('an intervention that was not answered', () => {
  it('is told again after a restart', async () => {
    const here = await started({
      ...DAEMON,
      // Hears everything and answers nothing.
      'code/a/bus.mjs': BUS.replace(
        'async function answer(interventions = []) {',
        'async function answer() { return; const interventions = []',
      ),
    })
    await here.untilCondition(KEY, 'Ready', 'True')
    const paused = await intervene(here, 'pause')
    const receipts = () => here.sql<{ delivered_at: Date | null }[]>`SELECT delivered_at FROM intervention_receipts`
    await until('it to be told', async () => (await receipts())[0]?.delivered_at != null)
    expect(await read(here, paused)).toMatchObject({ state: 'pending' })
    await here.stop()
    await here.start()
    expect(await story(here)).toContain('pause requeued')
    expect(await read(here, paused)).toMatchObject({ in_force: true })
  })
})

describe('the verbs of the command line', () => {
  it('intervene, list what is in force, and say what is missing', async () => {
    const here = await started({ 'a.yaml': agent('a', PER_TASK), 'b.yaml': agent('b', PER_TASK) })
    const cli = async (...args: string[]) => {
      const terminal = fakeTerminal({
        cwd: here.dataDir,
        now: new Date().toISOString(),
        env: { STATEWARD_DATA: here.dataDir, STATEWARD_SERVER: here.stateward.url },
      })
      const code = await runProgram(args, terminal)
      return { code, out: terminal.output(), err: terminal.errors() }
    }
    const paused = await cli('pause', 'a', '--reason', 'too loud', '--for', '1h')
    expect(paused.err).toBe('')
    expect(paused.out).toMatch(/^agent\/a is paused until .*Z\ncommit [0-9a-f]{7,} proposes the same on branch /)
    expect((await cli('constrain', 'agent/a', '--max-tasks', '1', '--reason', 'r')).out).toContain(
      'is constrained; it holds',
    )
    expect((await cli('redirect', 'a', '--to', 'b', '--reason', 'r')).out).toBe(
      'agent/a gave 0 waiting tasks to agent/b\n',
    )
    expect((await cli('redirect', 'a', '--goal', 'Be quick', '--reason', 'r')).out).toContain(
      'has another goal; it holds',
    )
    expect((await cli('terminate', 'b', '--reason', 'r')).out).toContain('agent/b is terminated')
    const listed = await cli('interventions')
    expect(listed.out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3).join(' '))).toEqual([
      'AGENT ACTION STATE',
      'b terminate applied',
      'a redirect applied',
      'a constrain applied',
      'a pause applied',
      '',
    ])
    expect((await cli('resume', 'agent/a')).out).toContain('agent/a is resumed')
    expect((await cli('interventions', 'a', '-o', 'json')).out).toContain('"items": []')
    expect((await cli('interventions', 'a', '--all')).out).toContain('resumed')
    expect((await cli('pause', 'a')).code).toBe(2)
    expect((await cli('constrain', 'a', '--max-tasks', 'many', '--reason', 'r')).err).toContain('takes a number')
    expect((await cli('terminate', 'nobody', '--reason', 'r')).code).toBe(1)
  })
})
