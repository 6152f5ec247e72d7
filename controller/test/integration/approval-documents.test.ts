import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { planRepository } from '../../src/build/plan-repository.ts'
import { renderApprovals } from '../../src/cli/print/approval-documents.ts'
import { keyOf as objectKey } from '../../src/kinds/resource.ts'
import { DEFAULT_DELETION_LIMIT } from '../../src/plan/blast-radius.ts'
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
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const one = (replicas: number) => agent('a', { ...PER_TASK, replicas })
const person = (name: string, spec: object = {}) =>
  manifest('Principal', name, { emails: [`${name}@example.org`], signingKeys: [publicKeyOf(name)], ...spec })
const RULES = manifest('Policy', 'replicas', {
  rules: [
    {
      id: 'owners',
      match: { action: 'change.update', resourceType: 'agent' },
      effect: 'require_approval',
      requirements: { approvals: { fromAnyOf: ['role:owner-admin'] } },
    },
    { id: 'rest', priority: 1000, effect: 'allow' },
  ],
})
async function started(): Promise<Installation> {
  const here = await createInstallation({
    'agents/a.yaml': one(1),
    'b.yaml': agent('b', PER_TASK),
    'people/bob.yaml': person('bob', { roles: ['owner-admin'] }),
    'people/eve.yaml': person('eve'),
    'people/ada.yaml': person('ada', { roles: ['owner-admin'] }),
    'rules.yaml': RULES,
  })
  open.push(here)
  await here.start()
  return here
}
const replicas = (here: Installation) => here.object('Agent/default/a').spec['replicas']
async function applied(here: Installation, commit: string): Promise<void> {
  await until(`${commit} to be accepted`, () => here.stateward.sync.state.sync?.to_revision === commit)
  await here.stateward.settled()
}
const offline = (here: Installation, from: string, to: string) =>
  planRepository({
    ...{ repo: here.repo, path: '.', from, to, deletionLimit: DEFAULT_DELETION_LIMIT },
    ...{ everything: false, merges: 'signed', allowedSigners: '' },
  })
const document = async (here: Installation, from: string, to: string) =>
  renderApprovals((await offline(here, from, to)).plan.changes)
const sign = (here: Installation, who: string, files: Record<string, string | null>) =>
  commitFiles(here.repo, files, { author: who, signWith: keyOf(who) })
const decisions = (here: Installation) =>
  here.sql`SELECT effect, rule FROM policy_decisions WHERE point = 'proposal' AND resource_name = 'a' ORDER BY decided_at`

describe('a document that approves the change of an object', () => {
  it('counts as the word of whoever signed the commit that wrote it, for that change alone', async () => {
    const here = await started()
    const base = git(here.repo, ['rev-parse', 'main'])
    const change = commitFiles(here.repo, { 'agents/a.yaml': one(3) }, { author: 'eve' })
    await applied(here, change)
    expect(replicas(here)).toBe(1)
    const approval = await document(here, base, change)
    expect(approval).toContain('kind: Approval')
    // Also where nothing is new since the protected branch: it waits there.
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const printed = execFileSync(process.execPath, [main, 'plan', '-o', 'approvals'], { cwd: here.repo })
    expect(printed.toString()).toBe(approval)

    await applied(here, sign(here, 'eve', { 'approvals/a.yaml': approval }))
    expect(replicas(here)).toBe(1)
    await applied(here, commitFiles(here.repo, { 'approvals/a.yaml': `${approval}# bob\n` }, { author: 'bob' }))
    expect(replicas(here)).toBe(1)
    const other = approval.replace(/to: [0-9a-f]{64}/, `to: ${'0'.repeat(64)}`)
    await applied(here, sign(here, 'bob', { 'approvals/a.yaml': other }))
    expect(replicas(here)).toBe(1)
    // Whoever writes it last says it: what bob signed before does not count any more.
    await applied(here, commitFiles(here.repo, { 'approvals/a.yaml': approval }, { author: 'eve' }))
    expect(replicas(here)).toBe(1)

    const signed = sign(here, 'bob', { 'approvals/b.yaml': approval, 'approvals/a.yaml': null })
    await applied(here, signed)
    expect(replicas(here)).toBe(3)
    expect(await here.sql`SELECT name, actor, decision, source, revision FROM change_approvals`).toEqual([
      { name: 'a', actor: 'user:bob', decision: 'approve', source: 'commit', revision: signed },
    ])
    await here.untilCondition(`Approval/default/${/name: (update-agent-a-\w+)/.exec(approval)![1]}`, 'Ready', 'True')
    // What was asked at every one of these commits was decided once.
    expect(await decisions(here)).toEqual([{ effect: 'require_approval', rule: 'owners' }])
    const why = await here.ask('GET', '/api/v1/objects/agent/a/why')
    if (why.status === 200) expect(JSON.stringify(why.body)).toContain('user:bob')

    // From three to one, and to three again, is another change.
    await applied(here, sign(here, 'eve', { 'agents/a.yaml': one(5) }))
    expect(replicas(here)).toBe(3)
  })

  it('may stand on the branch of a proposal, refuse, and never speaks for the author', async () => {
    const here = await started()
    const base = git(here.repo, ['rev-parse', 'main'])
    const own = commitFiles(here.repo, { 'agents/a.yaml': one(3) }, { author: 'bob' })
    await applied(here, own)
    const approval = await document(here, base, own)
    await applied(here, sign(here, 'bob', { 'approvals/a.yaml': approval }))
    expect(replicas(here)).toBe(1)
    const refusal = approval.replace('decision: approve', 'decision: reject\n  reason: not now')
    await applied(here, sign(here, 'ada', { 'approvals/a.yaml': refusal }))
    expect(replicas(here)).toBe(1)
    const held = await here.untilCondition('Agent/default/a', 'Held', 'True')
    expect(held.message).toContain('rejected by user:ada')
    await applied(here, sign(here, 'ada', { 'approvals/a.yaml': approval }))
    expect(replicas(here)).toBe(3)
  })
})

describe('a plan in a clone', () => {
  it('asks the policies, owners and people of the base as the controller does, and comes to the same digest', async () => {
    const here = await started()
    await here.apply({ CODEOWNERS: '/b.yaml team:web\n' })
    await here.stateward.settled()
    const token = (await readFile(adminCredentialPath(here.dataDir), 'utf8')).trim()
    const ask = async (method: string, path: string, body?: object) => {
      const response = await fetch(here.stateward.url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': 'eve' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return (await response.json()) as Record<string, never>
    }
    const files = {
      'agents/a.yaml': one(3),
      'b.yaml': agent('b', { ...PER_TASK, replicas: 2 }),
      // What a proposal says itself decides nothing about it.
      'rules.yaml': RULES.replace('require_approval', 'allow'),
    }
    const { id, branch } = await ask('POST', '/api/v1/proposals', { title: 'More', files })
    const served = await until('its plan', async () => {
      const plan = await ask('GET', `/api/v1/proposals/${id}/plan`)
      return plan['digest'] === undefined ? null : plan
    })
    await until('the status of the policy', () => {
      try {
        return git(here.repo, ['show', 'stateward/status:default/policies/replicas.yaml']).includes('version: 1')
      } catch {
        return false
      }
    })
    const { plan } = await offline(here, 'main', branch!)
    const blocked = plan.changes.filter(({ held }) => held !== undefined)
    expect(blocked.map(objectKey).sort()).toEqual(['Agent/default/a', 'Agent/default/b'])
    expect(blocked.map(({ reason }) => reason)).toEqual(['ApprovalRequired', 'ApprovalRequired'])
    expect(blocked.find(({ name }) => name === 'b')?.message).toContain('team:web (CODEOWNERS:1)')
    expect(plan.changes.find(({ kind }) => kind === 'Policy')?.verdict).toMatchObject({
      effect: 'allow',
      by: 'policy replicas, rule rest',
    })
    const shown = ({ message: _, ...rest }: Record<string, unknown>) => rest
    expect(plan.changes.map((change) => shown({ ...change }))).toEqual(
      (served['changes'] as unknown as Record<string, unknown>[]).map(shown),
    )
    expect(plan.digest).toBe(served['digest'])
  })
})
