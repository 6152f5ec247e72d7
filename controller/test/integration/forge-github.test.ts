import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { githubForge } from '../../src/proposals/forges/github.ts'
import { until } from '../support/agent-fleet.ts'
import { adminToken, callerWith } from '../support/bus-agents.ts'
import {
  bareRepository,
  commitFiles,
  type GitServer,
  git,
  scratchFolder,
  serveHttp,
  tipOf,
} from '../support/git-remote.ts'
import { GITHUB_TOKEN, type GithubServer, mergeInto, serveGithub, signedWebhook } from '../support/github-server.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const SECRET = 'what signs the webhooks'
// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Body = Record<string, any>

describe('GitHub', () => {
  const scratch = scratchFolder()
  let repo: string
  let server: GithubServer
  beforeEach(async () => {
    repo = bareRepository(join(scratch.path, `r-${Math.random()}.git`))
    commitFiles(repo, { 'a.txt': 'a\n' })
    commitFiles(repo, { 'b.txt': 'b\n' }, { ref: 'refs/heads/proposals/x', parent: tipOf(repo, 'main') })
    server = await serveGithub(repo)
  })
  afterEach(() => server.close())
  afterAll(() => scratch.remove())

  const forge = (token = GITHUB_TOKEN) =>
    githubForge({
      ...{ repository: 'team/state', apiUrl: server.apiUrl, version: '0', patienceSeconds: 0 },
      ...{ token: async () => token, webhookSecret: async () => SECRET },
    })
  const request = { branch: 'proposals/x', base: 'main', title: 'X', body: 'why' }
  const refOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no error',
      (error: { ref?: string }) => error.ref,
    )

  it('has one pull request a branch, one comment and one check', async () => {
    const opened = await forge().pullRequest(request)
    expect(opened).toEqual({ number: 101, url: expect.stringContaining('/pull/101'), author: 'stateward-bot' })
    expect(await forge().pullRequest(request)).toEqual(opened)
    await forge().comment(101, 'one')
    await forge().comment(101, 'two')
    expect(server.pulls.flatMap(({ comments }) => comments.map(({ body }) => body))).toEqual([
      expect.stringContaining('two'),
    ])
    await forge().check('abc', { state: 'waiting', title: 'waits', summary: 'for you' })
    expect(server.checks).toMatchObject([
      { head_sha: 'abc', conclusion: 'action_required', output: { title: 'waits' } },
    ])
    server.forbidChecks.value = true
    await forge().check('abc', { state: 'failed', title: 'no', summary: '' })
    expect(server.statuses).toMatchObject([{ sha: 'abc', state: 'failure', description: 'no' }])
  }, 30_000)

  it('fails with what it is: refused, out of reach, over its limits, in conflict', async () => {
    expect(await refOf(forge('wrong').pullRequest(request))).toBe('SW_FORGE_REFUSED')
    expect(await refOf(forge().pullRequest({ ...request, branch: 'proposals/none' }))).toBe('SW_FORGE_REFUSED')
    const { number } = await forge().pullRequest(request)
    const merge = { head: 'f'.repeat(40), title: 't', message: 'm' }
    expect(await refOf(forge().merge(number, merge))).toBe('SW_CONFLICT')
    const reset = String(Math.floor(Date.now() / 1000) + 3600)
    server.failures.push({
      ...{ status: 403, message: 'API rate limit exceeded' },
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
    })
    expect(await refOf(forge().pullRequest(request))).toBe('SW_FORGE_UNREACHABLE')
    server.failures.push({ status: 404, message: 'Not Found' })
    expect(await refOf(forge().close(number))).toBe('SW_FORGE_REFUSED')
  }, 30_000)
})

describe('proposals as pull requests', () => {
  let here: Installation
  let server: GithubServer
  let remote: GitServer
  beforeAll(async () => {
    here = await createInstallation({
      CODEOWNERS: '/agents/ user:grace\n',
      'agents/a.yaml': agent('a', PER_TASK),
      'free.yaml': agent('free', PER_TASK),
      'grace.yaml': manifest('Principal', 'grace', { logins: { github: 'grace-h' } }),
    })
    server = await serveGithub(here.repo)
    remote = await serveHttp(dirname(here.repo))
    for (const [key, value] of Object.entries({ token: GITHUB_TOKEN, webhook: SECRET })) {
      mkdirSync(join(here.dataDir, 'secrets/forge'), { recursive: true, mode: 0o700 })
      writeFileSync(join(here.dataDir, 'secrets/forge', key), value, { mode: 0o600 })
    }
    await here.start({
      ...{ repo: remote.url('given.git'), interval: '1s' },
      ...{ forge: 'github', forgeRepository: 'team/state', forgeApiUrl: server.apiUrl },
    })
  }, 60_000)
  afterAll(async () => {
    await here.end()
    await server.close()
    await remote.close()
  })

  const ada = () => callerWith(here, adminToken(here), { 'x-stateward-user': 'ada' })
  const read = async (id: string): Promise<Body> => (await ada()('GET', `/api/v1/proposals/${id}`)).body
  /** Its pull request, once the proposal knows it. */
  async function pullOf(id: string) {
    const pull = await until(
      `the pull request of ${id}`,
      () => server.pulls.find(({ branch, comments }) => branch === `proposals/${id}` && comments.length > 0) ?? null,
      40_000,
    )
    await until('the proposal to know it', async () => {
      const [row] = await here.sql<{ forge: object | null }[]>`SELECT forge FROM proposals WHERE proposal_id = ${id}`
      return row?.forge ?? null
    })
    return pull
  }
  async function propose(title: string, files: object): Promise<string> {
    return (await ada()('POST', '/api/v1/proposals', { title, files })).body.id
  }
  async function webhook(event: string, payload: object, secret = SECRET) {
    const { headers, body } = signedWebhook(event, payload, secret)
    const response = await fetch(`${here.stateward.url}/api/v1/forge/webhook`, { method: 'POST', headers, body })
    return { status: response.status, body: (await response.json()) as Body }
  }
  const requestOf = (id: string, number: number, more: object = {}) => ({
    ...{ number, head: { ref: `proposals/${id}`, sha: tipOf(here.repo, `proposals/${id}`) }, merged: false },
    ...more,
  })
  const reviewBy = (login: string, id: string, number: number, state = 'approved') => ({
    action: 'submitted',
    review: { state, commit_id: tipOf(here.repo, `proposals/${id}`), user: { login }, body: 'looked at it' },
    pull_request: requestOf(id, number),
  })

  it('show the plan, are approved by a review, and by the merge of whoever is asked', async () => {
    const id = await propose('More of a', { 'agents/a.yaml': agent('a', { ...PER_TASK, replicas: 2 }) })
    const pull = await pullOf(id)
    expect(pull.title).toBe('More of a')
    expect(pull.body).toContain(`Proposal \`${id}\` by \`user:ada\``)
    expect(pull.comments[0]!.body).toContain('## Stateward plan')
    expect(pull.comments[0]!.body).toContain('/spec/replicas')
    await until('the check', () => server.checks.some(({ conclusion }) => conclusion === 'action_required'))
    expect((await webhook('pull_request_review', reviewBy('grace-h', id, pull.number), 'wrong')).status).toBe(401)
    const stranger = await webhook('pull_request_review', reviewBy('somebody', id, pull.number))
    expect(stranger.body['done']).toContain('github:somebody is none of user:grace')
    const approved = await webhook('pull_request_review', reviewBy('grace-h', id, pull.number))
    expect(approved.body['done']).toBe(`user:grace: approve ${id}`)
    expect(await here.sql`SELECT actor, source FROM change_approvals`).toEqual([
      { actor: 'user:grace', source: 'forge' },
    ])
    await until('the check', () => server.checks.some(({ conclusion }) => conclusion === 'success'), 40_000)
    expect(pull.comments).toHaveLength(1)
    const commit = mergeInto(here.repo, `proposals/${id}`, 'Merge pull request')
    const merged = requestOf(id, pull.number, { merged: true, merged_by: { login: 'grace-h' } })
    await webhook('pull_request', { action: 'closed', pull_request: merged })
    expect(await read(id)).toMatchObject({ state: 'merged', landed: commit })
    await until('it to be applied', () => here.object('Agent/default/a').spec['replicas'] === 2)
  }, 120_000)

  it('are merged by the forge when they are merged here, and closed with them', async () => {
    const id = await propose('Free', { 'free.yaml': agent('free', { ...PER_TASK, replicas: 3 }) })
    const pull = await pullOf(id)
    const merged = await ada()('POST', `/api/v1/proposals/${id}/merge`)
    expect(merged.body).toMatchObject({ state: 'merged', landed: tipOf(here.repo, 'main') })
    expect(pull).toMatchObject({ state: 'closed', merged: true })
    expect(git(here.repo, ['log', '-1', '--format=%B', 'main'])).toContain(
      `Stateward-Proposal: ${id}\nStateward-Merged-By: user:ada`,
    )
    const other = await propose('Other', { 'free.yaml': agent('free', { ...PER_TASK, replicas: 4 }) })
    const second = await pullOf(other)
    expect((await ada()('POST', `/api/v1/proposals/${other}/reject`, { reason: 'no' })).status).toBe(200)
    await until('the pull request to be closed', () => second.state === 'closed', 40_000)
    const third = await propose('Third', { 'free.yaml': agent('free', { ...PER_TASK, replicas: 5 }) })
    const { number } = await pullOf(third)
    const closed = { action: 'closed', pull_request: requestOf(third, number), sender: { login: 'grace-h' } }
    expect((await webhook('pull_request', closed)).body['done']).toBe(`user:grace rejected ${third}`)
    expect(await read(third)).toMatchObject({ state: 'rejected', closed_by: 'user:grace' })
    expect((await webhook('ping', { zen: 'x' })).body['done']).toBe('nothing to do')
  }, 120_000)
})
