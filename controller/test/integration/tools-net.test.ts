import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

interface Seen {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let web: Server
let url: string
const seen: Seen[] = []
let stack: ToolStack
beforeAll(async () => {
  web = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip').end(gzipSync('packed'))
      else if (request.url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end()
      else if (request.url === '/gone') response.writeHead(410).end()
      else response.setHeader('content-type', 'application/json').end('{"ok":true}')
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => web.once('listening', resolve))
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
  stack = await startToolStack()
})
afterAll(async () => {
  await stack.close()
  web.close()
})

const denied = { ref: 'SW_OUTBOUND_DENIED' }
const byAgent = { actor: 'agent:default/one' }

describe('http.call', () => {
  it('hands the trace of its correlation on, and unpacks what comes packed', async () => {
    expect(await stack.call('net.http_request', { url: `${url}/gzip` })).toMatchObject({ status: 200, body: 'packed' })
    expect(seen.at(-1)!.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    const own = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    await stack.call('http.call', { url, headers: { traceparent: own } })
    expect(seen.at(-1)!.headers['traceparent']).toBe(own)
  })

  it('reaches no address of the network itself, not by a redirect and not by another way to write it', async () => {
    const before = seen.length
    for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '2852039166', '0xa9.0xfe.0xa9.0xfe', '0.0.0.0'])
      await expect(stack.call('http.call', { url: `http://${host}/` }), host).rejects.toMatchObject(denied)
    expect(seen).toHaveLength(before)
    await expect(stack.call('http.call', { url: `${url}/away` })).rejects.toMatchObject(denied)
  })

  it('reaches no private address for an agent, by number or by name, unless the environment names it', async () => {
    const { port } = web.address() as AddressInfo
    const before = seen.length
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.1', '2130706433'])
      await expect(stack.call('http.call', { url: `http://${host}:${port}/` }, byAgent), host).rejects.toMatchObject(
        denied,
      )
    expect(seen).toHaveLength(before)
    const named = await startToolStack({}, undefined, {
      network: { allowOutbound: true, allow: ['localhost', '127.0.0.1'] },
    })
    expect(await named.call('http.call', { url: `http://127.0.0.1:${port}/` }, byAgent)).toMatchObject({ status: 200 })
    await expect(named.call('http.call', { url: 'http://192.0.2.1/' })).rejects.toMatchObject(denied)
    await named.close()
  })

  it('reaches nothing where nothing is let out, like every tool that reaches out', async () => {
    const closed = await startToolStack({}, undefined, { network: { allowOutbound: false, allow: ['*'] } })
    for (const [tool, parameters] of [
      ['http.call', { url }],
      ['net.check_port', { port: 1 }],
      ['git.repo.clone', { url: 'https://example.com/x.git', dir: 'x' }],
      ['email.send', { to: 'a@b.c', subject: 's', text: 't' }],
      ['pkg.install', { name: 'x' }],
    ] as const)
      await expect(closed.call(tool, parameters), tool).rejects.toMatchObject(denied)
    expect(await closed.call('json.transform', { data: [1, 2], expression: 'size(inputs.data)' })).toEqual({
      result: 2,
    })
    await closed.close()
  })
})

describe('net.check_port', () => {
  it('says whether somebody listens', async () => {
    const { port } = web.address() as AddressInfo
    expect(await stack.call('net.check_port', { port })).toMatchObject({ open: true, host: '127.0.0.1' })
    expect(await stack.call('net.check_port', { port: await freePort() })).toMatchObject({
      open: false,
      reason: 'ECONNREFUSED',
    })
    await expect(stack.call('net.check_port', { host: '169.254.169.254', port: 80 })).rejects.toMatchObject(denied)
  })
})

describe('webhook.send', () => {
  const secretOf = (path: string) => ({ secret_ref: path })
  it('sends what its receiver can verify', async () => {
    const signed = await startToolStack({ 'team/ops/hook': 'key' })
    const call = {
      tool: 'webhook.send',
      with: { url, payload: { a: 1 }, ...secretOf('team/ops/hook') },
      refs: [{ pointer: '/secret_ref', secret: { name: 'team/ops', key: 'hook' } }],
    }
    const output = await signed.tools.run(
      {
        ...call,
        namespace: 'default',
        operationId: 'run-1/s/1',
        correlationId: 'c-1',
        workspace: signed.workspace,
        deadline: null,
      },
      { signal: new AbortController().signal, log: () => {} },
    )
    expect(output).toEqual({ delivery: 'run-1/s/1', status: 200 })
    const { headers, body } = seen.at(-1)!
    const hmac = createHmac('sha256', 'key')
      .update(`${String(headers['x-stateward-timestamp'])}.${body}`)
      .digest('hex')
    expect([body, headers['x-stateward-signature'], headers['idempotency-key']]).toEqual([
      '{"a":1}',
      `sha256=${hmac}`,
      'run-1/s/1',
    ])
    await signed.close()
  })
})

describe('email.send', () => {
  it('hands a mail to a server, with one id however often it is asked for', async () => {
    const mails: string[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString())
          done()
        })
      },
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.server.address() as AddressInfo
    const own = await startToolStack({ 'smtp/url': `smtp://127.0.0.1:${port}?from=fleet@example.org` })
    const mail = { to: ['ops@example.org', 'dev@example.org'], subject: 'disk\r\nBcc: x@example.org', text: 'full' }
    const sent = await own.call('email_send', mail)
    expect(sent).toMatchObject({ accepted: mail.to, rejected: [], message_id: expect.stringContaining('@stateward>') })
    expect(await own.call('email.send', mail)).toMatchObject({
      message_id: (sent as { message_id: string }).message_id,
    })
    expect(mails[0]).toContain('From: fleet@example.org')
    expect(mails[0]).toContain('Subject: disk Bcc: x@example.org')
    expect(mails[0]).not.toMatch(/^Bcc:/m)
    await own.close()
    const none = await startToolStack()
    await expect(none.call('email.send', mail)).rejects.toMatchObject({ ref: 'SW_SECRET_MISSING' })
    await none.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
})
