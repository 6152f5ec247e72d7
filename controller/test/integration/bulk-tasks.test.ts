import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { asAda, type Call, joinAs } from '../support/bus-agents.ts'
import { agent, manifest } from '../support/state-files.ts'
import { createInstallation, type Installation, SLEEPER } from '../support/stateward.ts'

/** What it was told of the database, so that nobody reads it: what an agent prints is redacted. */
const TOLD = `cat >/dev/null; printf '{"told":"%s"}' "$(printf %s "\${STATEWARD_DATABASE_URL:-nothing}" | sha256sum | cut -c1-64)"`
const told = (text: string) => ({ told: createHash('sha256').update(text).digest('hex') })
const DSN = 'postgres://bulk:s3cret@127.0.0.1:5432/state'

const host = (labels: Record<string, string>) => manifest('Host', 'local', { labels })

let here: Installation
let ada: Call
beforeAll(async () => {
  here = await createInstallation({
    'host.yaml': host({ zone: 'here' }),
    'clerk.yaml': agent('clerk', {
      runtime: { process: { command: ['sh', '-c', TOLD], mode: 'perTask' } },
      replicas: 2,
    }),
    'daemon.yaml': agent('daemon', { ...SLEEPER, replicas: 0, heartbeat: { interval: '1h', timeout: '24h' } }),
    'import.yaml': manifest('Blueprint', 'import', {
      plan: [{ id: 'load', kind: 'agent_task', agent: 'clerk', prompt: 'Load it', expectedRows: 5000 }],
    }),
  })
  await here.start({ limitsPerPrincipal: '100000', agentDatabaseUrl: DSN })
  ada = asAda(here)
})
afterAll(() => here.end())

const ask = async (agentName: string, rows: number | null) =>
  (
    await ada('POST', '/tasks', {
      agent: agentName,
      prompt: 'count',
      ...(rows === null ? {} : { expected_rows: rows }),
    })
  ).body
const read = async (id: string) => (await ada('GET', `/tasks/${id}`)).body
const ended = (id: string) =>
  until('the task to end', async () => {
    const task = await read(id)
    return ['completed', 'failed'].includes(task.status) ? task : null
  })

it('bulk work goes to hosts of the database alone, and nobody else is told where the database is', async () => {
  const bulk = await ask('clerk', 100)
  expect(bulk).toMatchObject({
    expected_rows: 100,
    placement: { required_host: 'database_host', access_method: 'direct_postgresql', result_delivery: 'bus_api' },
  })
  const few = await ask('clerk', 99)
  expect(few.placement).toEqual({ required_host: null, access_method: 'bus_api', result_delivery: 'bus_api' })
  expect(await ended(few.task_id)).toMatchObject({ status: 'completed', output: told('nothing') })
  expect((await read(bulk.task_id)).status).toBe('queued')

  const worker = await joinAs(here, 'daemon', 1)
  const large = await ask('daemon', 5000)
  const small = await ask('daemon', null)
  expect((await worker.pickup(2)).map(({ task_id, data_access }) => [task_id, data_access])).toEqual([
    [small.task_id, 'bus'],
  ])

  await here.apply({ 'host.yaml': host({ zone: 'here', database: 'true' }) })
  expect(await ended(bulk.task_id)).toMatchObject({ status: 'completed', output: told(DSN) })
  expect(await ended((await ask('clerk', 1)).task_id)).toMatchObject({ output: told('nothing') })
  // Its host is no host of the database still.
  expect(await worker.pickup(2)).toEqual([])
  await here.sql`UPDATE instances SET host = 'local' WHERE id = ${worker.instanceId}`
  const picked = await until('the large one', async () => (await worker.pickup(2))[0])
  expect(picked).toMatchObject({ task_id: large.task_id, data_access: 'bulk' })
})

it('a run whose step is bulk work says that it waits for a host of the database', async () => {
  await here.apply({ 'host.yaml': host({ zone: 'here' }) })
  const { body: started } = await ada('POST', '/api/v1/runs', { blueprint_ref: 'import' })
  const path = `/api/v1/runs/${started.run_id}`
  const run = await until('the run to wait', async () => {
    const { body } = await ada('GET', path)
    return body.condition?.reason === 'DatabaseHostRequired' ? body : null
  })
  const message = 'bulk work needs a host labelled database: "true", and there is none'
  expect(run).toMatchObject({ status: 'running', condition: { message: `step load: ${message}` } })
  const { body: steps } = await ada('GET', `${path}/steps`)
  expect(steps.items).toMatchObject([{ status: 'running', condition: { reason: 'DatabaseHostRequired', message } }])
  const { body: events } = await ada(
    'GET',
    `/api/v1/events?run_id=${run.run_id}&event_name=stateward.run.step.unplaced`,
  )
  expect(events.items).toMatchObject([{ data: { step: 'load', reason: 'DatabaseHostRequired', message } }])

  await here.apply({ 'host.yaml': host({ zone: 'here', database: 'true' }) })
  const done = await until('the run to end', async () => {
    const { body } = await ada('GET', path)
    return body.status === 'completed' ? body : null
  })
  expect(done.condition).toBeNull()
})

it('a step says how much work it is', async () => {
  const { body: run } = await ada('POST', '/api/v1/runs', { blueprint_ref: 'import' })
  expect(run).toMatchObject({ blueprint_ref: 'import' })
  const [task] = await until('its task', async () => {
    const rows = await here.sql<{ task_id: string; expected_rows: number }[]>`
      SELECT task_id, expected_rows FROM tasks WHERE run_id = ${run.run_id}`
    return rows.length === 0 ? null : rows
  })
  expect(task!.expected_rows).toBe(5000)
  expect(await ended(task!.task_id)).toMatchObject({ status: 'completed', output: told(DSN) })
})
