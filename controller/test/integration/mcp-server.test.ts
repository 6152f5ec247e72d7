import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN } from '../support/api-server.ts'
import { conformance, FIXTURE_FREE } from '../support/mcp-conformance.ts'
import { type MessagesApi, startMessagesApi } from '../support/messages-api.ts'

let api: MessagesApi
const open: Client[] = []
beforeAll(async () => {
  api = await startMessagesApi({ listen: true })
  for (const name of ['sre', 'bob']) api.declare(name)
})
afterAll(async () => {
  for (const client of open) await client.close()
  await api.stop()
})

const asAda = { authorization: `Bearer ${ADMIN_TOKEN}`, 'x-stateward-user': 'ada' }

async function connect(headers: Record<string, string> = {}, mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), { requestInit: { headers } }))
  open.push(client)
  return client
}

interface Result {
  readonly isError?: boolean
  readonly structuredContent?: Readonly<Record<string, unknown>>
  readonly content: readonly { readonly text: string }[]
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Result> {
  return (await client.callTool({ name, arguments: args })) as unknown as Result
}

const toolsOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name)

describe('the MCP server', () => {
  it.each(Object.entries(FIXTURE_FREE))(
    'passes what the suite of revision %s asks of every server',
    async (revision, wanted) => {
      const results = await conformance(`${api.url}/mcp`, revision)
      const failed = results.filter(({ scenario, failures }) => wanted.includes(scenario) && failures.length > 0)
      expect(failed).toEqual([])
      expect(results.map(({ scenario }) => scenario)).toEqual(expect.arrayContaining([...wanted]))
    },
  )

  it('speaks the revision of its client, and shows him what he may use', async () => {
    const [ada, anybody, sre] = await Promise.all([connect(asAda), connect({}, 'legacy'), connect(api.as('sre'))])
    expect(ada.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    expect(anybody.getNegotiatedProtocolVersion()).toBe('2025-11-25')
    expect(await toolsOf(ada)).toEqual(expect.arrayContaining(['proposals_propose', 'runs_start', 'why']))
    expect(await toolsOf(anybody)).toEqual(expect.arrayContaining(['runs_list', 'why']))
    expect(await toolsOf(anybody)).not.toContain('runs_start')
    expect(await toolsOf(sre)).toEqual(expect.arrayContaining(['tasks_pickup', 'tasks_report', 'messages_read']))
    expect(await toolsOf(sre)).not.toContain('runs_list')
  })

  it('takes schemas from the routes, without what the token of an agent says already', async () => {
    const sre = await connect(api.as('sre'))
    const { tools } = await sre.listTools()
    const pickup = tools.find(({ name }) => name === 'tasks_pickup')!
    expect(Object.keys(pickup.inputSchema.properties ?? {}).sort()).toEqual(['max', 'namespace', 'wait_seconds'])
    expect(pickup.inputSchema.required).toEqual([])
    const send = tools.find(({ name }) => name === 'messages_send')!
    expect(send.inputSchema.required).toEqual(['to', 'body'])
    expect(send.outputSchema?.properties).toHaveProperty('message_id')
    expect(send.annotations).toMatchObject({ readOnlyHint: false })
  })

  it('sends, reads and acknowledges messages of agents', async () => {
    const [sre, bob] = await Promise.all([connect(api.as('sre')), connect(api.as('bob'))])
    const sent = await call(sre, 'messages_send', { to: { agent: 'bob' }, body: 'look at web-1', data: { n: 1 } })
    const id = sent.structuredContent?.['message_id']
    const read = await call(bob, 'messages_read', { limit: 10 })
    expect(read.structuredContent).toMatchObject({ messages: [{ message_id: id, from: 'agent:default/sre' }] })
    expect(await call(bob, 'messages_ack', { message: id })).toMatchObject({ structuredContent: { agent: 'bob' } })
    expect((await call(bob, 'messages_read')).structuredContent).toMatchObject({ messages: [] })
  })

  it('has what is known as tools and as resources: the work graph and artifacts', async () => {
    const ada = await connect(asAda)
    const made = await call(ada, 'work_create', { type: 'ticket', title: 'disk full', fields: {} })
    const name = made.structuredContent?.['name']
    expect((await call(ada, 'work_list', { type: 'ticket' })).structuredContent).toMatchObject({ items: [{ name }] })
    expect((await call(ada, 'work_get', { item: name })).structuredContent).toMatchObject({
      item: { title: 'disk full' },
    })
    expect((await call(ada, 'artifacts_list')).structuredContent).toMatchObject({ items: [] })
    for (const uri of [`stateward://work/${name}`, 'stateward://work', 'stateward://artifacts']) {
      const [{ text } = { text: '' }] = (await ada.readResource({ uri })).contents as { text: string }[]
      expect([uri, text.includes('disk full')]).toEqual([uri, uri.includes('work')])
    }
  })

  it('limits an agent to itself', async () => {
    const sre = await connect(api.as('sre'))
    expect(await call(sre, 'messages_read', { agent: 'bob' })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^forbidden \(SW_FORBIDDEN\)/) }],
    })
    expect(await call(sre, 'runs_list')).toMatchObject({ isError: true })
    await expect(sre.readResource({ uri: 'stateward://runs' })).rejects.toThrow(/SW_FORBIDDEN/)
  })

  it('answers what the API refuses as a result that the model can read', async () => {
    const ada = await connect(asAda)
    const wrong = await call(ada, 'messages_send', { to: { agent: 'bob' }, body: 7, more: true })
    expect(wrong).toMatchObject({ isError: true })
    expect(wrong.content[0]?.text).toMatch(/SW_VALIDATION_FAILED/)
    expect((await call(ada, 'why', { kind: 'agent', name: 'nobody' })).content[0]?.text).toMatch(/SW_NOT_FOUND/)
    expect((await call(ada, 'runs_list', { nonsense: 1 })).content[0]?.text).toMatch(/SW_VALIDATION_FAILED/)
    await expect(call(ada, 'no_such_tool')).rejects.toThrow(/no tool/)
  })

  it('writes what is privileged to the log, under the correlation id of the caller', async () => {
    const ada = await connect({ ...asAda, 'x-correlation-id': 'mcp-1' })
    await call(ada, 'runs_cancel', { run: 'nothing-here' })
    const [event] = await api.store.engine`
      SELECT actor, correlation_id, data FROM events WHERE event_name = 'stateward.access.allowed' ORDER BY seq DESC LIMIT 1`
    expect(event).toMatchObject({ actor: 'user:ada', correlation_id: 'mcp-1', data: { operation: 'cancelRun' } })
  })

  it('has objects, runs and the guide as resources', async () => {
    const ada = await connect(asAda)
    const { resources } = await ada.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(
      expect.arrayContaining(['stateward://objects/agents', 'stateward://runs', 'stateward://docs/messages']),
    )
    const read = async (uri: string) => (await ada.readResource({ uri })).contents[0] as { text: string }
    expect(JSON.parse((await read('stateward://runs')).text)).toMatchObject({ items: [] })
    expect(JSON.parse((await read('stateward://objects/tools')).text)).toMatchObject({ kind: 'ToolList' })
    expect((await read('stateward://docs/messages')).text).toMatch(/^# Messages/)
    const { resourceTemplates } = await ada.listResourceTemplates()
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain('stateward://runs/{run}/steps')
    for (const uri of [
      'stateward://docs/..',
      'stateward://docs/%2e%2e%2fadr',
      'stateward://runs/x/y/z',
      'file:///etc/passwd',
    ])
      await expect(read(uri)).rejects.toThrow(/not found/i)
  })

  it('refuses credentials that are none, foreign pages, sessions, and bodies over a mebibyte', async () => {
    const post = (headers: Record<string, string>, body: string) =>
      fetch(`${api.url}/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body,
      })
    const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    expect((await post({ authorization: 'Bearer swk_wrong' }, ping)).status).toBe(401)
    expect((await post({ origin: 'http://evil.example' }, ping)).status).toBe(403)
    expect((await post({}, ping)).status).toBe(200)
    expect((await fetch(`${api.url}/mcp`, { headers: { accept: 'text/event-stream' } })).status).toBe(405)
    const large = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'x'.repeat(1_048_576) } })
    expect((await post({}, large)).status).toBe(413)
    expect((await post({}, large.slice(0, 900_000))).status).toBe(400)
  })
})

describe('a session of an older revision', () => {
  const begin = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  }
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
  async function post(message: object, headers: Record<string, string>) {
    const response = await fetch(`${api.url}/mcp`, {
      method: 'POST',
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(message),
    })
    return { status: response.status, session: response.headers.get('mcp-session-id'), text: await response.text() }
  }
  const within = (session: string | null) => ({ 'mcp-session-id': session ?? '', 'mcp-protocol-version': '2025-11-25' })

  it('tells its client that what it subscribed to changed, until that is over', async () => {
    const client = await connect(asAda, 'legacy')
    const told: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri))
    await client.subscribeResource({ uri: 'stateward://events' })
    await client.subscribeResource({ uri: 'stateward://runs' })
    const say = () => api.send({ to: { agent: 'bob' }, body: 'hello' }, asAda)
    await say()
    await expect.poll(() => told, { timeout: 20_000 }).toContain('stateward://events')
    expect(told).not.toContain('stateward://runs')
    await client.unsubscribeResource({ uri: 'stateward://events' })
    await expect(client.subscribeResource({ uri: 'stateward://runs/none' })).rejects.toThrow(/not found/i)
    const sre = await connect(api.as('sre'), 'legacy')
    await expect(sre.subscribeResource({ uri: 'stateward://events' })).rejects.toThrow('forbidden')
  })

  it('is that of whoever began it, and over when he says so', async () => {
    const { status, session } = await post(begin, asAda)
    expect([status, session]).toMatchObject([200, expect.stringMatching(/^[0-9a-f]{8}\./)])
    expect(await post(list, { ...asAda, ...within(session) })).toMatchObject({ status: 200 })
    for (const other of [{}, api.as('sre')])
      expect(await post(list, { ...other, ...within(session) })).toMatchObject({ status: 404 })
    const ended = await fetch(`${api.url}/mcp`, { method: 'DELETE', headers: { ...asAda, ...within(session) } })
    expect(ended.status).toBe(200)
    expect(await post(list, { ...asAda, ...within(session) })).toMatchObject({ status: 404 })
  })

  it('of another process is no hindrance for what needs none', async () => {
    const elsewhere = within('deadbeef.0b0a0e0e-0000-4000-8000-000000000000')
    const listed = await post(list, { ...asAda, ...elsewhere })
    expect([listed.status, listed.text]).toEqual([200, expect.stringContaining('tasks_list')])
    const subscribe = { jsonrpc: '2.0', id: 3, method: 'resources/subscribe', params: { uri: 'stateward://events' } }
    expect(await post(subscribe, { ...asAda, ...elsewhere })).toMatchObject({ status: 404 })
    expect(await post(list, { ...asAda, 'mcp-protocol-version': '2025-11-25' })).toMatchObject({ status: 200 })
  })
})

describe('stateward mcp', () => {
  it.each(['auto', 'legacy'] as const)('relays standard input and output to the server (%s)', async (mode) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    const [, token = ''] = (api.as('sre')['authorization'] ?? '').split(' ')
    await client.connect(
      new StdioClientTransport({
        command: fileURLToPath(new URL('../../../bin/stateward', import.meta.url)),
        args: ['mcp'],
        env: { PATH: process.env['PATH'] ?? '', STATEWARD_URL: api.url, STATEWARD_TOKEN: token },
      }),
    )
    open.push(client)
    expect(await toolsOf(client)).toContain('tasks_pickup')
    expect(await call(client, 'messages_read')).toMatchObject({ structuredContent: { messages: [] } })
    expect((await client.readResource({ uri: 'stateward://docs/messages' })).contents).toHaveLength(1)
    await client.close()
  })

  it('answers what it cannot deliver', async () => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
    const transport = new StdioClientTransport({
      command: fileURLToPath(new URL('../../../bin/stateward', import.meta.url)),
      args: ['mcp', '--server', 'http://127.0.0.1:9'],
      env: { PATH: process.env['PATH'] ?? '' },
      stderr: 'ignore',
    })
    await expect(client.connect(transport)).rejects.toThrow()
    await client.close()
  })
})
