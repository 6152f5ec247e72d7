import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSite, type ServerProcess, type Site } from '../support/server-processes.ts'

/** Three real processes on one database: `lead` reconciles and serves the API, two workers move runs. */

let site: Site
let lead: ServerProcess
let workers: ServerProcess[]

beforeAll(async () => {
  site = await createSite()
  lead = await site.start('controller,api')
  workers = await Promise.all([site.start('worker'), site.start('worker')])
}, 60_000)
afterAll(() => site?.end())

const start = async (blueprint: string, server = lead): Promise<string> => {
  const { status, body } = await site.post(server, '/api/v1/runs', { blueprint_ref: blueprint })
  expect(status, JSON.stringify(body)).toBe(201)
  return String(body['run_id'])
}
const runOf = async (id: string) => {
  const [run] = await site.sql<{ status: string; owner: string | null; reason: string | null }[]>`
    SELECT status, owner, condition ->> 'reason' AS reason FROM runs WHERE run_id = ${id}`
  return run!
}
const completed = (id: string) =>
  site.until(
    () => runOf(id),
    (run) => run.status === 'completed',
    `the end of run ${id}`,
  )
const begun = (id: string, step: string) =>
  site.until(
    () => site.effects(),
    (lines) => lines.includes(`${id} ${step}`),
    `effect ${step} of run ${id}`,
  )
const ownerOf = async (id: string): Promise<ServerProcess> => {
  const { owner } = await runOf(id)
  return workers.find(({ writer }) => writer === owner)!
}
/** Writers in the order in which they wrote events of a run. */
const writersOf = (id: string) =>
  site.sql<{ writer: string; first: number; last: number }[]>`
    SELECT b.writer, min(e.seq) AS first, max(e.seq) AS last FROM events e
    JOIN log_batches b ON e.seq BETWEEN b.first_seq AND b.last_seq
    WHERE e.run_id = ${id} AND e.event_name LIKE 'stateward.run.step.%' GROUP BY b.writer ORDER BY 2`
const times = (line: string) => site.effects().filter((each) => each === line).length
const replace = async (gone: ServerProcess): Promise<void> => {
  await gone.exited
  workers = [...workers.filter((worker) => worker !== gone), await site.start('worker')]
}

describe('processes on one database', () => {
  it('share the work: only workers move runs, and nothing happens twice', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => start('quick')))
    for (const id of ids) await completed(id)
    for (const id of ids) for (const step of ['a', 'b', 'c']) expect(times(`${id} ${step}`)).toBe(1)
    const moved = await site.sql<{ writer: string; runs: number }[]>`
      SELECT b.writer, count(DISTINCT e.run_id) AS runs FROM events e JOIN log_batches b ON e.seq BETWEEN b.first_seq AND b.last_seq
      WHERE e.event_name = 'stateward.run.step.completed' GROUP BY b.writer`
    expect(moved.map(({ writer }) => writer).sort()).toEqual(workers.map(({ writer }) => writer).sort())
    for (const id of ids) expect(await writersOf(id)).toHaveLength(1)
  })

  it('are shown with their roles, what they lead, and their runs', async () => {
    const workersOf = async () => {
      const response = await fetch(`${lead.url}/kube/apis/stateward.dev/v1alpha1/workers`)
      return ((await response.json()) as { items: { metadata: { uid: string }; status: object; spec: object }[] }).items
    }
    const shown = new Map((await workersOf()).map((item) => [item.metadata.uid, item]))
    expect([...shown.keys()].sort()).toEqual([lead, ...workers].map(({ writer }) => writer).sort())
    expect(shown.get(lead.writer)).toMatchObject({
      spec: { pid: lead.pid, maxRuns: 0 },
      status: { phase: 'Live', roles: 'controller,api', leads: 'controller,host/local', runs: 0 },
    })
    expect(shown.get(workers[0]!.writer)).toMatchObject({
      spec: { maxRuns: 1000 },
      status: { phase: 'Live', roles: 'worker', leads: '' },
    })
    const metrics = await (await fetch(`${lead.url}/metrics`)).text()
    expect(metrics).toContain('stateward_processes{role="worker"} 2')
    expect(metrics).toContain('stateward_leader 1')
    expect(metrics).toContain('stateward_open_runs{state="due"} 0')
  })

  it('ask next to nothing while they are idle', async () => {
    // Statistics of the server count what is over much later: what runs is looked at instead.
    const queries = new Set<string>()
    const end = performance.now() + 10_000
    while (performance.now() < end) {
      const rows = await site.sql<{ query: string }[]>`
        SELECT concat_ws(' ', pid, query_start) AS query FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`
      for (const { query } of rows) queries.add(query)
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    console.log(`three idle processes with a lease of 3 s: ${queries.size / 10} queries a second`)
    // Each renews its lease once a second here, three in all; the default lease is ten times as long. The rest are the
    // backstops of a dozen parts that are told where to look, and look for themselves now and then.
    expect(queries.size).toBeLessThan(120)
  }, 60_000)

  it('start runs of events that any of them was told', async () => {
    const { status, body } = await site.post(lead, '/api/v1/events', { event_name: 'test.wanted', data: {} })
    expect(status, JSON.stringify(body)).toBe(201)
    const [run] = await site.until(
      () => site.sql<{ run_id: string }[]>`SELECT run_id FROM runs WHERE trigger_event IS NOT NULL`,
      (rows) => rows.length > 0,
      'the run of an event',
    )
    await completed(run!.run_id)
  })

  it('hand what comes to a run to whoever owns it: a decision, and a cancellation while a tool runs', async () => {
    const gated = await start('gated')
    await site.until(
      () => runOf(gated),
      ({ reason }) => reason === 'WaitingForApproval',
      'the gate',
    )
    expect((await runOf(gated)).owner).toBeNull()
    const [gate] = await site.sql<{ step_id: string }[]>`SELECT step_id FROM gates WHERE run_id = ${gated}`
    const decisions = await Promise.all(
      [1, 2, 3].map(() => site.post(lead, `/api/v1/gates/${gate!.step_id}/approve`, {})),
    )
    expect(decisions.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    await completed(gated)
    expect(times(`${gated} after`)).toBe(1)

    const slow = await start('slow')
    await begun(slow, 'long')
    expect(await ownerOf(slow)).toBeDefined()
    expect((await site.post(lead, `/api/v1/runs/${slow}/cancel`, {})).status).toBe(200)
    await site.until(
      () => runOf(slow),
      ({ status }) => status === 'cancelled',
      'the cancellation',
    )
    expect(times(`${slow} after`)).toBe(0)
    const inbox = await site.sql`
      SELECT kind, consumed_at IS NOT NULL AS consumed FROM run_inbox WHERE run_id IN (${gated}, ${slow}) ORDER BY kind`
    expect(inbox).toEqual([
      { kind: 'approve', consumed: true },
      { kind: 'cancel', consumed: true },
    ])
  })

  it('hand runs over when one ends: nobody waits for its lease', async () => {
    const slow = await start('slow')
    await begun(slow, 'long')
    const gone = await ownerOf(slow)
    const [other] = workers.filter((worker) => worker !== gone)
    gone.signal('SIGTERM')
    await site.until(
      () => runOf(slow),
      ({ owner }) => owner === other!.writer,
      'the other worker to own the run',
    )
    expect(await gone.exited).toBe(0)
    expect(await site.sql`SELECT 1 FROM writers WHERE id = ${gone.writer}`).toEqual([])
    await completed(slow)
    expect(times(`${slow} before`)).toBe(1)
    expect(times(`${slow} after`)).toBe(1)
    await replace(gone)
  }, 60_000)

  it('take over from one that was killed, behind its last recorded step', async () => {
    const slow = await start('slow')
    await begun(slow, 'long')
    const gone = await ownerOf(slow)
    gone.signal('SIGKILL')
    await completed(slow)
    expect(times(`${slow} before`)).toBe(1)
    expect(times(`${slow} after`)).toBe(1)
    // Idempotent, and its outcome unknown: it began again.
    expect(times(`${slow} long`)).toBe(2)
    expect((await writersOf(slow)).map(({ writer }) => writer)).toEqual([
      gone.writer,
      workers.find((worker) => worker !== gone)!.writer,
    ])
    await replace(gone)
  }, 60_000)

  it('take over from one that stood still; awake, it writes nothing and ends', async () => {
    const slow = await start('slow')
    await begun(slow, 'long')
    const zombie = await ownerOf(slow)
    zombie.signal('SIGSTOP')
    await completed(slow)
    const before = await site.sql`SELECT max(n) AS n FROM log_batches WHERE writer = ${zombie.writer}`
    zombie.signal('SIGCONT')
    expect(await zombie.exited).toBe(70)
    expect(zombie.log()).toContain('another process took over the lease')
    expect(await site.sql`SELECT max(n) AS n FROM log_batches WHERE writer = ${zombie.writer}`).toEqual(before)
    expect(times(`${slow} before`)).toBe(1)
    expect(times(`${slow} after`)).toBe(1)
    const [first, second] = await writersOf(slow)
    expect(first!.last).toBeLessThan(second!.first)
    await replace(zombie)
  }, 60_000)
})
