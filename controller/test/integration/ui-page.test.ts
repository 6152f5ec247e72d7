import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApi, type TestApi } from '../support/api-server.ts'

let folder: string
let api: TestApi
const SCRIPT = 'export const page = 1\n'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sw-page-'))
  await mkdir(join(folder, 'built', 'assets'), { recursive: true })
  await writeFile(join(folder, 'built', 'index.html'), '<!doctype html><title>Stateward</title>')
  await writeFile(join(folder, 'built', 'assets', 'index-abc123.js'), SCRIPT)
  await writeFile(join(folder, 'built', 'assets', 'index-abc123.js.br'), brotliCompressSync(SCRIPT))
  await writeFile(join(folder, 'secret.js'), 'no')
  api = await startApi({ options: { page: { folder: join(folder, 'built'), home: '/ui/events' } } })
})
afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
})

const at = (url: string, headers: Record<string, string> = {}) => api.server.app.inject({ url, headers })

describe('the page', () => {
  it('is what the root leads to, at the place that is configured', async () => {
    expect(await at('/')).toMatchObject({ statusCode: 302, headers: { location: '/ui/events' } })
    expect(await at('/ui')).toMatchObject({ statusCode: 302, headers: { location: '/ui/' } })
  })

  it('is served at every address below, since it knows its own', async () => {
    for (const url of ['/ui/', '/ui/runs/a.b/steps/c.js', '/ui/events?event_name=checkmk.*', '/ui/resources/agents']) {
      const answer = await at(url)
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(answer.headers['cache-control']).toBe('no-cache')
    }
  })

  it('runs its own scripts and styles only, and speaks to its own server only', async () => {
    const policy = String((await at('/ui/')).headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/)
  })

  it('has files whose name is their content: kept forever, and sent compressed', async () => {
    const plain = await at('/ui/assets/index-abc123.js')
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(plain.payload).toBe(SCRIPT)
    const small = await at('/ui/assets/index-abc123.js', { 'accept-encoding': 'gzip, br' })
    expect(small.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' })
    expect(small.headers['content-type']).toMatch(/javascript/)
    expect(small.rawPayload).toEqual(brotliCompressSync(SCRIPT))
  })

  it('tells a file that is gone from the page, and keeps nobody from asking again', async () => {
    const gone = await at('/ui/assets/index-0ld.js')
    expect([gone.statusCode, gone.headers['cache-control']]).toEqual([404, 'no-store'])
  })

  it('shows nothing from outside of its folder', async () => {
    for (const url of [
      '/ui/../secret.js',
      '/ui/%2e%2e/secret.js',
      '/ui/..%2fsecret.js',
      '/ui/assets/..%2f..%2fsecret.js',
    ]) {
      expect((await at(url)).payload).not.toBe('no')
    }
  })

  it('takes nothing but GET', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      expect((await api.server.app.inject({ method, url: '/ui/runs' })).statusCode).toBe(405)
  })
})

describe('a process that only shows the page', () => {
  it('reads and changes nothing', async () => {
    const reading = await startApi({
      options: { page: { folder: join(folder, 'built'), home: '/ui/' }, readsOnly: true },
    })
    try {
      expect((await reading.server.app.inject({ url: '/api/v1/runs' })).statusCode).toBe(200)
      expect((await reading.server.app.inject({ method: 'POST', url: '/api/v1/runs', payload: {} })).statusCode).toBe(
        405,
      )
      expect((await reading.server.app.inject({ url: '/kube/api' })).statusCode).toBe(404)
    } finally {
      await reading.stop()
    }
  })
})

describe('a page that is not built', () => {
  it('is a plain one with the command that builds it', async () => {
    const bare = await startApi({ options: { page: { folder: join(folder, 'nothing'), home: '/ui/' } } })
    try {
      const answer = await bare.server.app.inject({ url: '/ui/runs' })
      expect(answer.statusCode).toBe(503)
      expect(answer.payload).toContain('npm run build:ui')
      expect((await bare.server.app.inject({ url: '/ui/assets/x.js' })).statusCode).toBe(404)
    } finally {
      await bare.stop()
    }
  })
})
