import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { commitFiles, git } from '../support/git-remote.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let keys: string
const keyOf = (name: string) => join(keys, name)
const publicKeyOf = (name: string) => readFileSync(`${keyOf(name)}.pub`, 'utf8').trim()
beforeAll(() => {
  keys = mkdtempSync(join(tmpdir(), 'stateward-keys-'))
  for (const name of ['ada', 'bob', 'eve'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyOf(name)])
})
afterAll(() => rmSync(keys, { recursive: true, force: true }))

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0], flags: object = {}): Promise<Installation> {
  const installation = await createInstallation(files)
  open.push(installation)
  await installation.start({ verify: 'head', ...flags })
  return installation
}
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const one = (replicas: number) => agent('a', { ...PER_TASK, replicas })
const person = (name: string, spec: object = {}) =>
  manifest('Principal', name, { emails: [`${name}@example.org`], signingKeys: [publicKeyOf(name)], ...spec })
const replicas = (here: Installation) => here.object('Agent/default/a').spec['replicas']
async function applied(here: Installation, commit: string): Promise<void> {
  await until(`${commit} to be accepted`, () => here.stateward.sync.state.sync?.to_revision === commit)
  await here.stateward.settled()
}
async function refused(here: Installation, commit: string): Promise<void> {
  await until(`${commit} to be refused`, async () => {
    const [row] = await here.sql`SELECT outcome FROM syncs WHERE to_revision = ${commit}`
    return row?.['outcome'] === 'refused'
  })
}
const sign = (here: Installation, who: string, files: Record<string, string>, more: object = {}) =>
  commitFiles(here.repo, files, { author: who, signWith: keyOf(who), ...more })

describe('commits that have to be verified', () => {
  it('are applied when their head is signed by somebody of the last applied revision, and by nobody else', async () => {
    const here = await started({ 'a.yaml': one(1), 'people/ada.yaml': person('ada') })
    expect(here.log.some(({ reason }) => reason === 'TrustOnFirstUse')).toBe(true)
    await applied(here, sign(here, 'ada', { 'a.yaml': one(2) }))
    expect(replicas(here)).toBe(2)
    await here.untilCondition('Source/state', 'Verified', 'True')

    const unsigned = commitFiles(here.repo, { 'a.yaml': one(3) })
    await refused(here, unsigned)
    const condition = await here.untilCondition('Source/state', 'Verified', 'False', 'CommitUnverified')
    expect(condition.message).toContain(`commit ${unsigned.slice(0, 12)} is not signed`)
    expect(here.condition('Source/state', 'Ready')).toMatchObject({ status: 'False', reason: 'CommitUnverified' })
    expect(replicas(here)).toBe(2)
    const note = await until('the note', () => {
      try {
        return git(here.repo, ['notes', '--ref=stateward', 'show', unsigned])
      } catch {
        return null
      }
    })
    expect(note).toContain('refused')
    expect(note).toContain('SW_COMMIT_UNSIGNED')
    expect(here.log.some(({ code }) => code === 'SW_COMMIT_UNVERIFIED')).toBe(true)

    // Who names himself in the commit that he signs is not believed.
    await refused(here, sign(here, 'eve', { 'people/eve.yaml': person('eve'), 'a.yaml': one(4) }))
    await until('it to say so', () =>
      here.condition('Source/state', 'Verified')?.message.includes('nobody of the last applied revision has'),
    )
    expect(replicas(here)).toBe(2)
    // The head counts: whoever signs it answers for what is below.
    await applied(here, sign(here, 'ada', { 'a.yaml': one(5), 'people/bob.yaml': person('bob') }))
    expect(replicas(here)).toBe(5)
    await applied(here, sign(here, 'bob', { 'a.yaml': one(6) }))
    expect(replicas(here)).toBe(6)
    const story = (await here.events()).filter(({ event_name }) => event_name === 'stateward.source.revision.refused')
    expect(story).toHaveLength(2)
  })

  it('stay refused by the next process, once', async () => {
    const here = await started({ 'a.yaml': one(1), 'people/ada.yaml': person('ada') })
    const unsigned = commitFiles(here.repo, { 'a.yaml': one(3) })
    await refused(here, unsigned)
    await here.stop()
    await here.start({ verify: 'head' })
    await here.untilCondition('Source/state', 'Verified', 'False')
    expect(replicas(here)).toBe(1)
    expect(await here.sql`SELECT 1 FROM syncs WHERE to_revision = ${unsigned}`).toHaveLength(1)
  })

  it('have their first signers from a file of the configuration', async () => {
    const file = join(keys, 'allowed')
    writeFileSync(file, `ada@example.org ${publicKeyOf('ada')}\n`)
    const here = await createInstallation({ 'b.yaml': agent('b', PER_TASK) })
    open.push(here)
    await here.start({ verify: 'head', verifyAllowedSigners: file })
    expect(here.stateward.world.objects.has('Agent/default/b')).toBe(false)
    await applied(here, sign(here, 'ada', { 'a.yaml': one(1) }))
    expect(replicas(here)).toBe(1)
  })

  it('of Stateward itself are signed', async () => {
    const here = await started({ 'a.yaml': one(1), 'people/ada.yaml': person('ada') })
    const { body } = await here.post('/api/v1/proposals', { title: 'More', files: { 'a.yaml': one(2) } })
    expect((await here.post(`/api/v1/proposals/${String(body['id'])}/merge`, {})).status).toBe(200)
    await until('it to be applied', () => replicas(here) === 2)
    expect((await here.post('/api/v1/objects/suspend', { kind: 'agent', name: 'a', merge: true })).status).toBe(200)
    await until('it to be applied', () => here.object('Agent/default/a').spec['suspend'] === true)
  })
})

describe("a signature on somebody else's work", () => {
  it('approves it', async () => {
    const here = await started({
      CODEOWNERS: 'a.yaml role:owner-admin\n',
      'a.yaml': one(1),
      ...{ 'people/ada.yaml': person('ada', { roles: ['owner-admin'] }), 'people/eve.yaml': person('eve') },
    })
    await applied(here, sign(here, 'eve', { 'a.yaml': one(2) }))
    expect(replicas(here)).toBe(1)
    await applied(here, sign(here, 'ada', { 'a.yaml': one(3) }, { author: 'eve', committer: 'ada' }))
    // Both landed a part of it: nobody speaks for all of it.
    expect(replicas(here)).toBe(1)
    await applied(here, sign(here, 'ada', { 'a.yaml': one(1) }))
    await applied(here, sign(here, 'ada', { 'a.yaml': one(4) }, { author: 'eve', committer: 'ada' }))
    expect(replicas(here)).toBe(4)
    expect(await here.sql`SELECT actor, source FROM change_approvals`).toEqual([
      { actor: 'user:ada', source: 'commit' },
    ])
  })
})
