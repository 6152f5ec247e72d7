import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

let stack: ToolStack
let server: Server
let other: Server
let base: string
let otherBase: string

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString()
  const url = new URL(request.url!, 'http://x')
  const redirect = (status: number, location: string) => response.writeHead(status, { location }).end('moved')
  switch (url.pathname) {
    case '/echo':
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ method: request.method, headers: request.headers, body }))
      return
    case '/text':
      response.end('hello')
      return
    case '/lies':
      response.setHeader('content-type', 'application/json')
      response.end('not json')
      return
    case '/bytes':
      response.end(Buffer.from([0xff, 0xfe]))
      return
    case '/status':
      response.statusCode = Number(url.searchParams.get('code'))
      response.end('no luck')
      return
    case '/bomb':
      response.setHeader('content-encoding', 'gzip')
      response.end(gzipSync(Buffer.alloc(20_000_000)))
      return
    case '/endless': {
      const timer = setInterval(() => response.write('x'), 5)
      response.on('close', () => clearInterval(timer))
      return
    }
    case '/never':
      return
    case '/loop':
      redirect(302, '/loop')
      return
    case '/to':
      redirect(Number(url.searchParams.get('code')), url.searchParams.get('location')!)
      return
    default:
      response.statusCode = 404
      response.end('nothing here')
  }
}

async function listen(): Promise<[Server, string]> {
  const started = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return [started, `http://127.0.0.1:${(started.address() as AddressInfo).port}`]
}

beforeAll(async () => {
  stack = await startToolStack()
  ;[server, base] = await listen()
  ;[other, otherBase] = await listen()
})

afterAll(async () => {
  for (const one of [server, other]) {
    one.closeAllConnections()
    one.close()
  }
  await stack.close()
})

const to = (location: string, code: number) => `${base}/to?code=${code}&location=${encodeURIComponent(location)}`
const echoed = async (parameters: JsonObject) => {
  const output = (await stack.call('http.call', parameters)) as {
    json: { method: string; headers: Record<string, string>; body: string }
  }
  return output.json
}

describe('http.call', () => {
  test('gives status, headers and body, and what is JSON as JSON', async () => {
    expect(await stack.call('http_call', { url: `${base}/text` })).toEqual({
      status: 200,
      headers: expect.any(Object),
      body: 'hello',
    })
    const echo = await echoed({ url: `${base}/echo`, headers: { 'X-Mine': 'a' } })
    expect(echo).toMatchObject({ method: 'GET', headers: { 'x-mine': 'a', 'user-agent': 'stateward' }, body: '' })
    expect(echo.headers).not.toHaveProperty('idempotency-key')
    expect(await stack.call('http.call', { url: `${base}/lies` })).toEqual({
      status: 200,
      headers: expect.any(Object),
      body: 'not json',
    })
    expect(await stack.call('http.call', { url: `${base}/bytes` })).toMatchObject({ body: '//4=', encoding: 'base64' })
  })

  test('sends a text as it is and anything else as JSON, with a key for servers that know it', async () => {
    expect(await echoed({ method: 'POST', url: `${base}/echo`, body: { a: [1] } })).toMatchObject({
      body: '{"a":[1]}',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'run-1/step/1' },
    })
    expect(
      await echoed({ method: 'PUT', url: `${base}/echo`, body: 'x', headers: { 'content-type': 'text/csv' } }),
    ).toMatchObject({
      body: 'x',
      headers: { 'content-type': 'text/csv' },
    })
  })

  test('a status from 400 on is a failure unless it is expected; a later attempt may help with some', async () => {
    await expect(stack.call('http.call', { url: `${base}/status?code=404` })).rejects.toMatchObject({
      ref: 'SW_TOOL_FAILED',
      message: 'the server answered 404: no luck',
      details: { status: 404, retryable: false },
    })
    await expect(stack.call('http.call', { url: `${base}/status?code=503` })).rejects.toMatchObject({
      details: { retryable: true },
    })
    // It says nothing of whether the request was carried out: only what may be repeated is worth another try.
    for (const [method, retryable] of [
      ['PUT', true],
      ['POST', false],
    ] as const)
      await expect(stack.call('http.call', { method, url: `${base}/status?code=502` })).rejects.toMatchObject({
        details: { status: 502, retryable },
      })
    expect(await stack.call('http.call', { url: `${base}/status?code=404`, okStatus: [404] })).toMatchObject({
      status: 404,
    })
  })

  test('follows redirects as browsers do, and not for ever', async () => {
    expect(await echoed({ method: 'POST', url: to('/echo', 303), body: 'x' })).toMatchObject({
      method: 'GET',
      body: '',
    })
    expect(await echoed({ method: 'POST', url: to('/echo', 302), body: { a: 1 } })).toMatchObject({
      method: 'GET',
      body: '',
    })
    expect(await echoed({ method: 'POST', url: to('/echo', 307), body: 'x' })).toMatchObject({
      method: 'POST',
      body: 'x',
    })
    await expect(stack.call('http.call', { url: `${base}/loop` })).rejects.toThrow('redirects more than 5 times')
    expect(await stack.call('http.call', { url: `${base}/loop`, maxRedirects: 0 })).toMatchObject({ status: 302 })
    await expect(stack.call('http.call', { url: to('file:///etc/passwd', 302) })).rejects.toThrow('only http and https')
  })

  test('credentials stay with the server they were meant for', async () => {
    const headers = { authorization: 'Bearer t', cookie: 'c=1' }
    expect((await echoed({ url: to('/echo', 302), headers })).headers).toMatchObject(headers)
    const elsewhere = await echoed({ url: to(`${otherBase}/echo`, 302), headers })
    expect(elsewhere.headers).not.toHaveProperty('authorization')
    expect(elsewhere.headers).not.toHaveProperty('cookie')
  })

  test('stops a response that is too large, also one that only becomes so when unpacked', async () => {
    await expect(stack.call('http.call', { url: `${base}/bomb` })).rejects.toMatchObject({ ref: 'SW_OUTPUT_TOO_LARGE' })
    await expect(stack.call('http.call', { url: `${base}/endless`, maxBytes: 3 })).rejects.toMatchObject({
      ref: 'SW_OUTPUT_TOO_LARGE',
    })
  })

  test('ends at its deadline, before and within the body, and when it is cancelled', async () => {
    await expect(stack.call('http.call', { url: `${base}/never` }, { timeoutMs: 100 })).rejects.toMatchObject({
      ref: 'SW_STEP_TIMEOUT',
    })
    await expect(stack.call('http.call', { url: `${base}/endless` }, { timeoutMs: 100 })).rejects.toMatchObject({
      ref: 'SW_STEP_TIMEOUT',
    })
    const controller = new AbortController()
    const call = stack.call('http.call', { url: `${base}/never` }, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ ref: 'SW_CANCELLED' })
  })

  test('a server that does not answer, and requests that cannot be', async () => {
    // It took the request and hung up.
    const rude = createServer((request) => request.socket.destroy())
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(rude.address() as AddressInfo).port}/`
    for (const [method, retryable] of [
      ['PUT', true],
      ['POST', false],
    ] as const)
      await expect(stack.call('http.call', { method, url })).rejects.toMatchObject({ details: { retryable } })
    await new Promise((resolve) => rude.close(resolve))
    for (const method of ['GET', 'POST'])
      await expect(stack.call('http.call', { method, url })).rejects.toMatchObject({
        ref: 'SW_TOOL_FAILED',
        details: { retryable: true },
      })
    for (const parameters of [
      { url: 'ftp://x/' },
      { url: 'http://' },
      { url: base, method: 'TRACE' },
      { url: base, body: 'x' },
      { url: base, headers: { a: 1 } },
    ]) {
      await expect(stack.call('http.call', parameters as JsonObject)).rejects.toMatchObject({
        ref: 'SW_VALIDATION_FAILED',
      })
    }
  })

  test('whether a call may be repeated depends on its method', () => {
    const info = stack.tools.find('http.call', 'default')!
    expect(info.idempotent).toBe(false)
    expect(info.idempotentFor?.({ url: base })).toBe(true)
    expect(info.idempotentFor?.({ url: base, method: 'DELETE' })).toBe(true)
    expect(info.idempotentFor?.({ url: base, method: 'POST' })).toBe(false)
  })
})
