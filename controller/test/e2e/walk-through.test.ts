import { readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityOf } from '../../src/lib/process-identity.ts'
import { until } from '../support/agent-fleet.ts'
import { createHome, type Home, type Server } from '../support/stateward-process.ts'

/** What a new user types, in this order, on one server. Each test leaves the server as the next one needs it. */

let home: Home
let server: Server
let work: string
const took: Record<string, number> = {}

beforeAll(async () => {
  home = await createHome()
  work = join(home.folder, 'work')
  server = await timed('first start', () => home.serve(['up']))
})
afterAll(async () => {
  await home?.end()
  console.log(`seconds: ${JSON.stringify(took)}`)
})

interface Listed {
  readonly kind: string
  readonly items: readonly {
    readonly kind: string
    readonly metadata: { readonly name: string; readonly namespace?: string }
    readonly spec: Record<string, unknown>
    readonly status: Record<string, unknown>
  }[]
}

async function timed<T>(what: string, does: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  const result = await does()
  took[what] = Math.round(performance.now() - startedMs) / 1000
  return result
}

const list = async (...args: string[]): Promise<Listed> => JSON.parse(await home.ok(['get', ...args, '-o', 'json']))

async function pidsOf(agent: string): Promise<number[]> {
  const { items } = await list('agents')
  const instances = items.find(({ metadata }) => metadata.name === agent)?.status['instances'] as
    | { pid?: number }[]
    | undefined
  return (instances ?? []).flatMap(({ pid }) => (pid === undefined ? [] : [pid])).sort()
}

const ready = async (agent: string): Promise<boolean> => {
  const { items } = await list('agents')
  const conditions = items.find(({ metadata }) => metadata.name === agent)?.status['conditions'] as
    | { type: string; status: string }[]
    | undefined
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

/** The name of the latest run of a blueprint once it is in a state. */
async function runIn(blueprint: string, status: string, message = ''): Promise<string> {
  return await until(`a run of ${blueprint} to be ${status}`, async () => {
    const { items } = await list('runs')
    const found = items.find(
      (run) =>
        run.metadata.name.startsWith(blueprint) &&
        run.status['phase'] === status &&
        JSON.stringify(run.status).includes(message),
    )
    return found?.metadata.name
  })
}

/** Commits everything in the clone, pushes it, and gives the commit. */
async function push(message: string): Promise<string> {
  await home.git(work, 'add', '--all')
  await home.git(work, 'commit', '--quiet', '-m', message)
  await home.git(work, 'push', '--quiet')
  return await home.git(work, 'rev-parse', 'HEAD')
}

const applied = (commit: string) =>
  until(`${commit} to be applied`, async () => {
    const { items } = await list('sources')
    return items[0]!.status['lastAppliedRevision'] === commit
  })

const file = (path: string) => join(work, path)
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(file(path), change(readFileSync(file(path), 'utf8')))

describe('stateward up', () => {
  it('says what it did and what to try next', () => {
    const said = server.stdout()
    expect(said).toMatch(new RegExp(`^Stateward is ready at http://127\\.0\\.0\\.1:${home.port} after `))
    expect(said).toMatch(/^commit {4}[0-9a-f]{12} Start from the starter state repo/m)
    expect(said).toMatch(/^ {2}\+ Agent\/default\/sre$/m)
    expect(said).toMatch(/^ {2}default\/sre {2}pid [0-9]+ /m)
    expect(said).toContain('git clone')
    expect(said).toContain('events --follow')
    // Lines for machines go to stderr.
    for (const line of server.stderr().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
  })

  it('refuses a second server on the same data folder', async () => {
    const { code, stderr } = await home.stateward(['up'], { STATEWARD_PORT: '0' })
    expect(code).toBe(1)
    expect(stderr).toContain(`is in use by process ${server.pid}`)
    expect(stderr).toContain('[SW_DATA_DIR_LOCKED]')
  })
})

describe('looking at it', () => {
  it('lists agents with their columns, plain when it is not a terminal', async () => {
    await until('sre to report', () => ready('sre'))
    const said = await home.ok(['get', 'agents'], { NO_COLOR: '1' })
    expect(said.split('\n')[0]!.split(/ {2,}/)).toEqual(['NAME', 'READY', 'STATUS', 'HOST', 'PID', 'REVISION', 'AGE'])
    expect(said).toMatch(/^sre +True +it runs and reports +local +[0-9]+ +[0-9a-f]{7} /m)
    expect(said).not.toContain('\u001b')
    expect(await home.ok(['get', 'agents'], { FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain('\u001b')
  })

  it('lists every kind, wide, by name, as YAML and as a List', async () => {
    expect(await home.ok(['get', 'blueprints', '-o', 'wide'])).toMatch(
      /^bp\.checkmk\.auto-remediate +True .*checkmk\.alert/m,
    )
    expect((await home.ok(['get', 'ag', '-o', 'name'])).trim().split('\n').sort()).toEqual([
      'agent.stateward.dev/docs-reviewer',
      'agent.stateward.dev/investigator',
      'agent.stateward.dev/openai',
      'agent.stateward.dev/scribe',
      'agent.stateward.dev/sre',
      'agent.stateward.dev/verifier',
    ])
    expect(await home.ok(['get', 'agent', 'sre', '-o', 'yaml'])).toMatch(/^kind: Agent$/m)
    const everything = await list('all')
    expect(everything).toMatchObject({ apiVersion: 'v1', kind: 'List' })
    for (const item of everything.items) {
      expect(item).toMatchObject({
        apiVersion: 'stateward.dev/v1alpha1',
        kind: expect.any(String),
        metadata: { name: expect.any(String), uid: expect.any(String), resourceVersion: expect.any(String) },
        spec: expect.any(Object),
      })
    }
    expect(new Set(everything.items.map(({ kind }) => kind))).toContain('Source')
  })

  it('answers for what is not there', async () => {
    const missing = await home.stateward(['get', 'agent', 'nobody'])
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toContain('[SW_NOT_FOUND]')
    expect((await home.stateward(['get'])).code).toBe(2)
    expect((await home.stateward(['frobnicate'])).code).toBe(2)
  })

  it('shows its versions, its configuration, its health and its completion', async () => {
    expect(JSON.parse(await home.ok(['version', '-o', 'json']))).toMatchObject({ client: '0.1.0', server: '0.1.0' })
    expect(await home.ok(['config'])).toMatch(new RegExp(`^port +${home.port} +STATEWARD_PORT`, 'm'))
    const findings = JSON.parse(await home.ok(['doctor', '-o', 'json'])) as { verdict: string }[]
    expect(findings.filter(({ verdict }) => verdict === 'failed')).toEqual([])
    for (const shell of ['bash', 'zsh', 'fish']) expect(await home.ok(['completion', shell])).toContain('stateward')
    expect((await fetch(`http://127.0.0.1:${home.port}/readyz`)).status).toBe(200)
    expect(await (await fetch(`http://127.0.0.1:${home.port}/metrics`)).text()).toContain('stateward_')
  })
})

describe('a run through a gate', () => {
  const ALERT = ['emit', 'checkmk.alert', '--data', '{"host":"web-1","service":"nginx","state":"CRIT"}']
  let run: string

  it('starts by an event and waits for a person', async () => {
    await home.ok(ALERT)
    run = await runIn('bp.checkmk.auto-remediate', 'running', 'approve')
    expect(await home.ok(['get', 'runs'])).toContain(run)
    const described = await home.ok(['describe', 'run', run])
    expect(described).toMatch(/analyze.*completed/)
    expect(described).toContain('approve')
  })

  it('goes on when it is approved, once', async () => {
    expect(await home.ok(['approve', run, 'approve', '--reason', 'looks right'])).toContain('approved')
    await until('its end', async () => (await runIn('bp.checkmk.auto-remediate', 'completed')) === run)
    const again = await home.stateward(['approve', run, 'approve'])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('[SW_CONFLICT]')
    expect(await home.ok(['describe', 'run', run])).toContain('looks right')
  })

  it('leaves logs and events', async () => {
    expect(await home.ok(['logs', run])).toMatch(/run_fix \| .*rehearsal/i)
    const events = await home.ok(['events'])
    for (const name of ['checkmk.alert', 'stateward.run.started', 'stateward.run.completed'])
      expect(events).toContain(name)
    expect(await home.ok(['logs', 'agent/sre'])).not.toBe('')
  })

  it('runs through a daemon over the bus, too', async () => {
    const data = '{"host":"db-1","service":"postgres","state":"CRIT","message":"disk full"}'
    await home.ok(['emit', 'alert.raised', '--data', data])
    const triage = await runIn('triage', 'completed')
    expect(await home.ok(['describe', 'run', triage])).toMatch(/severity/)
  })

  it('is rejected when a person says so', async () => {
    await home.ok(['run', 'bp.checkmk.auto_remediate', '--input', 'host=web-9', '--input', 'service=nginx'])
    const rejected = await runIn('bp.checkmk.auto-remediate', 'running', 'approve')
    await home.ok(['reject', rejected, 'approve', '--reason', 'not now'])
    expect(await runIn('bp.checkmk.auto-remediate', 'failed')).toBe(rejected)
  })
})

describe('a commit', () => {
  it('is applied as soon as it is pushed', async () => {
    await home.git(home.folder, 'clone', '--quiet', join(home.dataDir, 'state-repo.git'), work)
    edit('agents/sre.yaml', (text) => text.replace('replicas: 1', 'replicas: 2'))
    const commit = await push('Two of sre')
    await timed('push to applied, seen with get', () => applied(commit))
    await until('two processes', async () => (await pidsOf('sre')).length === 2)
    const synced = JSON.parse(await home.ok(['reconcile', '--wait', '-o', 'json']))
    expect(synced).toMatchObject({ revision: commit })
  })

  it('that is broken says where and what to do, and the rest of it is applied', async () => {
    edit('agents/sre.yaml', (text) => text.replace('replicas: 2', 'replicas: 1'))
    writeFileSync(
      file('agents/new.yaml'),
      'apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata: { name: new }\nspec:\n  replics: 3\n  runtime: { process: { command: [node] } }\n',
    )
    const commit = await push('One of sre, and something broken')
    await applied(commit)
    await until('one process', async () => (await pidsOf('sre')).length === 1)
    const place = 'agents/new.yaml:5:3'
    expect(await home.ok(['get', 'sources'])).toMatch(
      new RegExp(`^state +False +${place}: .*did you mean replicas`, 'm'),
    )
    expect(await home.ok(['describe', 'source', 'state'])).toContain(place)
    expect(server.stderr()).toContain(`"place":"${place}"`)
    expect((await home.stateward(['get', 'agent', 'new'])).code).toBe(1)

    await home.git(work, 'config', '--add', 'remote.origin.fetch', '+refs/notes/*:refs/notes/*')
    await until('the status commit', async () => {
      await home.git(work, 'fetch', '--quiet')
      const status = await home.git(work, 'show', 'origin/stateward/status:_cluster/sources/state.yaml')
      return status.includes('file: agents/new.yaml') && status.includes(commit)
    })
    const log = await home.git(work, 'log', '-1', '--show-notes=stateward', 'origin/main')
    expect(log).toContain('partial: update 1')
    expect(log).toContain(`issue ${place}: error: spec has no field replics (did you mean replicas?)`)
    const status = await home.git(work, 'log', '--format=%h %s%n%b', 'origin/stateward/status')
    expect(status).toContain(`Stateward-Revision: ${commit}`)
    expect(status).toMatch(/^Stateward-Log: [0-9]+ [0-9a-f]{64}$/m)
  })

  it('can be planned before it is pushed', async () => {
    await rm(file('agents/new.yaml'))
    await home.git(work, 'add', '--all')
    await home.git(work, 'commit', '--quiet', '-m', 'Without the broken one')
    edit('agents/openai.yaml', (text) => text.replace('replicas: 2', 'replicas: 3'))
    await home.git(work, 'commit', '--quiet', '-am', 'Three of openai')
    const plan = ['plan', '--repo', work]
    const said = await home.ok(plan)
    expect(said).toMatch(/^~ update +Agent\/default\/openai$/m)
    expect(said).toMatch(/1 update/)
    expect((await home.stateward([...plan, '--exit-code'])).code).toBe(2)
    expect(await home.ok([...plan, '-o', 'markdown'])).toContain('Agent/default/openai')
    expect(JSON.parse(await home.ok([...plan, '-o', 'json']))).toMatchObject({ counts: { update: 1 } })
    const unknown = await home.stateward([...plan, '--from', 'nowhere'])
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('[SW_REV_MISSING]')
    await home.git(work, 'push', '--quiet')
    await applied(await home.git(work, 'rev-parse', 'HEAD'))
  })

  it('is not needed to suspend: that is an override, and a proposal', async () => {
    expect(await home.ok(['suspend', 'agent/openai', '--reason', 'too loud'])).toContain(
      'proposals/suspend-agent-openai',
    )
    expect(await home.ok(['get', 'agent', 'openai'])).toMatch(/^openai +Unknown +suspended by user:/m)
    await home.ok(['resume', 'agent/openai'])
    await until('openai to be ready', () => ready('openai'))
  })
})

describe('what was killed', () => {
  it('comes back: an agent', async () => {
    const [pid] = await pidsOf('sre')
    process.kill(pid!, 'SIGKILL')
    const next = await until('another process', async () => {
      const found = await pidsOf('sre')
      return found.length === 1 && found[0] !== pid && found
    })
    await until('sre to report', () => ready('sre'))
    expect(await pidsOf('sre')).toEqual(next)
  })

  it('comes back: the controller, with the same agents and the run that waits', async () => {
    await home.ok(['emit', 'checkmk.alert', '--data', '{"host":"web-2","service":"nginx","state":"CRIT"}'])
    const run = await runIn('bp.checkmk.auto-remediate', 'running', 'approve')
    const pids = await pidsOf('sre')
    await server.kill()
    expect(pids.every((pid) => identityOf(pid) !== null)).toBe(true)
    const unanswered = await home.stateward(['get', 'agents'])
    expect(unanswered.code).toBe(1)
    expect(unanswered.stderr).toContain('[SW_SERVER_UNREACHABLE]')

    server = await timed('start after kill -9', () => home.serve(['up']))
    expect(server.stdout()).toContain('none since the last start')
    await until('sre to report', () => ready('sre'))
    expect(await pidsOf('sre')).toEqual(pids)
    expect(home.processes().filter(({ command }) => /^\S*node main\.mjs/.test(command))).toHaveLength(1)
    expect(await runIn('bp.checkmk.auto-remediate', 'running', 'approve')).toBe(run)
    await home.ok(['approve', run, 'approve'])
    await until('its end', async () => {
      const { items } = await list('runs')
      return items.find(({ metadata }) => metadata.name === run)?.status['phase'] === 'completed'
    })
  })
})

describe('what is removed from Git', () => {
  it('is stopped', async () => {
    const [pid] = await pidsOf('sre')
    await rm(file('agents/sre.yaml'))
    const commit = await push('No more sre')
    await applied(commit)
    await until('its process to end', () => identityOf(pid!) === null)
    await until('its object to go', async () => (await home.stateward(['get', 'agent', 'sre'])).code === 1)
    await home.git(work, 'revert', '--no-edit', 'HEAD')
    await home.git(work, 'push', '--quiet')
    await until('it to be back', () => ready('sre'))
  })
})

describe('the end', () => {
  it('is clean on Ctrl-C: nothing is left of it', async () => {
    expect(home.processes().length).toBeGreaterThan(2)
    const startedMs = performance.now()
    expect(await timed('Ctrl-C', () => server.interrupt())).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(home.processes()).toEqual([])
    expect(await home.ok(['down'])).toContain('nothing runs')
  })

  it('is cleaned up by down after a kill -9, and the next start takes the agents over', async () => {
    server = await timed('warm start', () => home.serve(['up']))
    await until('sre to report', () => ready('sre'))
    const pids = await pidsOf('sre')
    await server.kill()
    expect(await home.ok(['down'])).toContain('stopped the database server')
    expect(
      home
        .processes()
        .map(({ command }) => command)
        .filter((command) => command.includes('postgres')),
    ).toEqual([])
    server = await home.serve(['up'])
    await until('sre to report', () => ready('sre'))
    expect(await pidsOf('sre')).toEqual(pids)
    process.kill(server.pid, 'SIGTERM')
    expect(await server.exited).toBe(0)
    expect(home.processes()).toEqual([])
  })
})
