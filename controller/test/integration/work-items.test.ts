import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ITEM_TYPES } from '../../src/work/item-types.ts'
import { AGENT, asAdmin, asAgent, startApi, type TestApi } from '../support/api-server.ts'
import { assertCatalogued } from '../support/assert-events.ts'

let api: TestApi
const AGENTS: Readonly<Record<string, readonly string[]>> = {
  sre: ['alerts', 'linux'],
  docs: ['writing'],
  ops: ['alerts'],
}

beforeAll(async () => {
  api = await startApi({
    services: {
      work: {
        agentsWith: (namespace, capabilities) =>
          namespace === 'default'
            ? Object.keys(AGENTS).filter((name) => capabilities.every((each) => AGENTS[name]!.includes(each)))
            : [],
        hasAgent: (_namespace, name) => name in AGENTS,
        hasProject: (_namespace, name) => name === 'platform',
      },
    },
  })
})
afterAll(async () => {
  await assertCatalogued(api.store.reader)
  await api.stop()
})

async function send(method: string, url: string, payload?: object, headers: object = asAdmin) {
  const response = await api.server.app.inject({
    method: method as 'GET',
    url,
    headers: { ...headers },
    ...(payload === undefined ? {} : { payload }),
  })
  return { status: response.statusCode, body: response.json() }
}
async function make(type: string, more: object = {}) {
  const { status, body } = await send('POST', '/api/v1/work-items', { type, title: `a ${type}`, ...more })
  expect([status, body]).toEqual([201, expect.objectContaining({ type })])
  return body
}
const move = (name: string, state: string, more: object = {}) =>
  send('POST', `/api/v1/work-items/${name}/move`, { state, ...more })
const link = (name: string, relation: string, to: string, kind = 'WorkItem') =>
  send('POST', `/api/v1/work-items/${name}/links`, { relation, to, kind })
const eventsOf = (id: string) =>
  api.store.reader<{ event_name: string; actor: string; data: Record<string, unknown> }[]>`
    SELECT event_name, actor, data FROM events WHERE resource_type = 'WorkItem' AND resource_id = ${id} ORDER BY seq`

describe('an item of every type', () => {
  it.each(ITEM_TYPES.map(({ name, states }) => [name, Object.keys(states)[0]!]))(
    '%s is made in its first state, with an event',
    async (type, state) => {
      const item = await make(type)
      expect(item).toMatchObject({ state, version: 1, created_by: 'user:ada', namespace: 'default' })
      const events = await eventsOf(item.item_id)
      expect(events).toMatchObject([{ event_name: 'stateward.work.created', data: { type, name: item.name } }])
    },
  )

  it.each(ITEM_TYPES.filter(({ name }) => name !== 'task').map(({ plural, name }) => [plural, name]))(
    '%s have a path of their own, with and without a version',
    async (plural, type) => {
      const made = await send('POST', `/${plural}`, { title: 'by its own path' })
      expect([made.status, made.body.type]).toEqual([201, type])
      const listed = await send('GET', `/api/v1/${plural}?limit=1`)
      expect(listed.body.items).toMatchObject([{ name: made.body.name, type }])
    },
  )

  it('tells what types there are, with their states and fields', async () => {
    const { body } = await send('GET', '/api/v1/work-item-types')
    expect(body.items.map(({ type }: { type: string }) => type)).toEqual(ITEM_TYPES.map(({ name }) => name))
    expect(body.items[3].states[0]).toEqual({
      state: 'todo',
      phase: 'open',
      to: ['assigned', 'in_progress', 'blocked', 'cancelled'],
      needs_dependencies: false,
    })
  })
})

describe('what an item says', () => {
  it('is checked against its type', async () => {
    const wrong = await send('POST', '/api/v1/work-items', {
      type: 'ticket',
      title: 'x',
      fields: { severity: 'huge', nonsense: 1 },
    })
    expect(wrong.status).toBe(400)
    expect(wrong.body.error.details.violations.map(({ path }: { path: string }) => path).sort()).toEqual([
      'body/fields/nonsense',
      'body/fields/severity',
    ])
    const typed = await send('POST', '/api/v1/tickets', { title: 'x', fields: { severity: 'huge' } })
    expect([typed.status, typed.body.error.code]).toEqual([400, 'validation_failed'])
  })

  it('names a project, a parent and an assignee that are there', async () => {
    for (const more of [{ project: 'nothing' }, { parent: 'nothing-abcdef' }, { assignee: 'agent:default/nobody' }])
      expect((await send('POST', '/api/v1/work-items', { type: 'ticket', title: 'x', ...more })).status).toBeOneOf([
        400, 404,
      ])
    const activity = await make('activity')
    const misplaced = await send('POST', '/api/v1/work-items', { type: 'ticket', title: 'x', parent: activity.name })
    expect(misplaced.body.error.message).toContain('a ticket is part of a topic, sprint, ticket, not of a activity')
  })

  it('is changed by merging, and refused to who has read an older version', async () => {
    const item = await make('ticket', { fields: { kind: 'bug', severity: 'low' } })
    const changed = await send('PATCH', `/api/v1/work-items/${item.name}`, {
      fields: { severity: 'high', kind: null },
      priority: 5,
      version: 1,
    })
    expect(changed.body).toMatchObject({ fields: { severity: 'high' }, priority: 5, version: 2 })
    expect(changed.body.fields).not.toHaveProperty('kind')
    const late = await send('PATCH', `/api/v1/work-items/${item.name}`, { title: 'late', version: 1 })
    expect([late.status, late.body.error.details.version]).toEqual([409, 2])
    expect((await eventsOf(item.item_id)).at(-1)).toMatchObject({
      event_name: 'stateward.work.changed',
      data: { changed: { priority: 5, fields: { severity: 'high' } } },
    })
  })

  it('stays where it is a fact', async () => {
    const decision = await make('human_decision', { fields: { decision: 'we move' } })
    const changed = await send('PATCH', `/api/v1/work-items/${decision.name}`, { fields: { decision: 'we stay' } })
    expect([changed.status, changed.body.error.code]).toEqual([409, 'conflict'])
    const newer = await make('human_decision', { fields: { decision: 'we stay' } })
    expect((await link(newer.name, 'supersedes', decision.name)).status).toBe(200)
    expect((await move(decision.name, 'superseded')).status).toBe(200)
  })
})

describe('moves', () => {
  it('follow the table of the type, once each', async () => {
    const ticket = await make('ticket')
    const wrong = await move(ticket.name, 'closed')
    expect([wrong.status, wrong.body.error.details.to]).toEqual([
      409,
      ['in_progress', 'blocked', 'resolved', 'cancelled'],
    ])
    expect((await move(ticket.name, 'resolved', { reason: 'was no bug' })).body).toMatchObject({
      state: 'resolved',
      phase: 'done',
      closed_at: expect.any(String),
    })
    expect((await move(ticket.name, 'open')).body).toMatchObject({ phase: 'open', closed_at: null })
    expect((await eventsOf(ticket.item_id)).map(({ event_name, data }) => [event_name, data['to'] ?? null])).toEqual([
      ['stateward.work.created', null],
      ['stateward.work.moved', 'resolved'],
      ['stateward.work.moved', 'open'],
    ])
  })

  it('wait for what an item depends on', async () => {
    const [first, second] = [await make('task'), await make('task')]
    expect((await link(second.name, 'depends_on', first.name)).body.waits_for).toEqual([first.name])
    const early = await move(second.name, 'in_progress')
    expect([early.status, early.body.error.details.waits_for]).toEqual([409, [first.name]])
    const ready = async () =>
      (await send('GET', '/api/v1/work-items?type=task&ready=true')).body.items.map(
        ({ name }: { name: string }) => name,
      )
    expect(await ready()).not.toContain(second.name)
    await move(first.name, 'in_progress')
    await move(first.name, 'done')
    expect(await ready()).toContain(second.name)
    expect((await move(second.name, 'in_progress')).status).toBe(200)
  })
})

describe('the graph', () => {
  it('has no circle of dependencies, also when two are closed at the same time', async () => {
    const names = await Promise.all([1, 2, 3].map(async () => (await make('task')).name))
    expect((await link(names[0], 'depends_on', names[1])).status).toBe(200)
    expect((await link(names[1], 'depends_on', names[2])).status).toBe(200)
    const circle = await link(names[2], 'depends_on', names[0])
    expect([circle.status, circle.body.error.code]).toEqual([409, 'conflict'])
    expect((await link(names[0], 'depends_on', names[0])).status).toBe(400)
    const [a, b] = [(await make('task')).name, (await make('task')).name]
    const both = await Promise.all([link(a, 'depends_on', b), link(b, 'depends_on', a)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('has no circle of parts', async () => {
    const outer = await make('topic')
    const inner = await make('topic', { parent: outer.name })
    const circle = await send('PATCH', `/api/v1/work-items/${outer.name}`, { parent: inner.name })
    expect([circle.status, circle.body.error.message]).toEqual([400, `${inner.name} is part of it already`])
  })

  it('counts the parts of a whole, and tells edges from both ends', async () => {
    const topic = await make('topic')
    const [one, two, three] = [
      await make('ticket', { parent: topic.name }),
      await make('ticket', { parent: topic.name }),
      await make('ticket', { parent: topic.name }),
    ]
    await move(one.name, 'resolved')
    await move(two.name, 'cancelled')
    await link(three.name, 'duplicates', one.name)
    const whole = await send('GET', `/api/v1/work-items/${topic.name}`)
    expect(whole.body.item.parts).toEqual({ total: 2, done: 1 })
    const seen = await send('GET', `/api/v1/work-items/${one.name}`)
    expect(seen.body.edges).toMatchObject([{ direction: 'in', relation: 'duplicates', name: three.name }])
    const parts = await send('GET', `/api/v1/tickets?parent=${topic.name}&phase=open`)
    expect(parts.body.items.map(({ name }: { name: string }) => name)).toEqual([three.name])
  })

  it('links once, and unlinks what is linked', async () => {
    const [a, b] = [await make('ticket'), await make('ticket')]
    await link(a.name, 'relates_to', b.name)
    const events = (await eventsOf(a.item_id)).length
    expect((await link(a.name, 'relates_to', b.name)).status).toBe(200)
    expect((await eventsOf(a.item_id)).length).toBe(events)
    const gone = { relation: 'relates_to', to: b.name, kind: 'WorkItem' }
    expect((await send('POST', `/api/v1/work-items/${a.name}/unlink`, gone)).status).toBe(200)
    expect((await send('POST', `/api/v1/work-items/${a.name}/unlink`, gone)).status).toBe(404)
    expect((await link(a.name, 'caused_by', 'no-such-run', 'Run')).status).toBe(404)
    expect((await link(a.name, 'supersedes', (await make('topic')).name)).status).toBe(400)
  })
})

describe('giving work to somebody', () => {
  const assign = (name: string, body: object) => send('POST', `/api/v1/work-items/${name}/assign`, body)

  it('finds the agent that can and has the least to do', async () => {
    const names = await Promise.all([1, 2, 3, 4].map(async () => (await make('task')).name))
    const given: string[] = []
    for (const name of names) given.push((await assign(name, { capabilities: ['alerts'] })).body.assignee)
    expect(given.sort()).toEqual(['agent:default/ops', 'agent:default/ops', 'agent:default/sre', 'agent:default/sre'])
    const linux = await make('task', { required_capabilities: ['linux'] })
    const { body } = await assign(linux.name, { capabilities: ['alerts'] })
    expect(body).toMatchObject({ assignee: 'agent:default/sre', state: 'assigned' })
    expect((await eventsOf(linux.item_id)).slice(1)).toMatchObject([
      { event_name: 'stateward.work.assigned', data: { agent: 'sre', capabilities: ['linux', 'alerts'] } },
      { event_name: 'stateward.work.moved', data: { from: 'todo', to: 'assigned' } },
    ])
  })

  it('says when nobody can, and takes work away again', async () => {
    const task = await make('task', { required_capabilities: ['cobol'] })
    const nobody = await assign(task.name, {})
    expect([nobody.status, nobody.body.error.message]).toEqual([
      409,
      'no agent in namespace default has the capabilities cobol',
    ])
    expect((await assign(task.name, { assignee: 'user:ada' })).body).toMatchObject({ assignee: 'user:ada' })
    expect((await assign(task.name, { assignee: null })).body).toMatchObject({ assignee: null })
    await move(task.name, 'cancelled')
    expect((await assign(task.name, { assignee: 'user:ada' })).status).toBe(409)
  })
})

describe('an agent', () => {
  const asItself = (method: string, url: string, body: object) => send(method, url, body, asAgent)

  it('makes items of its namespace, for itself, of the types that are its to make', async () => {
    const made = await asItself('POST', '/api/v1/escalations', { title: 'the disk is full' })
    expect(made.body).toMatchObject({ type: 'escalation', created_by: AGENT.name, namespace: 'default' })
    expect((await asItself('POST', '/api/v1/human-decisions', { title: 'x' })).status).toBe(403)
    expect((await asItself('POST', '/api/v1/tickets', { title: 'x', namespace: 'other' })).status).toBe(403)
    expect((await asItself('POST', '/api/v1/tickets', { title: 'x', assignee: 'agent:default/docs' })).status).toBe(403)
  })

  it('changes what it made or is given, and nothing else', async () => {
    const others = await make('task')
    expect((await asItself('POST', `/api/v1/work-items/${others.name}/move`, { state: 'in_progress' })).status).toBe(
      403,
    )
    await send('POST', `/api/v1/work-items/${others.name}/assign`, { assignee: AGENT.name })
    const moved = await asItself('POST', `/api/v1/work-items/${others.name}/move`, { state: 'in_progress' })
    expect(moved.body).toMatchObject({ state: 'in_progress' })
    expect((await send('GET', '/api/v1/work-items', undefined, asAgent)).status).toBe(403)
  })
})

describe('lists and names', () => {
  it('come in pages that miss nothing', async () => {
    const names: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await send('GET', `/api/v1/work-items?limit=7${cursor}`)
      names.push(...body.items.map(({ name }: { name: string }) => name))
      if (body.next_cursor === null) break
      cursor = `&cursor=${body.next_cursor}`
    }
    const [{ count }] = (await api.store.reader`SELECT count(*)::integer AS count FROM work_items`) as unknown as [
      { count: number },
    ]
    expect(new Set(names).size).toBe(count)
  })

  it('take a unique beginning of a name or an id', async () => {
    const item = await make('improvement')
    expect((await send('GET', `/api/v1/work-items/${item.name.slice(0, -1)}`)).body.item.name).toBe(item.name)
    expect((await send('GET', `/api/v1/work-items/${item.item_id}`)).body.item.name).toBe(item.name)
    expect((await send('GET', '/api/v1/work-items/task-')).body.error.code).toBe('ambiguous')
    expect((await send('GET', '/api/v1/work-items/nothing-like-it')).status).toBe(404)
  })

  it('serve items in the envelope of objects, as kubectl reads them', async () => {
    const item = await make('sprint', { project: 'platform' })
    const { body } = await send('GET', `/kube/apis/stateward.dev/v1alpha1/namespaces/default/workitems/${item.name}`)
    expect(body).toMatchObject({
      kind: 'WorkItem',
      metadata: { name: item.name, labels: { 'stateward.dev/work-type': 'sprint' } },
      spec: { title: 'a sprint', projectRef: { name: 'platform' } },
      status: { state: 'planned', conditions: [{ type: 'Succeeded', status: 'Unknown' }] },
    })
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0)
  })
})
