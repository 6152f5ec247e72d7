import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { createHome, type Home, type Server } from '../support/stateward-process.ts'

/** Working on a state repo: init, validate, plan, and a server that applies a folder as it is saved. */

let home: Home
let repo: string

beforeAll(async () => {
  home = await createHome()
  repo = join(home.folder, 'fleet')
})
afterAll(() => home?.end())

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(join(repo, path), change(readFileSync(join(repo, path), 'utf8')))

describe('a new state repo', () => {
  it('is made from the starter, and only where there is none', async () => {
    expect(await home.ok(['init', 'fleet'])).toContain('stateward up --repo fleet')
    expect(await home.git(repo, 'status', '--porcelain')).toBe('')
    expect(await home.git(repo, 'log', '--format=%s')).toContain('starter')
    const again = await home.stateward(['init', 'fleet'])
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/remedy: .*\[SW_/)
  })

  it('is valid, and validate says where it is not', async () => {
    expect(await home.ok(['validate', 'fleet'])).toMatch(/^[0-9]+ objects: nothing wrong/)
    edit('agents/sre.yaml', (text) => text.replace('replicas:', 'replics:'))
    const { code, stdout } = await home.stateward(['validate', 'fleet'])
    const asJson = await home.stateward(['validate', 'fleet', '-o', 'json'])
    edit('agents/sre.yaml', (text) => text.replace('replics:', 'replicas:'))
    expect(code).toBe(1)
    expect(stdout).toMatch(/agents\/sre\.yaml:[0-9]+:3/)
    expect(stdout).toContain('did you mean replicas?')
    expect(JSON.parse(asJson.stdout).issues).toContainEqual(
      expect.objectContaining({ code: 'SW_UNKNOWN_FIELD', file: 'agents/sre.yaml', severity: 'error' }),
    )
  })

  it('can be planned without any server', async () => {
    edit('agents/sre.yaml', (text) => text.replace('replicas: 1', 'replicas: 2'))
    await home.git(repo, 'commit', '--quiet', '-am', 'Two of sre')
    const planned = await home.stateward(['plan', '--from', 'HEAD~1', '--exit-code'], {}, repo)
    expect(planned.code).toBe(2)
    expect(planned.stdout).toContain('observed: none')
    expect(planned.stdout).toContain('/spec/replicas')
    expect((await home.stateward(['plan', '--from', 'HEAD', '--exit-code'], {}, repo)).code).toBe(0)
    await home.git(repo, 'reset', '--hard', '--quiet', 'HEAD~1')
  })
})

describe('stateward dev', () => {
  let server: Server

  it('says when its port is taken', async () => {
    const other = await occupied()
    const { code, stderr } = await home.stateward(['dev', 'fleet'], { STATEWARD_PORT: String(other.port) })
    other.server.close()
    expect(code).toBe(1)
    expect(stderr).toContain('[SW_PORT_IN_USE]')
    expect(stderr).toContain('--port')
    // What had been started is stopped again.
    expect(home.processes()).toEqual([])
  })

  it('applies a folder as it is saved', async () => {
    server = await home.serve(['dev', 'fleet'])
    expect(server.stdout()).toContain('Stateward is ready')
    edit('agents/openai.yaml', (text) => text.replace('replicas: 2', 'replicas: 4'))
    await until('the save to be applied', async () => {
      const agent = JSON.parse(await home.ok(['get', 'agent', 'openai', '-o', 'json']))
      return agent.spec.replicas === 4
    })
    edit('agents/openai.yaml', (text) => text.replace('replicas: 4', 'replicas: four'))
    await until('the problem', async () =>
      /^state +False +agents\/openai\.yaml:[0-9]+:[0-9]+/m.test(await home.ok(['get', 'sources'])),
    )
    expect(await home.git(repo, 'status', '--porcelain')).toBe(' M agents/openai.yaml')
    expect(await home.git(repo, 'branch', '--format=%(refname:short)')).toBe('main')
  })

  it('ends with Ctrl-C and leaves nothing', async () => {
    expect(await server.interrupt()).toBe(0)
    expect(home.processes()).toEqual([])
  })
})

async function occupied(): Promise<{ server: NetServer; port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('there is no port')
  return { server, port: address.port }
}
