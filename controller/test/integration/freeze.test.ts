import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
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

/** Two steps: the first waits for a person, so that the second is what a freeze is about. */
const WORK = manifest('Blueprint', 'work', {
  triggers: [{ event: 'thing.happened' }],
  plan: [
    { id: 'ask', kind: 'gate', mode: 'manual' },
    { id: 'do', kind: 'action_task', action: 'process.run', with: { command: ['true'] } },
  ],
})
const STATE = { 'a.yaml': agent('a', PER_TASK), 'work.yaml': WORK }
const runs = async (here: Installation) =>
  here.sql<{ name: string; status: string }[]>`SELECT name, status FROM runs ORDER BY created_at`
const steps = async (here: Installation) =>
  (await here.sql<{ path: string }[]>`SELECT path FROM steps WHERE status IN ('running', 'completed')`).map(
    ({ path }) => path,
  )
const emit = (here: Installation) => here.post('/api/v1/events', { event_name: 'thing.happened', data: {} })
const gateOf = (run: string) => `/api/v1/gates/${run}.ask/approve`

describe('a frozen fleet', () => {
  it('begins nothing, says so, and goes on where it was', async () => {
    const here = await started(STATE)
    expect((await here.post('/api/v1/runs', { blueprint_ref: 'work' })).status).toBe(201)
    const [run] = await until('the run to wait', async () => {
      const found = await runs(here)
      return (await steps(here)).includes('ask') && found
    })
    const frozen = await here.post('/api/v1/fleet/freeze', { reason: 'runaway' })
    expect(frozen).toMatchObject({ status: 200, body: { frozen: true, by: 'user:ada', reason: 'runaway' } })
    expect((await here.post('/api/v1/fleet/freeze', {})).body['reason']).toBe('runaway')

    expect(await here.post('/api/v1/runs', { blueprint_ref: 'work' })).toMatchObject({
      status: 423,
      body: { error: { code: 'frozen', message: 'the fleet is frozen by user:ada: runaway' } },
    })
    const suspended = await here.untilCondition('Agent/default/a', 'Suspended', 'True')
    expect(suspended.message).toBe('the fleet is frozen by user:ada: runaway')
    await emit(here)
    await here.post(gateOf(run!.name), {})
    await here.stop()
    await here.start()
    // A second in which everything that could begin would have.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await runs(here)).toHaveLength(1)
    expect(await steps(here)).toEqual(['ask'])
    expect((await here.ask('GET', '/api/v1/fleet')).body).toMatchObject({ frozen: true })

    expect((await here.post('/api/v1/fleet/unfreeze', { reason: 'found it' })).body).toMatchObject({ frozen: false })
    await until('the run to end', async () => (await runs(here))[0]?.status === 'completed')
    // What came meanwhile was not lost.
    await until('the run of the event', async () => (await runs(here)).length === 2)
    await until('the agent to go on', () => here.condition('Agent/default/a', 'Suspended') === null)
    const names = (await here.events()).map(({ event_name }) => event_name)
    expect(names.filter((name) => name.startsWith('stateward.fleet.'))).toEqual([
      'stateward.fleet.frozen',
      'stateward.fleet.unfrozen',
    ])
  })

  it('holds in every process', async () => {
    const here = await started(STATE)
    await here.post('/api/v1/fleet/freeze', {})
    expect(here.stateward.world.frozen).toContain('frozen')
    await here.sql`INSERT INTO freezes VALUES (gen_random_uuid(), false, 'user:bob', null, 'c', now() + interval '1 second')`
    await until('it to be noticed', () => here.stateward.world.frozen === null)
  })
})
