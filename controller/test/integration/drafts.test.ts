import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { adminToken as adminTokenOf, asAda, type Call, callerWith, joinAs } from '../support/bus-agents.ts'
import { git } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

const definition =
  '# asks first\nplan:\n  - id: why # the first look\n    kind: agent_task\n    agent: sre\n    prompt: Why?\n'
/** A blueprint that writes, checks and promotes another one. */
const AUTHOR = {
  plan: [
    {
      ...{ id: 'save', kind: 'action_task', action: 'drafts.save' },
      with: {
        draft_type: 'blueprint',
        name: 'written',
        definition,
        notes: 'by a run',
        trigger_event_type: 'disk.full',
      },
    },
    {
      ...{ id: 'check', kind: 'action_task', action: 'blueprints.validate' },
      with: { draft_id: '{{ steps.save.output.draft_id }}' },
    },
    {
      ...{ id: 'promote', kind: 'action_task', action: 'blueprints.promote' },
      with: { draft_id: '{{ steps.check.output.draft_id }}' },
    },
  ],
}

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'agents/sre.yaml': manifest('Agent', 'sre', PER_TASK),
    'agents/daemon.yaml': manifest('Agent', 'daemon', {
      runtime: { external: {} },
      capabilities: ['drafts', 'blueprints.validate'],
    }),
    'blueprints/author.yaml': manifest('Blueprint', 'author', AUTHOR),
  })
  await here.start()
  ada = asAda(here)
})
afterAll(() => here.end())

const PLAN = [{ id: 'why', kind: 'agent_task', agent: 'sre', prompt: 'Why?' }]
const draft = (name: string, content: unknown, more: object = {}) =>
  ada('POST', '/api/v1/drafts', { name, kind: 'blueprint', content, ...more })
const verb = (id: string, word: 'validate' | 'promote', call: Call = ada) =>
  call('POST', `/api/v1/drafts/${id}/${word}`)
const read = async (id: string) => (await ada('GET', `/api/v1/drafts/${id}`)).body
const tagged = (tag: string) => git(here.repo, ['rev-parse', `refs/tags/${tag}`]).trim()
const codeOf = ({ status, body }: { status: number; body: { error: { code: string } } }) => [status, body.error.code]

it('a draft is saved, validated and promoted to a version that stays as it is', async () => {
  const made = await draft('ask', { plan: PLAN }, { notes: 'to begin with' })
  expect(made).toMatchObject({
    status: 201,
    body: { name: 'ask', revision: 1, status: 'draft', created_by: 'user:ada', notes: 'to begin with', report: null },
  })
  const { draft_id: id, proposal } = made.body
  expect(proposal).toMatch(/^add-blueprint-ask-/)
  expect(codeOf(await verb(id, 'promote'))).toEqual([400, 'validation_failed'])

  const report = await verb(id, 'validate')
  expect(report).toMatchObject({ status: 200, body: { revision: 1, is_valid: true, issues: [] } })
  const artifact = await ada('GET', `/api/v1/artifacts/${report.body.artifact_id}`)
  expect(artifact.body).toMatchObject({ kind: 'report', metadata: { draft_id: id, revision: 1 } })
  expect(await read(id)).toMatchObject({ status: 'validated', report: { is_valid: true } })

  // Another text has to be validated anew; the same one is no revision.
  const again = await ada('PUT', `/api/v1/drafts/${id}`, { content: definition, trigger_event_type: 'disk.full' })
  expect(again).toMatchObject({ status: 200, body: { revision: 2, status: 'draft', report: null, proposal } })
  expect((await draft('ask', again.body.content)).body).toMatchObject({ draft_id: id, revision: 3 })
  expect((await draft('ask', again.body.content)).body).toMatchObject({ draft_id: id, revision: 3 })
  expect(codeOf(await verb(id, 'promote'))).toEqual([400, 'validation_failed'])
  await verb(id, 'validate')

  const promoted = await verb(id, 'promote')
  expect(promoted).toMatchObject({
    status: 200,
    body: { blueprint_id: 'ask', pack_id: null, version: '1', status: 'active', tag: 'bp/ask/v1', proposal },
  })
  expect(tagged('bp/ask/v1')).toBe(promoted.body.commit)
  expect(await read(id)).toMatchObject({ status: 'promoted', version: '1', tag: 'bp/ask/v1' })
  await until('the blueprint', () => here.stateward.world.get('Blueprint/default/ask') !== undefined)
  expect(here.object('Blueprint/default/ask').spec).toMatchObject({ triggers: [{ event: 'disk.full' }] })

  // Nothing of it moves any more.
  expect(codeOf(await verb(id, 'promote'))).toEqual([409, 'conflict'])
  expect(codeOf(await verb(id, 'validate'))).toEqual([409, 'conflict'])
  expect(codeOf(await ada('PUT', `/api/v1/drafts/${id}`, { content: { plan: [] } }))).toEqual([409, 'conflict'])
  const told = (await here.events()).filter(({ event_name }) => event_name.startsWith('stateward.draft.'))
  expect(told.map(({ event_name }) => event_name.slice('stateward.draft.'.length))).toEqual([
    ...['saved', 'validated', 'saved', 'saved', 'validated', 'promoted'],
  ])
})

it('of two drafts of one version the second is a conflict, and takes the next version when it is saved again', async () => {
  const first = (await draft('twice', { plan: PLAN })).body
  await verb(first.draft_id, 'validate')
  await verb(first.draft_id, 'promote')
  await until('it', () => here.stateward.world.get('Blueprint/default/twice') !== undefined)
  const change = (prompt: string) => ({ plan: [{ ...PLAN[0], prompt }] })
  const mine = (await draft('twice', change('Mine?'))).body
  const bob: Call = callerWith(here, adminTokenOf(here), { 'x-stateward-user': 'bob' })
  const theirs = (await bob('POST', '/api/v1/drafts', { name: 'twice', kind: 'blueprint', content: change('Theirs?') }))
    .body
  expect([mine.proposal, theirs.proposal]).toEqual([
    expect.stringMatching(/^change-blueprint-twice-/),
    expect.stringMatching(/^change-blueprint-twice-/),
  ])
  expect((await verb(mine.draft_id, 'validate')).body.is_valid).toBe(true)
  expect((await verb(theirs.draft_id, 'validate')).body.is_valid).toBe(true)
  expect((await verb(mine.draft_id, 'promote')).body.version).toBe('2')
  const late = await verb(theirs.draft_id, 'promote')
  expect([...codeOf(late), late.body.error.details.tag]).toEqual([409, 'conflict', 'bp/twice/v2'])
  await bob('POST', `/api/v1/proposals/${theirs.proposal}/reject`)
})

it('what is wrong with a draft is reported, and one that is rejected is none any more', async () => {
  const { body } = await draft('wrong', { plan: [{ id: 'x', kind: 'nothing' }] })
  const refused = await verb(body.draft_id, 'validate')
  expect(codeOf(refused)).toEqual([422, 'invalid_schema'])
  expect(refused.body.error.details.violations[0]).toMatchObject({
    path: expect.stringMatching(/^blueprints\/wrong\.yaml:\d+/),
    message: expect.any(String),
  })
  expect(await read(body.draft_id)).toMatchObject({ status: 'draft', report: { is_valid: false } })
  expect(codeOf(await verb(body.draft_id, 'promote'))).toEqual([400, 'validation_failed'])

  const { body: nobody } = await draft('nobody', { plan: [{ ...PLAN[0], agent: 'ghost' }] })
  const found = await verb(nobody.draft_id, 'validate')
  expect(found).toMatchObject({ status: 200, body: { is_valid: false, issues: [{ check: 'references' }] } })

  await ada('POST', `/api/v1/proposals/${body.proposal}/reject`, { reason: 'no' })
  for (const answer of [await ada('GET', `/api/v1/drafts/${body.draft_id}`), await verb(body.draft_id, 'validate')])
    expect(codeOf(answer)).toEqual([404, 'draft_not_found'])
  const pack = await ada('POST', '/api/v1/drafts', { name: 'p', kind: 'pack', content: {} })
  expect(codeOf(pack)).toEqual([400, 'invalid_definition'])
  expect(codeOf(await draft('text', 'a: ['))).toEqual([400, 'invalid_definition'])
})

it('what is merged in another way gets its version, too; a pack has one of its own', async () => {
  const documents = [{ apiVersion: 'stateward.dev/v1alpha1', kind: 'Project', metadata: { name: 'ops' }, spec: {} }]
  const { body } = await ada('POST', '/api/v1/drafts', { name: 'ops', kind: 'pack', content: { documents } })
  expect(await ada('POST', `/api/v1/proposals/${body.proposal}/merge`)).toMatchObject({ status: 200 })
  const promoted = await until('its version', async () => {
    const found = await read(body.draft_id)
    return found.tag === null ? null : found
  })
  expect(promoted).toMatchObject({ status: 'promoted', version: '1', tag: 'pack/ops/v1' })
  expect(tagged('pack/ops/v1')).toBe(tagged('pack/ops/v1^{commit}'))
})

it('a run of a blueprint writes, checks and promotes another one', async () => {
  const started = await ada('POST', '/api/v1/runs', { blueprint_ref: 'author' })
  const run = await until('the run', async () => {
    const { body } = await ada('GET', `/api/v1/runs/${started.body.run_id}`)
    return ['completed', 'failed'].includes(body.status) ? body : null
  })
  expect(run).toMatchObject({ status: 'completed' })
  await until('the blueprint', () => here.stateward.world.get('Blueprint/default/written') !== undefined)
  expect(git(here.repo, ['show', 'bp/written/v1:blueprints/written.yaml'])).toContain('# the first look')
  const artifacts = (await ada('GET', `/api/v1/artifacts?run_id=${run.run_id}`)).body.items
  expect(artifacts.map(({ kind }: { kind: string }) => kind).sort()).toEqual(
    expect.arrayContaining(['draft', 'report']),
  )
})

it('an agent works on its own drafts, and promotes none without the capability; a person promotes as himself', async () => {
  const daemon = await joinAs(here, 'daemon')
  const call = async (who: Call, tool: string, input: object) =>
    who('POST', `/api/v1/tools/${tool}/call`, { input, wait_seconds: 20 })
  const saved = await call(daemon.call, 'drafts.save', {
    draft_type: 'blueprint',
    name: 'own',
    definition: { plan: PLAN },
  })
  expect(saved.body).toMatchObject({ state: 'succeeded', output: { revision: 1, status: 'draft' } })
  const id = saved.body.output.draft_id
  expect((await call(daemon.call, 'blueprints.validate', { draft_id: id })).body.output).toMatchObject({ revision: 1 })
  expect(codeOf(await call(daemon.call, 'blueprints.promote', { draft_id: id }))).toEqual([403, 'tool_forbidden'])
  expect((await verb(id, 'promote', daemon.call)).status).toBe(403)
  expect((await call(ada, 'blueprints.promote', { draft_id: id })).body).toMatchObject({
    state: 'failed',
    error: { code: 'forbidden' },
  })
  const others = (await draft('others', { plan: PLAN })).body.draft_id
  expect((await call(daemon.call, 'blueprints.validate', { draft_id: others })).body).toMatchObject({
    state: 'failed',
    error: { code: 'draft_not_found' },
  })
})
