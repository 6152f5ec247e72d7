import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { adminToken, asAda, type Call, joinAs } from '../support/bus-agents.ts'
import { git, scratchFolder, tipOf } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const scratch = scratchFolder()
let here: Installation
let ada: Call
let agentToken: string
let operatorToken: string
beforeAll(async () => {
  here = await createInstallation({
    'agents/scribe.yaml': manifest('Agent', 'scribe', { ...PER_TASK, workspace: { allowedPaths: ['docs/**'] } }),
    'docs/index.md': '# Docs\n',
  })
  await here.start()
  ada = asAda(here)
  agentToken = (await joinAs(here, 'scribe')).token
  operatorToken = (await ada('POST', '/api/v1/keys', { name: 'ci', roles: ['operator'] })).body['token']
})
afterAll(async () => {
  await here.end()
  scratch.remove()
})

interface Ran {
  readonly code: number
  readonly out: string
}

const identityOf = (name: string, email: string) => ({
  ...{ GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email },
  ...{ GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email },
})
const BOB = identityOf('Bob', 'bob@example.org')
const SCRIBE = identityOf('agent:default/scribe', 'controller@stateward.dev')
const identities = new Map<string, Record<string, string>>()

/** The real client, beside the server that this process is. */
async function run(cwd: string, ...args: string[]): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'],
    HOME: scratch.path,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...identities.get(cwd),
  }
  try {
    const { stdout, stderr } = await promisify(execFile)('git', args, { cwd, env, maxBuffer: 1 << 26 })
    return { code: 0, out: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout + stderr }
  }
}

const urlWith = (user: string, token: string) => {
  const url = new URL('/git/state.git', here.stateward.url)
  url.username = user
  url.password = token
  return url.href
}

let clones = 0
async function clone(user: string, token: string): Promise<string> {
  const folder = join(scratch.path, `clone-${++clones}`)
  identities.set(folder, token === agentToken ? SCRIBE : BOB)
  const { code, out } = await run(scratch.path, 'clone', '-q', '--single-branch', urlWith(user, token), folder)
  expect([code, out]).toEqual([0, ''])
  return folder
}

async function commit(folder: string, branch: string, files: Record<string, string | Buffer>, message = 'Say more') {
  await run(folder, 'switch', '-q', '-C', branch, 'origin/main')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  await run(folder, 'add', '-A')
  expect((await run(folder, 'commit', '-q', '-m', message)).code).toBe(0)
}
const proposalOf = async (branch: string) =>
  (await ada('GET', `/api/v1/proposals/${encodeURIComponent(branch)}`)).body as Record<string, unknown>

describe('the state repo over git', () => {
  it('is fetched by whoever may read, and shows nothing of what the controller keeps for itself', async () => {
    const folder = await clone('', agentToken)
    expect((await run(folder, 'log', '-1', '--format=%H', 'origin/main')).out.trim()).toBe(tipOf(here.repo, 'main'))
    git(here.repo, ['update-ref', 'refs/stateward/proposals/x', 'main'])
    expect((await run(folder, 'ls-remote', 'origin')).out).not.toContain('refs/stateward')
    const anonymous = new URL('/git/state.git', here.stateward.url).href
    expect((await run(scratch.path, 'ls-remote', anonymous)).code).toBe(0)
  })

  it('takes a branch of an agent that is its own, as its proposal', async () => {
    const folder = await clone('', agentToken)
    await commit(folder, 'agents/default/scribe/docs', { 'docs/more.md': 'More.\n' }, 'Say more\n\nIt was missing.')
    const pushed = await run(folder, 'push', 'origin', 'HEAD')
    expect(pushed.code, pushed.out).toBe(0)
    expect(pushed.out).toMatch(/remote: proposal scribe-docs-[a-z2-7]{6} is open: stateward proposals show/)
    expect(await proposalOf('agents/default/scribe/docs')).toMatchObject({
      author: 'agent:default/scribe',
      author_kind: 'agent',
      title: 'Say more',
      description: 'It was missing.',
      head: tipOf(here.repo, 'agents/default/scribe/docs'),
    })
    const checked = await until('the checks', async () => {
      const found = await proposalOf('agents/default/scribe/docs')
      return found['checked_against'] === null ? null : found
    })
    expect(checked['checks']).toContainEqual(expect.objectContaining({ name: 'paths', state: 'passed' }))
    // Once more, also rewritten: the same proposal.
    await commit(folder, 'agents/default/scribe/docs', { 'docs/more.md': 'Other.\n' })
    const again = await run(folder, 'push', '-f', 'origin', 'HEAD')
    expect(again.out).toContain(`remote: proposal ${checked['id']} has new commits`)
  })

  it('refuses every other branch of it, and moves nothing', async () => {
    const folder = await clone('', agentToken)
    const before = tipOf(here.repo, 'main')
    await commit(folder, 'work', { 'docs/more.md': 'More.\n' })
    for (const ref of ['main', 'proposals/mine', 'agents/default/other/x', 'agents/default/scribe']) {
      const { code, out } = await run(folder, 'push', 'origin', `HEAD:refs/heads/${ref}`)
      expect([code, out], ref).toEqual([1, expect.stringContaining('push to agents/default/scribe/<task>')])
      if (ref !== 'main') expect(tipOf(here.repo, ref)).toBeNull()
    }
    const both = await run(
      folder,
      'push',
      'origin',
      'HEAD:refs/heads/agents/default/scribe/fine',
      'HEAD:refs/heads/main',
    )
    expect(both.code).toBe(1)
    expect(tipOf(here.repo, 'agents/default/scribe/fine')).toBeNull()
    expect(tipOf(here.repo, 'main')).toBe(before)
  })

  it('lets an operator push proposals, and only an administrator the protected branch', async () => {
    const folder = await clone('ci', operatorToken)
    await commit(folder, 'proposals/by-ci', { 'docs/ci.md': 'CI.\n' })
    expect((await run(folder, 'push', 'origin', 'HEAD')).code).toBe(0)
    expect(await proposalOf('proposals/by-ci')).toMatchObject({ author: 'key:ci', contributors: ['key:ci'] })
    expect((await run(folder, 'push', 'origin', 'HEAD:main')).out).toContain('refs/heads/main is not a proposal')
    const admins = await clone('grace', adminToken(here))
    await commit(admins, 'proposals/by-ci', { 'docs/ci.md': 'CI, and more.\n' })
    expect((await run(admins, 'push', '-f', 'origin', 'HEAD')).code).toBe(0)
    expect(await proposalOf('proposals/by-ci')).toMatchObject({
      author: 'key:ci',
      contributors: ['key:ci', 'user:grace'],
    })
    await commit(admins, 'main-work', { 'docs/main.md': 'At once.\n' })
    expect((await run(admins, 'push', 'origin', 'HEAD:main')).code).toBe(0)
    expect(git(here.repo, ['show', 'main:docs/main.md'])).toBe('At once.')
    expect((await run(admins, 'push', '-f', 'origin', 'HEAD:refs/notes/stateward')).out).toContain(
      'the controller alone',
    )
    // Deleting a branch withdraws what it proposed.
    expect((await run(folder, 'push', 'origin', ':proposals/by-ci')).code).toBe(0)
    await until('the end', async () => (await proposalOf('proposals/by-ci'))['state'] === 'rejected')
  })

  it('takes the ref that freezes of whoever may, believes who signed it, and gives it up to nobody', async () => {
    const ref = 'refs/stateward/freeze'
    const key = join(scratch.path, 'bob')
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bob', '-f', key])
    const signingKeys = [readFileSync(`${key}.pub`, 'utf8').trim()]
    const bob = { emails: ['bob@example.org'], roles: ['operator'], signingKeys }
    await here.apply({ 'people/bob.yaml': manifest('Principal', 'bob', bob) })
    const folder = await clone('ci', operatorToken)
    const tree = (await run(folder, 'rev-parse', 'HEAD^{tree}')).out.trim()
    const freeze = async (...signing: string[]) => {
      const made = await run(
        folder,
        '-c',
        'gpg.format=ssh',
        '-c',
        `user.signingkey=${key}`,
        'commit-tree',
        ...signing,
        '-m',
        'runaway',
        tree,
      )
      expect(made.code).toBe(0)
      return await run(folder, 'push', 'origin', `${made.out.trim()}:${ref}`)
    }
    const frozen = async () => (await ada('GET', '/api/v1/fleet')).body as Record<string, unknown>
    expect((await freeze()).code).toBe(0)
    await until('it not to be believed', () => tipOf(here.repo, ref) === null)
    expect(await frozen()).toMatchObject({ frozen: false })
    const agents = await clone('scribe', agentToken)
    expect((await run(agents, 'push', 'origin', `HEAD:${ref}`)).out).toContain('the controller alone')

    expect((await freeze('-S')).code).toBe(0)
    await until('it to be believed', async () => (await frozen())['frozen'])
    expect(await frozen()).toMatchObject({ by: 'user:bob', reason: 'runaway' })
    expect((await run(folder, 'push', 'origin', `:${ref}`)).out).toContain('stateward unfreeze')
    await ada('POST', '/api/v1/fleet/unfreeze', {})
    await until('the ref to be gone', () => tipOf(here.repo, ref) === null)
  })

  it('takes commits of whoever pushes, and none that say they are of somebody else', async () => {
    const agents = await clone('', agentToken)
    identities.set(agents, BOB)
    await commit(agents, 'agents/default/scribe/forged', { 'docs/x.md': 'x\n' })
    const refused = await run(agents, 'push', 'origin', 'HEAD')
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('commit as agent:default/scribe')])
    const people = await clone('ci', operatorToken)
    identities.set(people, identityOf('user:boss', 'controller@stateward.dev'))
    await commit(people, 'proposals/forged', { 'docs/x.md': 'x\n' })
    expect((await run(people, 'push', 'origin', 'HEAD')).out).toContain('commit as an address of your own')
    expect(tipOf(here.repo, 'proposals/forged')).toBeNull()
  })

  it('asks for a credential before a push, and refuses one that may only read', async () => {
    const folder = await clone('', agentToken)
    await commit(folder, 'proposals/x', { 'docs/x.md': 'x\n' })
    const plain = new URL('/git/state.git', here.stateward.url).href
    expect((await run(folder, 'push', plain, 'HEAD')).out).toMatch(/could not read Username|Authentication/)
    const { token } = (await ada('POST', '/api/v1/keys', { name: 'eyes', roles: ['viewer'] })).body
    expect((await run(folder, 'push', urlWith('x', token), 'HEAD')).out).toContain('403')
  })

  it('refuses a secret in plain sight with file and line, also in a commit in between, and keeps nothing of it', async () => {
    const folder = await clone('ci', operatorToken)
    const token = `ghp_${randomBytes(18).toString('hex')}`
    await commit(folder, 'proposals/leaky', { 'docs/leak.md': `# How\n\ntoken: ${token}\n` })
    const refused = await run(folder, 'push', 'origin', 'HEAD')
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('docs/leak.md:3:8')
    expect(refused.out).not.toContain(token)
    writeFileSync(join(folder, 'docs/leak.md'), '# How\n')
    await run(folder, 'commit', '-q', '-a', '-m', 'Take it out')
    expect((await run(folder, 'push', 'origin', 'HEAD')).code).toBe(1)
    expect(tipOf(here.repo, 'proposals/leaky')).toBeNull()
    const leaked = (await run(folder, 'rev-parse', 'HEAD~1')).out.trim()
    expect(() => git(here.repo, ['cat-file', '-e', leaked])).toThrow()
  })

  it('takes large pushes in a stream, and serves them', async () => {
    const folder = await clone('ci', operatorToken)
    await commit(folder, 'proposals/large', {
      'docs/large.bin': Buffer.concat([Buffer.alloc(1), randomBytes(6_000_000)]),
    })
    const pushed = await run(folder, 'push', 'origin', 'HEAD')
    expect(pushed.code, pushed.out).toBe(0)
    const other = await clone('ci', operatorToken)
    expect((await run(other, 'fetch', '-q', 'origin', 'proposals/large')).code).toBe(0)
    await commit(folder, 'proposals/larger', { 'docs/larger.bin': Buffer.alloc(17 * 1024 * 1024, 1) })
    const refused = await run(folder, 'push', 'origin', 'HEAD')
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('docs/larger.bin has 17825792 bytes')])
  })

  it('answers what is no push with an error', async () => {
    const send = (body: string) =>
      fetch(new URL('/git/state.git/git-receive-pack', here.stateward.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/x-git-receive-pack-request' },
        body,
      })
    expect((await send('nonsense')).status).toBe(502)
    expect((await send('0000')).status).toBe(200)
    const wrong = await fetch(new URL('/git/state.git/info/refs?service=git-archive', here.stateward.url))
    expect(wrong.status).toBe(400)
  })
})
