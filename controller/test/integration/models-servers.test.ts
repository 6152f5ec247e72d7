import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const PROGRAM = fileURLToPath(new URL('../support/model-server-process.ts', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const provider = (port: number, models: object[], server: object = {}) =>
  manifest('ModelProvider', 'local', {
    type: 'llama-cpp',
    baseURL: `http://127.0.0.1:${port}`,
    models,
    server: { command: [process.execPath, PROGRAM, '{port}', '{file}', '100'], startTimeout: '20s', ...server },
  })

describe('models of this machine', () => {
  let here: Installation | null = null
  afterEach(async () => {
    await here?.end()
    here = null
  })
  const listens = async (port: number) =>
    fetch(`http://127.0.0.1:${port}/nothing`).then(
      () => true,
      () => false,
    )
  const ask = async (model: string) => (await here!.post('/api/v1/models/local/test', { model })).body

  it('are started when they are asked, tested first, unloaded when nobody asks, and changed for another', async () => {
    const port = await freePort()
    here = await createInstallation({
      'p.yaml': provider(port, [
        { name: 'small', file: 'small.gguf', unloadAfterIdle: '1s', maxTokens: 512, temperature: 0.1 },
        { name: 'large', file: 'large.gguf', unloadAfterIdle: '10m' },
      ]),
    })
    await here.start()
    await here.untilCondition('ModelProvider/local', 'Ready', 'True')
    expect(await listens(port)).toBe(false)
    const first = await ask('small')
    expect(first).toMatchObject({
      text: expect.stringContaining('small.gguf says ok to small'),
      call: { provider: 'local', class: 'local', cost_usd: '0.00' },
    })
    expect((await here.ask('GET', '/api/v1/models/local')).body['loaded']).toEqual(['small'])
    await expect.poll(() => listens(port), { timeout: 10_000 }).toBe(false)
    const again = await ask('small')
    expect(String(again['text'])).not.toBe(String(first['text']))
    expect(await ask('large')).toMatchObject({ text: expect.stringContaining('large.gguf says ok to large') })
    expect((await here.ask('GET', '/api/v1/models/local')).body['loaded']).toEqual(['large'])
    await here.stop()
    expect(await listens(port)).toBe(false)
  })

  it('that are always to be there are up before the provider is ready, and are not unloaded', async () => {
    const port = await freePort()
    here = await createInstallation({
      'p.yaml': provider(port, [
        { name: 'small', file: 's.gguf', alwaysLoaded: true, unloadAfterIdle: '1s', layer: 'operational' },
      ]),
    })
    await here.start()
    await here.untilCondition('ModelProvider/local', 'Ready', 'True')
    expect(await listens(port)).toBe(true)
    expect(here.object('ModelProvider/local').status['loaded']).toEqual(['small'])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await listens(port)).toBe(true)
  })

  it('whose program ends at once say what it said', async () => {
    const port = await freePort()
    here = await createInstallation({
      'p.yaml': provider(port, [{ name: 'small' }], {
        command: [process.execPath, '-e', 'console.error("no such weights"); process.exit(3)'],
      }),
    })
    await here.start()
    await here.untilCondition('ModelProvider/local', 'Ready', 'True')
    expect(await ask('small')).toMatchObject({
      error: { code: 'models_failed', message: expect.stringContaining('no such weights') },
    })
  })
})
