import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { until } from '../support/agent-fleet.ts'
import { git } from '../support/git-remote.ts'
import { agent } from '../support/state-files.ts'
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
const STATE = { CODEOWNERS: '/agents/ role:owner-admin\n', 'agents/a.yaml': one(1), 'b.yaml': agent('b', PER_TASK) }
const replicas = (here: Installation) => here.object('Agent/default/a').spec['replicas']

interface Check {
  readonly name: string
}
type Body = Readonly<Record<string, unknown>> & { readonly id: string; readonly checks: readonly Check[] }

async function as(here: Installation, user: string, method: string, path: string, body: object = {}) {
  const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
  const response = await fetch(here.stateward.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': user },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Body }
}

async function proposed(here: Installation, user: string, files: Record<string, string>): Promise<string> {
  const { body } = await as(here, user, 'POST', '/api/v1/proposals', { title: 'More of a', files })
  await until('its checks', async () => {
    const now = await as(here, user, 'GET', `/api/v1/proposals/${body.id}`)
    return now.body['checked_against'] !== null
  })
  return body.id
}
const approvalsCheck = async (here: Installation, id: string) =>
  (await as(here, 'ada', 'GET', `/api/v1/proposals/${id}`)).body.checks.find(({ name }) => name === 'approvals')

describe('a proposal of something that has owners', () => {
  it('waits for one of them, is not merged by its author alone, and lands with who approved it', async () => {
    const here = await started(STATE)
    const id = await proposed(here, 'ada', { 'agents/a.yaml': one(3) })
    expect(await approvalsCheck(here, id)).toMatchObject({
      state: 'waiting',
      problems: [{ code: 'SW_APPROVAL_REQUIRED' }],
    })
    const own = await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/merge`)
    expect(own).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining('made the change') } } })
    expect((await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/approve`)).status).toBe(403)

    expect((await as(here, 'bob', 'POST', `/api/v1/proposals/${id}/approve`, { reason: 'fine' })).status).toBe(200)
    expect(await approvalsCheck(here, id)).toMatchObject({ state: 'passed', summary: 'approved by user:bob' })
    // What others agreed to, its author may land.
    const merged = await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/merge`)
    expect(merged).toMatchObject({ status: 200, body: { state: 'merged' } })
    await until('it to be applied', () => replicas(here) === 3)
    expect(git(here.repo, ['log', '-1', '--format=%B', 'main'])).toContain('Stateward-Approved-By: user:bob')
    expect(await here.sql`SELECT actor, source, proposal FROM change_approvals`).toEqual([
      { actor: 'user:bob', source: 'api', proposal: id },
    ])
  })

  it('is approved by the merge of an owner', async () => {
    const here = await started(STATE)
    const id = await proposed(here, 'ada', { 'agents/a.yaml': one(3) })
    expect((await as(here, 'bob', 'POST', `/api/v1/proposals/${id}/merge`)).body).toMatchObject({ state: 'merged' })
    await until('it to be applied', () => replicas(here) === 3)
    expect(await here.sql`SELECT actor, source FROM change_approvals`).toEqual([{ actor: 'user:bob', source: 'merge' }])
  })

  it('needs another approval when it becomes another change, and none when only the branch moves on', async () => {
    const here = await started(STATE)
    const id = await proposed(here, 'ada', { 'agents/a.yaml': one(3) })
    await as(here, 'bob', 'POST', `/api/v1/proposals/${id}/approve`)
    await here.apply({ 'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }) })
    await until('it to be checked again', async () => {
      const { body } = await as(here, 'ada', 'GET', `/api/v1/proposals/${id}`)
      return body['checked_against'] === git(here.repo, ['rev-parse', 'main'])
    })
    expect(await approvalsCheck(here, id)).toMatchObject({ state: 'passed' })
    await here.apply({ 'agents/a.yaml': agent('a', { ...PER_TASK, replicas: 2 }) })
    expect((await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/merge`)).status).not.toBe(200)
    expect(replicas(here)).toBe(1)
  })

  it('that asks nobody is merged as before', async () => {
    const here = await started(STATE)
    const id = await proposed(here, 'ada', { 'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }) })
    expect(await approvalsCheck(here, id)).toMatchObject({ state: 'passed', summary: 'nobody is asked' })
    expect((await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/approve`)).status).toBe(409)
    expect((await as(here, 'ada', 'POST', `/api/v1/proposals/${id}/merge`)).status).toBe(200)
  })
})
