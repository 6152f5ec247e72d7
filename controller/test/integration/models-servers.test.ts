import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { freePort } from '../support/free-port.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, SLEEPER } from '../support/stateward.ts'
import { createHome, type Home } from '../support/stateward-process.ts'

const PROGRAM = fileURLToPath(new URL('../support/model-server-process.ts', import.meta.url))

const provider = (port: number, models: object[], server: object = {}, name = 'local') =>
  manifest('ModelProvider', name, {
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

  it('hold up the start of the host until they answer, and no agent begins before', async () => {
    const port = await freePort()
    const words = ['sh', '-c', 'while [ ! -e gate ]; do sleep 0.1; done; exec "$0" "$@"', process.execPath]
    here = await createInstallation({
      'p.yaml': provider(port, [{ name: 'small', file: 's.gguf', alwaysLoaded: true }], {
        command: ['env', '-C', '/', ...words, PROGRAM, '{port}', '{file}'],
      }),
    })
    const gate = join(here.dataDir, 'gate')
    const gated = { command: ['env', '-C', here.dataDir, ...words, PROGRAM, '{port}', '{file}'] }
    here.push({ 'p.yaml': provider(port, [{ name: 'small', file: 's.gguf', alwaysLoaded: true }], gated) })
    await here.start()
    const starting = await here.untilCondition('Host/local', 'Ready', 'False', 'Starting')
    expect(starting.message).toContain('AIRuntime, model small of provider local is not there')
    const waiting = here.push({ 'a.yaml': manifest('Agent', 'sleeper', SLEEPER) })
    await until('the agent to be accepted', () => here!.stateward.sync.state.sync?.to_revision === waiting)
    await until('the agent to wait for its host', () =>
      JSON.stringify(here!.condition('Agent/default/sleeper', 'Ready') ?? '').includes('AIRuntime'),
    )
    expect(await here.pids('Agent/default/sleeper')).toEqual([])
    writeFileSync(gate, '')
    await here.untilCondition('Host/local', 'Ready', 'True')
    await here.untilCondition('ModelProvider/local', 'Ready', 'True')
    await until('the agent to run', async () => (await here!.pids('Agent/default/sleeper')).length === 1)
    expect((await here.sql`SELECT boot_phase, boot_message FROM hosts WHERE name = 'local'`)[0]).toEqual({
      boot_phase: 'Autonomy',
      boot_message: null,
    })
  })

  it('hold up agents that were declared together with them', async () => {
    const port = await freePort()
    const words = ['sh', '-c', 'while [ ! -e gate ]; do sleep 0.1; done; exec "$0" "$@"', process.execPath]
    here = await createInstallation({ 'a.yaml': manifest('Agent', 'sleeper', SLEEPER) })
    const command = ['env', '-C', here.dataDir, ...words, PROGRAM, '{port}', '{file}']
    here.push({ 'p.yaml': provider(port, [{ name: 'small', file: 's.gguf', alwaysLoaded: true }], { command }) })
    await here.start()
    await until('the agent to wait for its host', () =>
      JSON.stringify(here!.condition('Agent/default/sleeper', 'Ready') ?? '').includes('AIRuntime'),
    )
    expect(await here.pids('Agent/default/sleeper')).toEqual([])
    writeFileSync(join(here.dataDir, 'gate'), '')
    await until('the agent to run', async () => (await here!.pids('Agent/default/sleeper')).length === 1)
    expect(await listens(port)).toBe(true)
  })

  it('go with their provider', async () => {
    const port = await freePort()
    here = await createInstallation({
      'p.yaml': provider(port, [{ name: 'small', alwaysLoaded: true }]),
      'other.yaml': manifest('Agent', 'other', SLEEPER),
    })
    await here.start()
    await here.untilCondition('ModelProvider/local', 'Ready', 'True')
    expect(await listens(port)).toBe(true)
    await here.apply({ 'p.yaml': null })
    await expect.poll(() => listens(port), { timeout: 10_000 }).toBe(false)
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

describe('model servers of a controller that was killed', () => {
  let home: Home
  afterEach(() => home.end())

  it('are taken over when they are what is declared, else ended; nothing is started twice', async () => {
    home = await createHome()
    const [kept, changed] = [await freePort(), await freePort()]
    const repo = join(home.folder, 'fleet')
    mkdirSync(repo)
    const commit = async (files: Record<string, string>) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(repo, name), text)
      await home.git(repo, 'add', '.')
      await home.git(repo, 'commit', '-qm', 'change')
    }
    await home.git(repo, 'init', '-q', '-b', 'main')
    await commit({
      'kept.yaml': provider(kept, [{ name: 'm', alwaysLoaded: true }], {}, 'kept'),
      'changed.yaml': provider(changed, [{ name: 'm', file: 'one' }], {}, 'changed'),
    })
    /** Which process answers. */
    const answering = async (name: string): Promise<number> => {
      const token = readFileSync(join(home.dataDir, 'credentials/admin'), 'utf8').trim()
      const response = await fetch(`http://127.0.0.1:${home.port}/api/v1/models/${name}/test`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      })
      const { text = '' } = (await response.json()) as { text?: string }
      return Number(/(\d+)$/.exec(text)?.[1])
    }
    const first = await home.serve(['up', '--repo', repo])
    if (!first.isReady()) throw new Error(first.stderr())
    const before = { kept: await answering('kept'), changed: await answering('changed') }
    await first.kill()
    const lives = (pid: number) => home.processes().some((one) => one.pid === pid)
    expect([lives(before.kept), lives(before.changed)]).toEqual([true, true])
    await commit({ 'changed.yaml': provider(changed, [{ name: 'm', file: 'two' }], {}, 'changed') })
    const second = await home.serve(['up', '--repo', repo])
    await until('what is not declared any more to be gone', () => !lives(before.changed))
    expect(await answering('kept')).toBe(before.kept)
    const now = await answering('changed')
    expect(now).toBeGreaterThan(0)
    expect(now).not.toBe(before.changed)
    expect(await second.interrupt()).toBe(0)
    expect([lives(before.kept), lives(now)]).toEqual([false, false])
  })
})
