import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { commitFiles, git, tipOf } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'agents/one.yaml': manifest('Agent', 'one', PER_TASK),
    'agents/two.yaml': manifest('Agent', 'two', PER_TASK),
  })
  await here.start()
  ada = asAda(here)
})
afterAll(() => here.end())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Body = Record<string, any>

const one = (replicas: number) => manifest('Agent', 'one', { ...PER_TASK, replicas })
const two = (replicas: number) => manifest('Agent', 'two', { ...PER_TASK, replicas })

async function propose(files: Record<string, string | null>, more: object = {}): Promise<Body> {
  const { status, body } = await ada('POST', '/api/v1/proposals', { title: 'A change', files, ...more })
  expect(body).toMatchObject({ state: 'open' })
  expect(status).toBe(201)
  return body
}
const read = async (id: string): Promise<Body> => (await ada('GET', `/api/v1/proposals/${id}`)).body
const checked = (id: string, onto = tipOf(here.repo, 'main')) =>
  until(`proposal ${id} to be checked`, async () => {
    const found = await read(id)
    return found['checked_against'] === onto ? found : null
  })
const stateOf = (id: string, state: string) =>
  until(`proposal ${id} to be ${state}`, async () => {
    const found = await read(id)
    return found['state'] === state ? found : null
  })
const checksOf = ({ checks }: Body) =>
  Object.fromEntries(checks.map(({ name, state }: { name: string; state: string }) => [name, state]))

describe('a proposal', () => {
  it('is a commit of whoever made it, checked and planned, and lands as a merge commit', async () => {
    const made = await propose(
      { 'agents/one.yaml': one(2) },
      { title: 'More of one', description: 'It has much to do.' },
    )
    expect(made).toMatchObject({
      id: expect.stringMatching(/^more-of-one-[a-z2-7]{6}$/),
      author: 'user:ada',
      state: 'open',
    })
    const found = await checked(made['id'])
    expect(checksOf(found)).toEqual({
      mergeable: 'passed',
      secrets: 'passed',
      approvals: 'passed',
      schema: 'passed',
      references: 'passed',
      plan: 'passed',
    })
    expect(found).toMatchObject({ files: ['agents/one.yaml'], risk: 'medium', branch: `proposals/${made['id']}` })
    const plan = (await ada('GET', `/api/v1/proposals/${made['id']}/plan`)).body
    expect(plan).toMatchObject({
      counts: { update: 1, unchanged: expect.any(Number) },
      changes: [{ kind: 'Agent', name: 'one', action: 'update', fields: [{ pointer: '/spec/replicas', to: 2 }] }],
      digest: found['plan_digest'],
    })
    expect((await ada('GET', `/proposals/${made['id']}/diff`)).body['diff']).toContain('+  replicas: 2')
    const before = tipOf(here.repo, 'main')
    const merged = (await ada('POST', `/api/v1/proposals/${made['id']}/merge`)).body
    expect(merged).toMatchObject({ state: 'merged', closed_by: 'user:ada', landed: tipOf(here.repo, 'main') })
    expect(git(here.repo, ['log', '-1', '--format=%P|%an|%cn', 'main'])).toBe(
      `${before} ${found['head']}|user:ada|Stateward`,
    )
    const message = git(here.repo, ['log', '-1', '--format=%B', 'main'])
    expect(message).toContain(`Merge proposal ${made['id']}: More of one`)
    expect(message).toContain('Stateward-Merged-By: user:ada')
    await until('it to be applied', () => here.object('Agent/default/one').spec['replicas'] === 2)
    expect(tipOf(here.repo, made['branch'])).toBeNull()
    expect(tipOf(here.repo, `refs/stateward/proposals/${made['id']}`)).toBe(found['head'])
    expect((await ada('GET', `/proposals/${made['id']}/diff`)).body['diff']).toContain('+  replicas: 2')
    // Again, it is what it is.
    expect((await ada('POST', `/proposals/${made['id']}/merge`)).body).toMatchObject({ state: 'merged' })
    expect((await ada('POST', `/proposals/${made['id']}/reject`)).status).toBe(409)
    const names = (await here.events()).filter(({ data }) => data['proposal'] === made['id']).map((e) => e.event_name)
    expect(names).toEqual(['opened', 'checked', 'merged'].map((verb) => `stateward.proposal.${verb}`))
  })

  const HAND_MADE = 'refs/heads/proposals/hand-made'
  const onMain = () => ({ ref: HAND_MADE, parent: tipOf(here.repo, 'main') })

  it('is every branch that somebody pushes', async () => {
    const head = commitFiles(here.repo, { 'agents/two.yaml': two(3) }, { ...onMain(), message: 'By hand' })
    const found = await until('the proposal', async () => {
      const { items } = (await ada('GET', '/api/v1/proposals?state=open')).body
      return items.find(({ branch }: Body) => branch === 'proposals/hand-made') ?? null
    })
    expect(found).toMatchObject({ title: 'By hand', head, author: expect.stringMatching(/^git:/), author_kind: 'user' })
    await checked(found.id)
    const next = commitFiles(here.repo, { 'agents/two.yaml': two(4) }, { ref: HAND_MADE, message: 'More' })
    await until('the new head', async () => (await read(found.id))['head'] === next)
    git(here.repo, ['branch', '-D', 'proposals/hand-made'])
    expect(await stateOf(found.id, 'rejected')).toMatchObject({ reason: 'its branch was deleted' })
  })

  it('is merged when somebody else merges it, in whatever way', async () => {
    const fast = await propose({ 'agents/two.yaml': two(5) })
    git(here.repo, ['update-ref', 'refs/heads/main', `refs/heads/${fast['branch']}`])
    expect(await stateOf(fast['id'], 'merged')).toMatchObject({ landed: fast['head'] })
    const squashed = await propose({ 'agents/two.yaml': two(6) })
    await checked(squashed['id'])
    const commit = here.push({ 'agents/two.yaml': two(6) }, 'Squashed')
    expect(await stateOf(squashed['id'], 'merged')).toMatchObject({ landed: commit })
  })

  it('with something wrong does not land, and says where', async () => {
    const text = manifest('Agent', 'three', { ...PER_TASK, replicas: -1, templateRef: { name: 'nowhere' } })
    const bad = await propose({ 'agents/three.yaml': text })
    const found = await checked(bad['id'])
    expect(checksOf(found)).toMatchObject({ schema: 'failed' })
    const { problems } = found['checks'].find(({ name }: Body) => name === 'schema')
    expect(problems).toEqual([expect.objectContaining({ file: 'agents/three.yaml', line: expect.any(Number) })])
    const answer = await ada('POST', `/api/v1/proposals/${bad['id']}/merge`)
    expect(answer).toMatchObject({
      status: 409,
      body: { error: { code: 'checks_failed', details: { failed: ['schema'] } } },
    })
    const missing = await propose({
      'agents/four.yaml': manifest('Agent', 'four', { ...PER_TASK, templateRef: { name: 'nowhere' } }),
    })
    expect(checksOf(await checked(missing['id']))).toMatchObject({ schema: 'passed', references: 'failed' })
    for (const { id } of [bad, missing] as Body[])
      expect((await ada('POST', `/proposals/${id}/reject`, { reason: 'no' })).body).toMatchObject({
        state: 'rejected',
        reason: 'no',
        closed_by: 'user:ada',
      })
  })

  it('brings no secret in plain sight: it is refused at once, or fails its checks', async () => {
    const token = `ghp_${randomBytes(18).toString('hex')}`
    const files = { 'docs/notes.md': `# Notes\ntoken: ${token}\n` }
    const refused = await ada('POST', '/api/v1/proposals', { title: 'Leak', files })
    expect(refused.body.error).toMatchObject({
      code: 'plaintext_secret',
      message: expect.stringContaining('docs/notes.md:2:8'),
    })
    commitFiles(here.repo, files, { ref: 'refs/heads/proposals/leak', parent: tipOf(here.repo, 'main') })
    const found = await until('the checks', async () => {
      const body = await read(encodeURIComponent('proposals/leak'))
      return body['checked_against'] === undefined || body['checked_against'] === null ? null : body
    })
    expect(checksOf(found)).toMatchObject({ secrets: 'failed' })
    expect(JSON.stringify(found)).not.toContain(token)
    git(here.repo, ['branch', '-D', 'proposals/leak'])
  })

  it('lands one at a time, each checked against what landed before', async () => {
    const first = await propose({ 'agents/one.yaml': one(7) }, { title: 'Seven' })
    const second = await propose({ 'agents/two.yaml': two(7) }, { title: 'Other seven' })
    const third = await propose({ 'agents/one.yaml': one(8) }, { title: 'Eight' })
    const answers = await Promise.all(
      [first, second, third].map(({ id }) => ada('POST', `/api/v1/proposals/${id}/merge`)),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409])
    const { error } = answers[2]!.body
    expect(error).toMatchObject({ code: 'checks_failed', details: { problems: [{ file: 'agents/one.yaml' }] } })
    expect(git(here.repo, ['rev-list', '--first-parent', '-2', '--format=%s', 'main'])).toContain('Other seven')
    expect(checksOf(await read(third['id']))).toEqual({ mergeable: 'failed', secrets: 'passed' })
    expect((await ada('GET', `/api/v1/proposals/${third['id']}/plan`)).status).toBe(409)
  })

  it('takes the place of an older one of the same author about the same', async () => {
    const older = await propose({ 'agents/two.yaml': two(9) }, { topic: 'size-of-two' })
    const newer = await propose({ 'agents/two.yaml': two(10) }, { topic: 'size-of-two' })
    expect(await read(older['id'])).toMatchObject({ state: 'superseded', superseded_by: newer['id'] })
    expect(tipOf(here.repo, older['branch'])).toBeNull()
  })

  it('is named by a unique beginning of its id or by its branch, and nothing else', async () => {
    const made = await propose({ 'agents/two.yaml': two(11) }, { title: 'Quite unique' })
    expect(await read('quite-un')).toMatchObject({ id: made['id'] })
    expect(await read(encodeURIComponent(made['branch']))).toMatchObject({ id: made['id'] })
    expect((await ada('GET', '/api/v1/proposals/nothing-like-it')).status).toBe(404)
    expect((await ada('POST', '/api/v1/proposals', { title: 'x', files: { 'agents/two.yaml': two(7) } })).status).toBe(
      409,
    )
    expect((await ada('POST', '/api/v1/proposals', { title: 'x', files: { '../x.yaml': '' } })).status).toBe(403)
  })

  it('expires when nobody touches it for too long', async () => {
    const made = await propose({ 'agents/two.yaml': two(12) })
    await checked(made['id'])
    await here.sql`UPDATE proposals SET expires_at = '2020-01-01' WHERE proposal_id = ${made['id']}`
    expect(await stateOf(made['id'], 'expired')).toMatchObject({ closed_by: 'system' })
  })
})
