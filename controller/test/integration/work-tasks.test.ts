import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const command = (script: string) => ({ runtime: { process: { command: ['sh', '-c', script], mode: 'perTask' } } })

let here: Installation
beforeAll(async () => {
  here = await createInstallation({
    'echo.yaml': agent('echo', { ...command('cat'), capabilities: ['echo', 'texts'] }),
    'broken.yaml': agent('broken', { ...command('echo it is broken >&2; exit 1'), capabilities: ['breaking'] }),
    'quiet.yaml': agent('quiet', { ...command('true'), replicas: 0, capabilities: ['silence'] }),
  })
  await here.start()
})
afterAll(() => here.end())

const make = async (type: string, more: object = {}) =>
  String((await here.post('/work-items', { type, title: `a ${type}`, ...more })).body['name'])
const start = (name: string, body: object = {}) => here.post(`/work-items/${name}/start`, body)
const item = async (name: string) =>
  (await here.ask('GET', `/work-items/${name}`)).body['item'] as Record<string, unknown>
const inState = (name: string, state: string) =>
  until(`${name} to be ${state}`, async () => {
    const found = await item(name)
    return found['state'] === state && found['task_id'] === null ? found : null
  })

describe('an item that an agent does', () => {
  it('goes to the agent that can, follows its task, and holds what came of it', async () => {
    const name = await make('task', {
      description: 'Say it back.',
      required_capabilities: ['echo'],
      fields: { acceptance: 'it was said' },
    })
    const seq = await here.logSeq()
    const started = await start(name)
    expect(started).toMatchObject({
      status: 202,
      body: { state: 'in_progress', assignee: 'agent:default/echo', task_id: expect.any(String) },
    })
    const done = await inState(name, 'done')
    const result = JSON.parse((done['fields'] as { result: string }).result)
    expect(result).toMatchObject({
      prompt: 'a task\n\nSay it back.\n\nDone when: it was said',
      inputs: { work_item: name, acceptance: 'it was said' },
    })
    const story = (await here.events(seq)).filter(({ data }) => data['name'] === name)
    expect(story.map(({ event_name: event, data }) => [event, data['to'] ?? data['assignee']])).toEqual([
      ['stateward.work.assigned', 'agent:default/echo'],
      ['stateward.work.moved', 'in_progress'],
      ['stateward.work.moved', 'done'],
    ])
  })

  it('says why it failed, and can be done again', async () => {
    const name = await make('task', { assignee: 'agent:default/broken' })
    await start(name)
    const failed = await inState(name, 'failed')
    expect((failed['fields'] as { result: string }).result).toContain('it is broken')
    expect((await here.post(`/work-items/${name}/move`, { state: 'todo' })).status).toBe(200)
    expect((await here.post(`/work-items/${name}/assign`, { assignee: 'agent:default/echo' })).status).toBe(200)
    expect((await start(name, { prompt: 'again' })).status).toBe(202)
    await inState(name, 'done')
  })

  it('is given back when its task is cancelled, and stays where somebody moved it', async () => {
    const [given, moved] = [
      await make('research', { assignee: 'agent:default/quiet' }),
      await make('task', { assignee: 'agent:default/quiet' }),
    ]
    const tasks: unknown[] = []
    for (const name of [given, moved]) tasks.push((await start(name)).body['task_id'])
    await here.post(`/work-items/${moved}/move`, { state: 'blocked' })
    for (const id of tasks) expect((await here.post(`/tasks/${String(id)}/cancel`, {})).status).toBe(200)
    expect(await inState(given, 'open')).toMatchObject({ assignee: 'agent:default/quiet' })
    await inState(moved, 'blocked')
  })

  it('is not begun before its time, twice, by a person, or by nobody', async () => {
    const [first, second] = [await make('task', { required_capabilities: ['echo'] }), await make('task')]
    await here.post(`/work-items/${second}/links`, { relation: 'depends_on', to: first })
    expect((await start(second)).status).toBe(409)
    const quiet = await make('task', { assignee: 'agent:default/quiet' })
    expect((await start(quiet)).status).toBe(202)
    expect((await start(quiet)).body['error']).toMatchObject({ message: expect.stringContaining('being done already') })
    expect((await start(await make('task', { assignee: 'user:ada' }))).status).toBe(409)
    expect((await start(await make('task', { required_capabilities: ['cobol'] }))).status).toBe(409)
    expect((await start(await make('sprint'))).status).toBe(409)
  })

  it('follows a task that ended while nobody looked', async () => {
    const name = await make('task', { assignee: 'agent:default/quiet' })
    const { body } = await start(name)
    await here.stop()
    await here.sql`UPDATE tasks SET status = 'completed', output = '"done in the dark"', completed_at = now() WHERE task_id = ${String(body['task_id'])}`
    await here.start()
    expect((await inState(name, 'done'))['fields']).toEqual({ result: 'done in the dark' })
  })
})
