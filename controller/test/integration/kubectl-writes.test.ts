import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda } from '../support/bus-agents.ts'
import { git as gitIn } from '../support/git-remote.ts'
import { kubectl, kubectlArguments, kubectlMinor, RECENT } from '../support/kubectl.ts'
import { requires } from '../support/requires.ts'
import { agent } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const installed = requires('kubectl')
const minor = installed.available ? kubectlMinor() : 0
const IDLE = { runtime: { process: { command: ['true'] } }, replicas: 0, heartbeat: { interval: '1h', timeout: '24h' } }

let here: Installation
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-kubectl-'))
  here = await createInstallation({
    'a.yaml': agent('a', IDLE),
    'b.yaml': agent('b', IDLE),
    'c.yaml': agent('c', IDLE),
  })
  await here.start({ authMode: 'none' })
})
afterAll(async () => {
  await here.end()
  await rm(folder, { recursive: true, force: true })
})

const git = (repo: string, ...args: string[]) => gitIn(repo, args)
const url = () => here.stateward.url
const k = (...argv: string[]) => kubectl(kubectlArguments(url(), folder, argv))
const fed = (input: string, ...argv: string[]) => kubectl(kubectlArguments(url(), folder, argv), input)
const branches = () =>
  git(here.repo, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/proposals').split('\n').filter(Boolean)
const branchOf = (warning: string) => /on branch (proposals\/[\w.-]+)/.exec(warning)![1]!
const written = async (name: string, text: string) => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}
const manifestOf = (name: string, replicas: number, more = '') =>
  `apiVersion: stateward.dev/v1alpha1\nkind: Agent\nmetadata:\n  name: ${name}\n${more}spec:\n  runtime: { process: { command: ['true'] } }\n  replicas: ${replicas}\n  heartbeat: { interval: 1h, timeout: 24h }\n`

describe.skipIf(!installed.available)(`kubectl ${installed.reason}`, () => {
  it('leaves an object that is as its file says alone', async () => {
    const file = await written('a.yaml', manifestOf('a', 0))
    const { code, out, err } = await k('apply', '-f', file)
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/agent.stateward.dev\/a (unchanged|configured)\n/),
    })
    expect(err).not.toContain('proposed')
    // An older kubectl does not say for what it asks.
    if (minor >= RECENT) expect(out).toContain('unchanged')
    expect(branches()).toEqual([])
  })

  it('proposes what a file says, once, and says so', async () => {
    const file = await written('a.yaml', manifestOf('a', 1))
    const { code, out, err } = await k('apply', '-f', file)
    expect({ code, out }).toEqual({ code: 0, out: 'agent.stateward.dev/a configured\n' })
    const branch = branchOf(err)
    expect(err).toMatch(/Warning: it is proposed on branch .*stateward proposals merge/)
    expect(here.object('Agent/default/a').spec['replicas']).toBe(0)
    expect(git(here.repo, 'show', `${branch}:a.yaml`)).toContain('replicas: 1')
    const again = await k('apply', '-f', file)
    if (minor >= RECENT) expect(again.err).toContain(`it was proposed already on branch ${branch}`)
    const [listed] = (await k('get', 'proposals', '-o', 'name')).out.trim().split('\n')
    expect((await k('get', 'proposals', '-o', 'wide')).out).toMatch(
      new RegExp(`open .*update Agent default/a .*${branch}`),
    )
    expect((await k('wait', '--for=condition=Mergeable', listed!, '--timeout=20s')).code).toBe(0)
    git(here.repo, 'update-ref', 'refs/heads/main', branch)
    await until('the merge', () => here.object('Agent/default/a').spec['replicas'] === 1)
    if (minor >= RECENT) expect((await k('apply', '-f', file)).out).toContain('unchanged')
  })

  // Declared where there is one that can: what is skipped counts as failed.
  if (minor >= RECENT)
    it('makes one proposal of one command', async () => {
      const before = branches()
      const file = await written(
        'all.yaml',
        [manifestOf('b', 3), manifestOf('c', 3), manifestOf('new', 0)].join('---\n'),
      )
      const { out, err } = await k('apply', '-f', file)
      expect(out).toBe(
        'agent.stateward.dev/b configured\nagent.stateward.dev/c configured\nagent.stateward.dev/new created\n',
      )
      const branch = branchOf(err)
      expect(branches().filter((one) => !before.includes(one))).toEqual([branch])
      expect(git(here.repo, 'log', '--format=%s', `main..${branch}`).trim().split('\n')).toEqual([
        'add Agent default/new',
        'update Agent default/c',
        'update Agent default/b',
      ])
      expect(git(here.repo, 'show', `${branch}:agents/new.yaml`)).toContain('name: new')
    })

  // Declared where there is one that can: what is skipped counts as failed.
  if (minor >= RECENT)
    it('shows exactly what would change, and proposes nothing by looking', async () => {
      const before = branches()
      const file = await written('b.yaml', manifestOf('b', 5))
      const { code, out } = await k('diff', '-f', file)
      expect(code).toBe(1)
      expect(out.split('\n').filter((line) => /^[-+] /.test(line))).toEqual(['-  replicas: 0', '+  replicas: 5'])
      expect((await k('diff', '-f', await written('b0.yaml', manifestOf('b', 0)))).code).toBe(0)
      expect((await k('apply', '-f', file, '--dry-run=server')).out).toContain('configured (server dry run)')
      expect((await k('delete', 'agent', 'b', '--dry-run=server')).out).toContain('deleted (server dry run)')
      expect(branches()).toEqual(before)
    })

  it('writes in every other way there is', async () => {
    const text = async (...argv: string[]) => {
      const { code, err } = await k(...argv)
      expect([argv, code, err]).toEqual([argv, 0, expect.stringContaining('on branch')])
      return git(here.repo, 'show', `${branchOf(err)}:b.yaml`)
    }
    expect(await text('label', 'agent', 'b', 'team=x')).toContain('team: x')
    expect(await text('annotate', 'agent', 'b', 'example.com/note=hello there')).toContain('hello there')
    expect(await text('patch', 'agent', 'b', '--type=merge', '-p', '{"spec":{"replicas":6}}')).toContain('replicas: 6')
    const operations = '[{"op":"replace","path":"/spec/replicas","value":7}]'
    expect(await text('patch', 'agent', 'b', '--type=json', '-p', operations)).toContain('replicas: 7')
    expect(await text('scale', 'agent', 'b', '--replicas=8')).toContain('replicas: 8')
    if (minor >= 22)
      expect(await text('apply', '--server-side', '-f', await written('b.yaml', manifestOf('b', 9)))).toContain(
        'replicas: 9',
      )
    const replaced = await k('replace', '-f', await written('b.yaml', manifestOf('b', 10, '  labels: { a: b }\n')))
    expect(git(here.repo, 'show', `${branchOf(replaced.err)}:b.yaml`)).toMatch(/a: b.*replicas: 10/s)
    const removed = await k('delete', 'agent', 'c')
    expect(removed).toMatchObject({ code: 0, out: expect.stringContaining('deleted') })
    expect(git(here.repo, 'ls-tree', '--name-only', branchOf(removed.err))).not.toContain('c.yaml')
    expect((await k('get', 'agent', 'c', '-o', 'name')).out).toBe('agent.stateward.dev/c\n')
  })

  it('refuses what does not fit, with the field', async () => {
    const bad = manifestOf('bad', 0).replace('replicas:', 'replicaz:')
    const { code, err } = await fed(bad, 'create', '-f', '-')
    expect(code).toBe(1)
    expect(err).toMatch(/The Agent "bad" is invalid: .*spec.replicaz/s)
    expect((await fed(manifestOf('a', 1), 'create', '-f', '-')).err).toContain(
      'agents.stateward.dev "a" already exists',
    )
    expect((await k('patch', 'agent', 'a', '-p', '{"spec":{"replicas":6}}')).err).toMatch(/not supported|supports/)
    expect((await k('delete', 'run', 'x')).err).toMatch(/cannot be written|not found|not allow/)
    expect((await k('patch', 'agent', 'nobody', '--type=merge', '-p', '{"spec":{"replicas":6}}')).err).toContain(
      'not found',
    )
  })

  it('asks for a credential where writing would act at once', async () => {
    for (const note of ['stateward.dev/suspend=true', 'stateward.dev/requestedAt=now'])
      expect((await k('annotate', 'agent', 'a', note, '--overwrite')).err).toContain('must be logged in')
    const direct = manifestOf('a', 2, '  annotations: { stateward.dev/land: direct }\n')
    expect((await k('apply', '-f', await written('direct.yaml', direct))).err).toContain('must be logged in')
  })
})

describe('writes with a credential', () => {
  const BASE = '/kube/apis/stateward.dev/v1alpha1/namespaces/default/agents'
  const patch = (name: string, body: object, query = '') => asMergePatch(`${BASE}/${name}${query}`, body)
  async function asMergePatch(path: string, body: object) {
    const token = (await readFile(join(here.dataDir, 'credentials', 'admin'), 'utf8')).trim()
    const response = await fetch(url() + path, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Record<string, never> & { code?: number } }
  }
  const annotated = (annotations: object) => ({ metadata: { annotations } })

  it('land at once for whoever may push the protected branch', async () => {
    const before = git(here.repo, 'rev-parse', 'main')
    const { status } = await patch('a', {
      ...annotated({ 'stateward.dev/land': 'direct' }),
      spec: { description: 'landed' },
    })
    expect(status).toBe(200)
    await until('it', () => here.object('Agent/default/a').spec['description'] === 'landed')
    expect(git(here.repo, 'rev-list', '--count', `${before.trim()}..main`).trim()).toBe('1')
    expect(git(here.repo, 'show', 'main:a.yaml')).not.toContain('stateward.dev/land')
  })

  it('suspend, resume and reconcile at once, and write no annotation', async () => {
    expect((await patch('a', annotated({ 'stateward.dev/suspend': 'true' }))).status).toBe(200)
    await here.untilCondition('Agent/default/a', 'Suspended', 'True')
    expect((await patch('a', annotated({ 'stateward.dev/requestedAt': 'now' }))).status).toBe(200)
    expect((await patch('a', annotated({ 'stateward.dev/suspend': 'false' }))).status).toBe(200)
    await until('it to go on', () => here.condition('Agent/default/a', 'Suspended') === null)
    expect((await patch('a', annotated({ 'stateward.dev/suspend': 'maybe' }))).status).toBe(400)
  })

  it('conflict with a change of the spec that came between, and with no other', async () => {
    const old = String(here.object('Agent/default/a').specResourceVersion - 1)
    const body = { metadata: { resourceVersion: old }, spec: { description: 'late' } }
    expect(await patch('a', body)).toMatchObject({ status: 409, body: { reason: 'Conflict' } })
    const now = { metadata: { resourceVersion: String(here.object('Agent/default/a').specResourceVersion) } }
    expect((await patch('a', { ...now, spec: { description: 'late' } }, '?dryRun=All')).status).toBe(200)
  })

  it('say the same of an object in git and through apply and merge', async () => {
    const text = manifestOf('twin', 0)
    const ada = asAda(here)
    const made = await ada('POST', BASE.replace('/kube', '/kube'), {
      apiVersion: 'stateward.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: 'twin' },
      spec: { ...IDLE, runtime: { process: { command: ['true'] } } },
    })
    expect(made.status).toBe(202)
    const branch = String(
      (made.body as unknown as { metadata: { annotations: Record<string, string> } }).metadata.annotations[
        'stateward.dev/proposal'
      ],
    )
    expect(git(here.repo, 'rev-list', '--count', `main..${branch}`).trim()).toBe('1')
    git(here.repo, 'update-ref', 'refs/heads/main', branch)
    await until('the twin', () => here.stateward.world.get('Agent/default/twin') !== undefined)
    await here.apply({ 'other.yaml': text.replace('name: twin', 'name: other') })
    expect(here.object('Agent/default/twin').spec).toEqual(here.object('Agent/default/other').spec)
  })
})
