import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

describe('the starter, with models that are scripted', () => {
  let here: Installation
  beforeAll(async () => {
    here = await createInstallation(null)
    await here.start()
  })
  afterAll(() => here.end())

  const run = async () => {
    const [row] = await here.sql<{ run_id: string; status: string; outputs: Record<string, unknown> | null }[]>`
      SELECT run_id, status, outputs FROM runs WHERE blueprint = 'investigate'`
    return row
  }

  it('investigates an alert with a tool, waits until somebody merges its proposal, and verifies it', async () => {
    const data = { host: 'web-1', service: 'nginx', message: '502 since 10 minutes' }
    expect((await here.post('/api/v1/events', { event_name: 'alert.investigate', data })).status).toBeLessThan(300)
    let branch = ''
    await until('the gate to be proposed', async () => {
      const rows = await here.sql<{ proposal: string | null }[]>`
        SELECT g.proposal FROM gates g JOIN runs r ON r.run_id = g.run_id WHERE r.blueprint = 'investigate'`
      branch = rows[0]?.proposal ?? ''
      return branch !== ''
    })
    const calls = await here.sql`SELECT tool, state FROM tool_calls WHERE agent = 'investigator'`
    expect(calls).toEqual([{ tool: 'host.look', state: 'succeeded' }])
    let found: { proposal_id?: string; id?: string } | undefined
    await until('the proposal to be listed', async () => {
      const { body } = await here.ask('GET', '/api/v1/proposals')
      found = (body['items'] as { proposal_id?: string; id?: string }[])[0]
      return found !== undefined
    })
    const merged = await here.post(`/api/v1/proposals/${found!.proposal_id ?? found!.id}/merge`, {})
    expect(merged.status).toBeLessThan(300)
    await until('the run to end', async () => (await run())!.status === 'completed')
    expect((await run())!.outputs).toMatchObject({ agrees: true, cause: expect.any(String) })
    const asked = await here.sql<{ agent: string; provider_type: string }[]>`
      SELECT DISTINCT agent, provider_type FROM model_calls ORDER BY agent`
    expect(asked).toEqual([
      { agent: 'investigator', provider_type: 'scripted' },
      { agent: 'verifier', provider_type: 'scripted' },
    ])
  })
})
