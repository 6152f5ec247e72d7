import { readFile } from 'node:fs/promises'
import { afterEach, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { until } from '../support/agent-fleet.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let here: Installation
afterEach(() => here.end())

const one = (tools: string[]) => agent('a', { ...PER_TASK, constraints: { tools } })
const POLICY = manifest('Policy', 'tools', {
  rules: [
    {
      id: 'owners',
      match: { action: 'change.update', resourceType: 'agent', subjects: ['role:agent'] },
      effect: 'require_approval',
      requirements: { approvals: { min: 1, fromAnyOf: ['role:OwnerAdmin'] } },
    },
    { id: 'rest', priority: 1000, effect: 'allow' },
  ],
})

async function as(user: string, method: string, path: string, body: object = {}) {
  const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
  const response = await fetch(here.stateward.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': user },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

it('an agent that wants more tools waits for an owner, and everything behind the change is linked', async () => {
  here = await createInstallation({ 'a.yaml': one(['fs.read']), 'policies/tools.yaml': POLICY })
  await here.start()
  // What an agent proposes is a commit of its own name.
  const main = tipOf(here.repo, 'main')!
  const env = {
    GIT_AUTHOR_NAME: 'agent:default/a',
    GIT_AUTHOR_EMAIL: 'controller@stateward.dev',
    GIT_INDEX_FILE: `${here.repo}/agent-index`,
  }
  git(here.repo, ['read-tree', main], { env })
  const blob = git(here.repo, ['hash-object', '-w', '--stdin'], { input: one(['fs.read', 'http.*']) })
  git(here.repo, ['update-index', '--cacheinfo', `100644,${blob},a.yaml`], { env })
  const tree = git(here.repo, ['write-tree'], { env })
  const commit = git(here.repo, ['commit-tree', tree, '-p', main, '-m', 'More tools for a'], { env })
  git(here.repo, ['update-ref', 'refs/heads/agents/default/a/tools', commit])
  const id = await until('the proposal to be checked', async () => {
    const { body } = await as('ada', 'GET', '/api/v1/proposals?state=open')
    const [found] = body['items'] as { id: string; author: string; checked_against: string | null }[]
    return found?.checked_against == null ? null : found.id
  })
  const shown = await as('ada', 'GET', `/api/v1/proposals/${id}`)
  expect(shown.body).toMatchObject({ author: 'agent:default/a' })
  expect(shown.body['checks']).toContainEqual(expect.objectContaining({ name: 'approvals', state: 'waiting' }))

  const merged = await as('ada', 'POST', `/api/v1/proposals/${id}/merge`)
  expect(merged).toMatchObject({ status: 200, body: { state: 'merged' } })
  await until(
    'it to be applied',
    () =>
      here.object('Agent/default/a').spec['constraints'] !== undefined &&
      JSON.stringify(here.object('Agent/default/a').spec['constraints']).includes('http'),
  )
  const why = await as('ada', 'GET', '/api/v1/objects/why?kind=agent&name=a')
  expect(why).toMatchObject({
    status: 200,
    body: {
      revision: tipOf(here.repo, 'main'),
      proposal: { id, author: 'agent:default/a', merged_by: 'user:ada' },
      approvals: [{ decision: 'approve', actor: 'user:ada', source: 'merge' }],
      waits: null,
    },
  })
  expect(why.body['decisions']).toContainEqual(
    expect.objectContaining({
      policy: 'default/tools',
      rule: 'owners',
      effect: 'require_approval',
      author: 'agent:default/a',
    }),
  )
})
