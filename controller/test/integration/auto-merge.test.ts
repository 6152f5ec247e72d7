import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { until } from '../support/agent-fleet.ts'
import { git } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start()
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const one = (replicas: number) => agent('a', { ...PER_TASK, replicas })
const policy = (rules: object[]) => manifest('Policy', 'small', { rules })
const SMALL = {
  id: 'replicas',
  match: { action: 'change.update', resourceType: 'agent', expression: "data.fields == ['/spec/replicas']" },
  effect: 'allow',
  autoMerge: true,
}
const REST = { id: 'rest', priority: 1000, effect: 'allow' }
const ALL = { id: 'all', effect: 'allow', autoMerge: true }
const replicas = (here: Installation) => here.object('Agent/default/a').spec['replicas']

type Body = Readonly<Record<string, unknown>> & { readonly checks: readonly { name: string; summary: string }[] }
async function as(here: Installation, user: string, method: string, path: string, body?: object): Promise<Body> {
  const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
  const response = await fetch(here.stateward.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': user },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await response.json()) as Body
}
async function proposed(here: Installation, files: Record<string, string | null>, until_: 'merged' | 'open') {
  const { id } = await as(here, 'ada', 'POST', '/api/v1/proposals', { title: 'More', files })
  return until(`proposal ${String(id)} to be ${until_}`, async () => {
    const now = await as(here, 'ada', 'GET', `/api/v1/proposals/${String(id)}`)
    return now['checked_against'] !== null && now['state'] === until_ ? now : null
  })
}

describe('a proposal that policies let land', () => {
  it('is merged by itself, says which rule did it, and is applied', async () => {
    const here = await started({ 'a.yaml': one(1), 'small.yaml': policy([SMALL, REST]) })
    const merged = await proposed(here, { 'a.yaml': one(3) }, 'merged')
    expect(merged).toMatchObject({ closed_by: 'system:policies' })
    expect(merged.checks.find(({ name }) => name === 'merge')?.summary).toBe(
      'lands by itself: policy small, rule replicas',
    )
    await until('it to be applied', () => replicas(here) === 3)
    expect(git(here.repo, ['log', '-1', '--format=%B', 'main'])).toContain('Stateward-Merged-By: system:policies')
    // What else it says is for people to merge.
    const other = agent('a', { ...PER_TASK, replicas: 4, description: 'more' })
    const waits = await proposed(here, { 'a.yaml': other }, 'open')
    expect(waits.checks.some(({ name }) => name === 'merge')).toBe(false)
  })

  it('is merged by a person all the same where it touches what decides', async () => {
    const here = await started({ 'a.yaml': one(1), 'small.yaml': policy([ALL]), CODEOWNERS: '/web/ team:web\n' })
    const files = {
      'a policy': { 'small.yaml': policy([ALL, REST]) },
      'a person': { 'p.yaml': manifest('Principal', 'eve', { roles: ['owner-admin'] }) },
      'a budget': {
        'b.yaml': manifest('Budget', 'b', { scopeRef: { kind: 'Environment', name: 'default' }, maxUsd: 9 }),
      },
      owners: { CODEOWNERS: '' },
      'a file beside': { 'a.yaml': one(2), 'README.md': 'more' },
    }
    for (const change of Object.values(files)) {
      const waits = await proposed(here, change, 'open')
      expect(waits.checks.some(({ name }) => name === 'merge')).toBe(false)
    }
    expect(replicas(here)).toBe(1)
    await proposed(here, { 'a.yaml': one(2) }, 'merged')
  })
})

describe('the file that says who owns what', () => {
  const state = {
    'agents/a.yaml': one(1),
    CODEOWNERS: '/agents/ role:owner-admin\n',
    'people/bob.yaml': manifest('Principal', 'bob', { roles: ['owner-admin'] }),
  }
  const approve = (here: Installation, user: string) =>
    as(here, user, 'POST', '/api/v1/changes/approve', { kind: 'source', name: 'state' })

  it('counts as it was agreed to last, whatever later commits say', async () => {
    const here = await started(state)
    await here.apply({ CODEOWNERS: '' })
    const held = await here.untilCondition('Source/state', 'Held', 'True', 'ApprovalRequired')
    expect(held.message).toContain('waits for 1 approval of role:owner-admin (CODEOWNERS)')
    await here.apply({ 'agents/a.yaml': one(3) })
    expect(replicas(here)).toBe(1)
    await here.stop()
    await here.start()
    expect(replicas(here)).toBe(1)

    await approve(here, 'ada')
    expect(replicas(here)).toBe(1)
    await approve(here, 'bob')
    await until('nobody to own it any more', () => replicas(here) === 3)
    await here.untilCondition('Source/state', 'Ready', 'True')
  })

  it('is for those to change who own it, and a proposal of it waits for them', async () => {
    const here = await started({ ...state, CODEOWNERS: '/agents/ role:owner-admin\nCODEOWNERS user:cy\n' })
    const waits = await proposed(here, { CODEOWNERS: '/agents/ user:ada\n' }, 'open')
    expect(JSON.stringify(waits.checks)).toContain('waits for 1 approval of user:cy (CODEOWNERS:2)')
    const refused = await as(here, 'bob', 'POST', `/api/v1/proposals/${String(waits['id'])}/merge`)
    expect(refused).toMatchObject({ error: expect.anything() })
    await as(here, 'cy', 'POST', `/api/v1/proposals/${String(waits['id'])}/merge`)
    await until('it to be applied', async () => {
      await here.apply({ 'README.md': 'x' })
      return here.object('Source/state').lastAppliedRevision !== git(here.repo, ['rev-list', '--max-parents=0', 'main'])
    })
    expect(here.condition('Source/state', 'Held')).toBeNull()
  })

  it('may come where there was none', async () => {
    const here = await started({ 'agents/a.yaml': one(1) })
    await here.apply({ CODEOWNERS: '/agents/ role:owner-admin\n' })
    await here.apply({ 'agents/a.yaml': one(3) })
    expect(replicas(here)).toBe(1)
    expect(here.condition('Source/state', 'Held')).toBeNull()
  })
})
