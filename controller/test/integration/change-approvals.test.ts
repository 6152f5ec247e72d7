import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { until } from '../support/agent-fleet.ts'
import { commitFiles, git } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { type Answer, createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0], flags: object = {}): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start({ ...flags })
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const A = 'Agent/default/a'
const OWNERS = '/agents/ role:owner-admin\n'
const one = (replicas: number) => agent('a', { ...PER_TASK, replicas })
const STATE = { CODEOWNERS: OWNERS, 'agents/a.yaml': one(1), 'b.yaml': agent('b', PER_TASK) }
const replicas = (here: Installation, key = A) => here.object(key).spec['replicas']

/** What a person of this name asks with the admin credential. */
async function as(here: Installation, user: string, path: string, body: object): Promise<Answer> {
  const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
  const response = await fetch(here.stateward.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': user },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const approve = (here: Installation, user: string, more: object = {}) =>
  as(here, user, '/api/v1/changes/approve', { kind: 'agent', name: 'a', ...more })

async function applied(here: Installation, commit: string): Promise<void> {
  await until(`${commit} to be accepted`, () => here.stateward.sync.state.sync?.to_revision === commit)
  await here.stateward.settled()
}

describe('a change of a path that has owners', () => {
  it('waits while the rest of the commit applies, says so everywhere, and goes on when an owner agrees', async () => {
    const here = await started(STATE)
    const commit = await here.apply({ 'agents/a.yaml': one(3), 'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }) })
    expect([replicas(here), replicas(here, 'Agent/default/b')]).toEqual([1, 2])
    expect(here.stateward.sync.state.sync).toMatchObject({ outcome: 'partial', counts: { blocked: 1, update: 1 } })
    const command = 'stateward approve agent/a'
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'False', reason: 'PartiallyApplied' })
    expect(here.condition('Source/state', 'Ready')?.message).toContain(command)
    const held = await here.untilCondition(A, 'Held', 'True', 'ApprovalRequired')
    expect(held.message).toContain('waits for 1 approval of role:owner-admin (CODEOWNERS:1)')
    expect(here.condition(A, 'Ready')).toMatchObject({ status: 'True' })
    const note = await until('the note', () => {
      try {
        return git(here.repo, ['notes', '--ref=stateward', 'show', commit])
      } catch {
        return null
      }
    })
    expect(note).toContain('blocked  Agent/default/a (ApprovalRequired')
    const listed = await here.ask('GET', '/api/v1/changes')
    expect(listed.body['items']).toMatchObject([{ name: 'a', action: 'update', fields: ['/spec/replicas'] }])
    const events = await here.events()
    expect(events.filter(({ event_name }) => event_name === 'stateward.change.held')).toHaveLength(1)

    expect(await approve(here, 'ada')).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining('user:ada made the change') } },
    })
    expect((await approve(here, 'bob', { to: 'f'.repeat(64) })).status).toBe(409)
    expect(await approve(here, 'bob', { reason: 'fine' })).toMatchObject({ status: 200, body: { approved: true } })
    expect(replicas(here)).toBe(3)
    await until('the condition to go', () => here.condition(A, 'Held') === null)
    await here.untilCondition('Source/state', 'Ready', 'True')
    expect(await here.sql`SELECT actor, decision, source, reason FROM change_approvals`).toEqual([
      { actor: 'user:bob', decision: 'approve', source: 'api', reason: 'fine' },
    ])
    expect((await approve(here, 'bob')).status).toBe(404)
  })

  it('goes on waiting through restarts and other commits, and forgets an approval of another change', async () => {
    const here = await started(STATE)
    await here.apply({ 'agents/a.yaml': one(3) })
    await here.stop()
    await here.start()
    expect(replicas(here)).toBe(1)
    await here.apply({ 'b.yaml': agent('b', { ...PER_TASK, replicas: 4 }) })
    await here.untilCondition(A, 'Held', 'True')
    expect((await here.events()).filter(({ event_name }) => event_name === 'stateward.change.held')).toHaveLength(1)
    await here.apply({ 'agents/a.yaml': one(5) })
    expect((await approve(here, 'bob')).status).toBe(200)
    expect(replicas(here)).toBe(5)
    // From five replicas to three is another change than from one to three.
    await here.apply({ 'agents/a.yaml': one(1) })
    await approve(here, 'bob')
    expect(replicas(here)).toBe(1)
    await here.apply({ 'agents/a.yaml': one(5) })
    expect(replicas(here)).toBe(5)
    await here.apply({ 'agents/a.yaml': one(3) })
    expect(replicas(here)).toBe(5)
  })

  it('is rejected until whoever rejected it says otherwise', async () => {
    const here = await started(STATE)
    await here.apply({ 'agents/a.yaml': one(3) })
    const rejected = await as(here, 'bob', '/api/v1/changes/reject', { kind: 'agent', name: 'a', reason: 'no' })
    expect(rejected).toMatchObject({ status: 200, body: { approved: false } })
    expect(await approve(here, 'cy')).toMatchObject({ body: { approved: false } })
    expect(replicas(here)).toBe(1)
    expect(await approve(here, 'bob')).toMatchObject({ body: { approved: true } })
    expect(replicas(here)).toBe(3)
  })

  it('may create or delete', async () => {
    const here = await started(STATE)
    await here.apply({ 'agents/a.yaml': null, 'agents/c.yaml': agent('c', PER_TASK) })
    expect(here.stateward.sync.state.sync?.counts).toMatchObject({ blocked: 2, delete: 0, create: 0 })
    expect(here.object(A).deleting).toBe(false)
    expect((await approve(here, 'bob')).status).toBe(200)
    await until('a to go', () => !here.stateward.world.objects.has(A))
    expect((await approve(here, 'bob', { name: 'c' })).body).toMatchObject({ from: null, approved: true })
    expect(here.object('Agent/default/c').deleting).toBe(false)
  })

  it('has the owners of the last applied revision, never its own', async () => {
    const here = await started(STATE)
    await here.apply({ CODEOWNERS: '', 'agents/a.yaml': one(3) })
    expect(replicas(here)).toBe(1)
  })
})

describe('the word of a commit', () => {
  const people = (name: string, spec: object) =>
    manifest('Principal', name, { emails: [`${name}@example.org`], ...spec })
  const state = {
    ...STATE,
    'people/bob.yaml': people('bob', { roles: ['owner-admin'] }),
    'people/eve.yaml': people('eve', {}),
  }

  it('approves what somebody else wrote, where any merge does', async () => {
    const here = await started(state, { approvalsMerges: 'any' })
    const main = git(here.repo, ['rev-parse', 'main'])
    const branch = commitFiles(
      here.repo,
      { 'agents/a.yaml': one(3) },
      { ref: 'refs/heads/x', parent: main, author: 'eve' },
    )
    await applied(here, commitFiles(here.repo, { 'agents/a.yaml': one(3) }, { merges: [branch], author: 'bob' }))
    expect(replicas(here)).toBe(3)
    expect(await here.sql`SELECT actor, source FROM change_approvals`).toEqual([{ actor: 'user:bob', source: 'merge' }])
    const events = await here.events()
    expect(events.filter(({ event_name }) => event_name === 'stateward.change.approved')).toMatchObject([
      { actor: 'user:bob', data: { name: 'a', source: 'merge' } },
    ])
    // A squash, and a rebase, keep the author and name who brought it.
    await applied(here, commitFiles(here.repo, { 'agents/a.yaml': one(4) }, { author: 'eve', committer: 'bob' }))
    expect(replicas(here)).toBe(4)
  })

  it('of its own author, of nobody with a say, or unsigned approves nothing', async () => {
    const here = await started(state, { approvalsMerges: 'any' })
    await applied(here, commitFiles(here.repo, { 'agents/a.yaml': one(3) }, { author: 'bob' }))
    expect(replicas(here)).toBe(1)
    await applied(here, commitFiles(here.repo, { 'agents/a.yaml': one(4) }, { author: 'bob', committer: 'eve' }))
    expect(replicas(here)).toBe(1)
    await here.stop()
    await here.start({ approvalsMerges: 'signed' })
    await applied(here, commitFiles(here.repo, { 'agents/a.yaml': one(5) }, { author: 'eve', committer: 'bob' }))
    expect(replicas(here)).toBe(1)
  })
})
