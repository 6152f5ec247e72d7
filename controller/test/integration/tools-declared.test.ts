import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ToolSpec } from '../../src/kinds/tool/tool.schema.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let server: Server
let other: Server
let base: string
let otherBase: string
const seen: Seen[] = []

async function listen(): Promise<[Server, string]> {
  const started = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    const json = (value: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (url.startsWith('/away')) response.writeHead(302, { location: `${otherBase}/there` }).end()
    else if (url.startsWith('/text')) response.end('plain')
    else if (url.startsWith('/large')) response.end('x'.repeat(5000))
    else if (url.startsWith('/gone')) json({ error: 'gone' }, 410)
    else if (url.startsWith('/slow')) setTimeout(() => json({}), 5000).unref()
    else if (method === 'POST' && url === '/items') json({ id: 'i-7', secret: 'shown to nobody' }, 201)
    else json({ ok: true, url })
  })
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return [started, `http://127.0.0.1:${(started.address() as AddressInfo).port}`]
}

beforeAll(async () => {
  ;[server, base] = await listen()
  ;[other, otherBase] = await listen()
})
afterAll(() => {
  for (const one of [server, other]) {
    one.closeAllConnections()
    one.close()
  }
})

const request = (path: string, more: object = {}): ToolSpec =>
  ({ executor: { http: { url: `${base}${path}`, ...more } } }) as ToolSpec

describe('a tool that is a request', () => {
  let stack: ToolStack
  beforeAll(async () => {
    stack = await startToolStack({ 'api/key': 's3cret-key' })
    const keyed = [
      { name: 'Authorization', secretRef: { name: 'api', key: 'key' }, prefix: 'Bearer ' },
      { name: 'X-Key', secretRef: { name: 'api', key: 'key' } },
    ]
    stack.declare('item.read', request('/items/{id}', { method: 'GET', headers: keyed }))
    stack.declare('item.write', request('/things/{id}', { method: 'PUT' }))
    stack.declare('away', request('/away', { method: 'GET', headers: keyed }))
    stack.declare('plain', request('/text', { method: 'GET' }))
    stack.declare('large', request('/large', { method: 'GET', maxBytes: 100 }))
    stack.declare('gone', request('/gone', { method: 'GET' }))
    stack.declare('gone.ok', request('/gone', { method: 'GET', okStatus: [410] }))
    stack.declare('slow', { ...request('/slow', { method: 'GET' }), timeout: '1s' } as ToolSpec)
    stack.declare('typed', {
      ...request('/items/1', { method: 'GET' }),
      outputSchema: { type: 'object', required: ['missing'] },
    } as ToolSpec)
    stack.declare('keyless', request('/x', { headers: [{ name: 'K', secretRef: { name: 'no', key: 'key' } }] }))
  })
  afterAll(() => stack.close())
  const call = (tool: string, parameters: JsonObject = {}) => stack.call(tool, parameters)

  it('puts parameters into the path, the query or the body, and its secrets into headers', async () => {
    expect(await call('item.read', { id: 'a/b', page: 2 })).toEqual({ ok: true, url: '/items/a%2Fb?page=2' })
    expect(seen.at(-1)!.headers).toMatchObject({ authorization: 'Bearer s3cret-key', 'x-key': 's3cret-key' })
    await call('item.write', { id: 'x', name: 'n', parts: [1] })
    expect(seen.at(-1)).toMatchObject({ method: 'PUT', url: '/things/x', body: '{"name":"n","parts":[1]}' })
    expect(stack.lines.join('\n')).not.toContain('s3cret-key')
  })

  it('answers with JSON as it is, and with any other text as text', async () => {
    expect(await call('plain')).toEqual({ status: 200, text: 'plain' })
    expect(await call('gone.ok')).toEqual({ error: 'gone' })
    await expect(call('gone')).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED', details: { status: 410 } })
    await expect(call('typed')).rejects.toMatchObject({ ref: 'SW_INVALID_OUTPUT' })
    await expect(call('large')).rejects.toMatchObject({ ref: 'SW_OUTPUT_TOO_LARGE' })
    await expect(call('slow')).rejects.toMatchObject({ ref: 'SW_STEP_TIMEOUT' })
    await expect(call('keyless')).rejects.toMatchObject({ ref: 'SW_SECRET_MISSING' })
    await expect(call('item.read', { id: '..' })).rejects.toMatchObject({ ref: 'SW_VALIDATION_FAILED' })
  })

  it('hands no header of its own to another host', async () => {
    await call('away')
    const { url, headers } = seen.at(-1)!
    expect([url, headers.authorization, headers['x-key']]).toEqual(['/there', undefined, undefined])
  })

  it('reaches what the environment lets out: its own host also for an agent, but nowhere else', async () => {
    const options = { actor: 'agent:default/sre' }
    expect(await stack.call('item.read', { id: '1' }, options)).toMatchObject({ ok: true })
    // The other server is private, too, and nobody declared it.
    await expect(stack.call('away', {}, options)).rejects.toMatchObject({ ref: 'SW_OUTBOUND_DENIED' })
    for (const network of [
      { allowOutbound: false, allow: null },
      { allowOutbound: true, allow: ['elsewhere.example'] },
    ]) {
      const closed = await startToolStack({}, undefined, { network })
      closed.declare('item', request('/items/1', { method: 'GET' }))
      const before = seen.length
      await expect(closed.call('item', {})).rejects.toMatchObject({ ref: 'SW_OUTBOUND_DENIED' })
      expect(seen.length).toBe(before)
      await closed.close()
    }
  })
})

describe('a tool that declares its undo', () => {
  let here: Installation
  let ada: Call
  beforeAll(async () => {
    here = await createInstallation({
      'tools/create.yaml': manifest('Tool', 'item.create', {
        ...request('/items'),
        inputSchema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
        undo: { action: 'item.delete', with: { id: '{{ output.id }}', why: '{{ inputs.name }} is not wanted' } },
        redact: ['/secret'],
      }),
      'tools/delete.yaml': manifest('Tool', 'item.delete', {
        ...request('/items/{id}', { method: 'DELETE' }),
        inputSchema: { type: 'object', required: ['id'], properties: { id: {}, why: {} }, additionalProperties: false },
        idempotent: true,
      }),
    })
    await here.start()
    ada = asAda(here)
  })
  afterAll(() => here.end())
  const call = (tool: string, input: object) => ada('POST', `/api/v1/tools/${tool}/call`, { input, wait_seconds: 20 })

  it('is taken back by the other tool, also after a restart, once', async () => {
    const made = await call('item.create', { name: 'lamp' })
    expect(made.body).toMatchObject({ state: 'succeeded', output: { id: 'i-7', secret: '[redacted]' } })
    expect((await ada('GET', '/api/v1/tools/item.create')).body).toMatchObject({ undoable: true })
    await here.stop()
    await here.start()
    ada = asAda(here)
    const undone = await call('tool.undo', { call: made.body.id })
    expect(undone.body).toMatchObject({ state: 'succeeded', output: { tool: 'item.create', undone: true } })
    expect(seen.at(-1)).toMatchObject({ method: 'DELETE', url: '/items/i-7?why=lamp+is+not+wanted' })
    const count = seen.length
    expect((await call('tool.undo', { call: made.body.id })).body.output).toMatchObject({ already: true })
    expect(seen.length).toBe(count)
  })

  it('is refused by the plan when the other tool is not there, or cannot take that', async () => {
    const broken = (name: string, undo: object) =>
      manifest('Tool', name, { ...request('/items'), inputSchema: { type: 'object', properties: { name: {} } }, undo })
    await here.apply({
      'tools/a.yaml': broken('a', { action: 'nowhere' }),
      'tools/b.yaml': broken('b', { action: 'item.delete', with: { id: '{{ inputs.nothing }}' } }),
      'tools/c.yaml': broken('c', { action: 'item.delete', with: { other: 1 } }),
      'tools/d.yaml': broken('d', { action: 'd' }),
      'tools/e.yaml': broken('e', { action: 'ssh.run', with: { host: 'h', cmd: 'rm "{{ inputs.name }}"' } }),
      'tools/good.yaml': broken('good', { action: 'fs.delete', with: { path: '{{ inputs.name }}' } }),
    })
    const accepted = ['a', 'b', 'c', 'd', 'e', 'good'].filter(
      (name) => here.stateward.world.get(`Tool/default/${name}`) !== undefined,
    )
    expect(accepted).toEqual(['good'])
  })
})
