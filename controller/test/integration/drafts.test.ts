import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call } from '../support/bus-agents.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, PER_TASK } from '../support/stateward.ts'

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({ 'agents/sre.yaml': manifest('Agent', 'sre', PER_TASK) })
  await here.start()
  ada = asAda(here)
})
afterAll(() => here.end())

const PLAN = [{ id: 'why', kind: 'agent_task', agent: 'sre', prompt: 'Why?' }]
const status = (id: string, wanted: string) =>
  until(`draft ${id} to be ${wanted}`, async () => {
    const { body } = await ada('GET', `/api/v1/drafts/${id}`)
    return body.status === wanted ? body : null
  })

it('a draft is validated by its checks and promoted by its merge', async () => {
  const made = await ada('POST', '/api/v1/drafts', { name: 'ask', kind: 'blueprint', content: { plan: PLAN } })
  expect(made).toMatchObject({ status: 201, body: { name: 'ask', kind: 'blueprint', created_by: 'user:ada' } })
  const found = await status(made.body.draft_id, 'validated')
  expect(found).toMatchObject({ content: { plan: PLAN }, proposal: expect.stringMatching(/^add-blueprint-ask-/) })
  await ada('POST', `/api/v1/proposals/${found.proposal}/merge`)
  await status(made.body.draft_id, 'promoted')
  await until('the blueprint', async () => here.stateward.world.get('Blueprint/default/ask') !== undefined)
})

it('a draft that is wrong stays one, and one that is rejected is none any more', async () => {
  const wrong = { name: 'wrong', kind: 'blueprint', content: { plan: [{ id: 'x', kind: 'nothing' }] } }
  const { body } = await ada('POST', '/api/v1/drafts', wrong)
  await until('its checks', async () => {
    const proposal = (await ada('GET', `/api/v1/proposals/${body.proposal}`)).body
    return proposal.checked_against === null ? null : proposal
  })
  await status(body.draft_id, 'draft')
  const listed = (await ada('GET', '/api/v1/drafts?kind=blueprint')).body.items
  expect(listed.map(({ name, status: word }: { name: string; status: string }) => [name, word])).toEqual([
    ['wrong', 'draft'],
    ['ask', 'promoted'],
  ])
  await ada('POST', `/api/v1/proposals/${body.proposal}/reject`, { reason: 'no' })
  const gone = await ada('GET', `/api/v1/drafts/${body.draft_id}`)
  expect([gone.status, gone.body.error.code]).toEqual([404, 'draft_not_found'])
  const pack = await ada('POST', '/api/v1/drafts', { name: 'p', kind: 'pack', content: {} })
  expect([pack.status, pack.body.error.code]).toEqual([400, 'invalid_definition'])
})
