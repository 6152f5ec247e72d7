import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { createRun } from '../../src/runs/start/create.ts'
import type { Sql } from '../../src/store/database.ts'
import { allStatements } from '../../src/store/journal/statement.ts'
import { TABLES } from '../../src/store/journal/tables.ts'
import { Journal, type StepRow, type Transition } from '../../src/store/journal.ts'
import { appendEvents, logHead, readEvents, verifyLog } from '../../src/store/log.ts'
import { insertInboxRow } from '../../src/store/queries/inbox.ts'
import { claimRuns, getRun, type RunRow } from '../../src/store/queries/runs.ts'
import { stepIdOf, stepsOfRuns } from '../../src/store/queries/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, openTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf } from '../support/run-stack.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')
const blueprint = blueprintOf('plain', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] })

/** Runs that this store owns. */
async function ownedRuns(store: Store, count: number): Promise<RunRow[]> {
  await transact(store, async (tx) => {
    for (let i = 0; i < count; i++) {
      const result = await createRun(tx, NOW, {
        blueprint,
        name: null,
        inputs: {},
        trigger: 'manual',
        event: null,
        dedupeKey: null,
        priority: 0,
        actor: 'user:ada',
        correlationId: 'c',
        envId: 'default',
      })
      if (result.kind !== 'created') throw new Error('not created')
      await appendEvents(tx, store, [result.event])
    }
  })
  return claimRuns(store.engine, store.writer.id, NOW, count)
}

function step(run: RunRow, path: string, change: Partial<StepRow> = {}): StepRow {
  return {
    run_id: run.run_id,
    path,
    attempt: 1,
    step_id: stepIdOf(run.run_id, path, 1),
    kind: 'transform',
    status: 'completed',
    inputs: null,
    outputs: { path },
    error: null,
    condition: null,
    started_at: NOW,
    completed_at: NOW,
    next_attempt_at: null,
    ...change,
  }
}

function transition(run: RunRow, change: Partial<Transition> = {}): Transition {
  return {
    run_id: run.run_id,
    run: null,
    steps: [],
    gates: [],
    effects: [],
    tasks: [],
    taskCancels: [],
    waits: [],
    waitEnds: [],
    consumed: [],
    events: (change.steps ?? []).map((row) => ({
      event_id: uuidv7(),
      event_name: 'stateward.run.step.completed',
      occurred_at: NOW,
      env_id: 'default',
      actor: 'user:ada',
      correlation_id: 'c',
      run_id: run.run_id,
      step_id: row.step_id,
      resource: { type: 'Run', id: run.run_id },
      data: { step: row.path },
    })),
    ...change,
  }
}

function runUpdate(run: RunRow, change: Partial<NonNullable<Transition['run']>> = {}): NonNullable<Transition['run']> {
  return {
    run_id: run.run_id,
    from: ['created'],
    status: 'running',
    release: false,
    signals: run.signals,
    now: NOW,
    wake_at: null,
    outputs: null,
    error: null,
    condition: null,
    started_at: NOW,
    completed_at: null,
    deadline: null,
    ...change,
  }
}

const batchesOf = (store: Store) =>
  store.reader<{ n: number }[]>`SELECT n FROM log_batches WHERE writer = ${store.writer.id}`

describe('the journal', () => {
  let store: TestStore
  let journal: Journal
  beforeAll(async () => {
    store = await createTestStore()
    journal = new Journal(store)
  })
  afterAll(() => store.end())

  it('writes what gathers meanwhile in one batch, and the chain of the log holds', async () => {
    const runs = await ownedRuns(store, 20)
    const before = (await batchesOf(store)).length
    await Promise.all(runs.map((run) => journal.append(transition(run, { steps: [step(run, 'a'), step(run, 'b')] }))))
    expect((await batchesOf(store)).length - before).toBe(1)
    const steps = await stepsOfRuns(
      store.reader,
      runs.map(({ run_id }) => run_id),
    )
    expect(steps).toHaveLength(40)
    const events = await readEvents(store.reader, {
      runId: runs[0]!.run_id,
      name: 'stateward.run.step.completed',
      limit: 10,
    })
    expect(events.map(({ data }) => data['step'])).toEqual(['a', 'b'])
    expect(await verifyLog(store.reader)).toMatchObject({ ok: true })
  })

  it('folds the moves of one run in a batch: its last state, from where the first one started', async () => {
    const [run] = await ownedRuns(store, 1)
    await Promise.all([
      journal.append(
        transition(run!, {
          run: runUpdate(run!),
          steps: [step(run!, 'a', { status: 'running', outputs: null, completed_at: null })],
        }),
      ),
      journal.append(
        transition(run!, {
          run: runUpdate(run!, {
            from: ['running'],
            status: 'completed',
            release: true,
            outputs: { x: [1, 'ä"\\,{}', null] },
            completed_at: NOW,
          }),
          steps: [step(run!, 'a')],
        }),
      ),
    ])
    expect(await getRun(store.reader, run!.run_id)).toMatchObject({
      status: 'completed',
      owner: null,
      wake_at: null,
      outputs: { x: [1, 'ä"\\,{}', null] },
    })
    expect(await stepsOfRuns(store.reader, [run!.run_id])).toMatchObject([
      { path: 'a', status: 'completed', outputs: { path: 'a' } },
    ])
  })

  it('finds what the database refuses, rejects it with its run alone and writes the others', async () => {
    const runs = await ownedRuns(store, 9)
    const bad = runs[4]!
    const answers = await Promise.allSettled([
      ...runs.map((run) =>
        journal.append(
          transition(run, {
            steps: [run === bad ? step(run, 'a', { status: 'bogus' as 'completed' }) : step(run, 'a')],
          }),
        ),
      ),
      journal.append(transition(bad, { steps: [step(bad, 'b')] })),
    ])
    expect(answers.map(({ status }) => status)).toEqual(
      runs.map((run) => (run === bad ? 'rejected' : 'fulfilled')).concat('rejected'),
    )
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'storage_error' })
    const written = await stepsOfRuns(
      store.reader,
      runs.map(({ run_id }) => run_id),
    )
    expect(new Set(written.map(({ run_id }) => run_id)).size).toBe(8)
    // Until its owner has loaded it again, nothing of that run is taken.
    await expect(journal.append(transition(bad, { steps: [step(bad, 'c')] }))).rejects.toMatchObject({
      code: 'storage_error',
    })
    journal.readmit(bad.run_id)
    await journal.append(transition(bad, { steps: [step(bad, 'c')] }))
    expect(await verifyLog(store.reader)).toMatchObject({ ok: true })
  })

  it('writes nothing of a run that is not ours or not in the state it starts from', async () => {
    const [run, other] = await ownedRuns(store, 2)
    const wrongState = transition(run!, { run: runUpdate(run!, { from: ['running'] }), steps: [step(run!, 'a')] })
    const answers = await Promise.allSettled([
      journal.append(wrongState),
      journal.append(transition(other!, { steps: [step(other!, 'a')] })),
    ])
    expect(answers).toMatchObject([{ status: 'rejected', reason: { code: 'conflict' } }, { status: 'fulfilled' }])
    expect(await stepsOfRuns(store.reader, [run!.run_id])).toEqual([])
    await store.engine`UPDATE runs SET owner = NULL WHERE run_id = ${other!.run_id}`
    await expect(journal.append(transition(other!, { run: runUpdate(other!) }))).rejects.toMatchObject({
      code: 'conflict',
    })
    journal.readmit(run!.run_id)
    journal.readmit(other!.run_id)
  })

  it('never changes a step that has ended', async () => {
    const [run] = await ownedRuns(store, 1)
    await journal.append(transition(run!, { steps: [step(run!, 'a')] }))
    await journal.append(transition(run!, { steps: [step(run!, 'a', { status: 'failed', outputs: null })] }))
    expect(await stepsOfRuns(store.reader, [run!.run_id])).toMatchObject([
      { status: 'completed', outputs: { path: 'a' } },
    ])
  })

  it('does not let a run sleep over a message that came while it was being parked', async () => {
    const [run, quiet] = await ownedRuns(store, 2)
    await transact(store, (tx) =>
      insertInboxRow(tx, {
        id: uuidv7(),
        run_id: run!.run_id,
        kind: 'cancel',
        path: null,
        payload: {},
        actor: 'user:ada',
        created_at: NOW,
      }),
    )
    const parked = (of: RunRow) =>
      transition(of, { run: runUpdate(of, { release: true, wake_at: new Date('2031-01-01') }) })
    await Promise.all([journal.append(parked(run!)), journal.append(parked(quiet!))])
    expect(await getRun(store.reader, run!.run_id)).toMatchObject({ owner: null, wake_at: NOW })
    expect(await getRun(store.reader, quiet!.run_id)).toMatchObject({ owner: null, wake_at: new Date('2031-01-01') })
  })

  it('drops a task together with the move that would have created it in the same batch', async () => {
    const [run] = await ownedRuns(store, 1)
    const step_id = stepIdOf(run!.run_id, 'ask', 1)
    const task = {
      task_id: uuidv7(),
      namespace: 'default',
      agent: 'sre',
      run_id: run!.run_id,
      step_id,
      path: 'ask',
      prompt: 'why',
      inputs: {},
      output_schema: null,
      deadline: null,
      keep_workspace: false,
      expected_rows: null,
      correlation_id: 'c',
      created_at: NOW,
    }
    await Promise.all([
      journal.append(transition(run!, { tasks: [task] })),
      journal.append(transition(run!, { taskCancels: [{ run_id: run!.run_id, step_id, completed_at: NOW }] })),
    ])
    expect(await store.reader`SELECT 1 FROM tasks WHERE run_id = ${run!.run_id}`).toHaveLength(0)
  })

  it('keeps the order of a run beyond the limits of its queue, and says when it is full', async () => {
    const small = new Journal(store, { limits: { transitions: 5, bytes: 1024 * 1024, transitionBytes: 1024 } })
    const [run] = await ownedRuns(store, 1)
    const durable: number[] = []
    const appended = Array.from({ length: 30 }, (_, i) =>
      small.append(transition(run!, { steps: [step(run!, `s${i}`)] })).then(() => durable.push(i)),
    )
    expect(small.isFull).toBe(true)
    await Promise.all(appended)
    expect(durable).toEqual(Array.from({ length: 30 }, (_, i) => i))
    await expect(
      small.append(transition(run!, { steps: [step(run!, 'big', { outputs: 'x'.repeat(2000) })] })),
    ).rejects.toMatchObject({
      code: 'storage_error',
    })
    await small.settled()
  })

  it('settles a connection that was lost around the commit by looking into the log', async () => {
    const [run] = await ownedRuns(store, 1)
    const { database } = store
    const killer = await openTestStore(database, { host: 'killer' })
    const kill = () =>
      killer.engine`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
                    AND application_name LIKE '%engine' AND pid = ANY(${pids}::int[])`
    const pids = (
      await store.reader<{ pid: number }[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%engine'`
    ).map(({ pid }) => pid)
    const appended = Array.from({ length: 200 }, (_, i) =>
      journal.append(transition(run!, { steps: [step(run!, `k${i}`)] })),
    )
    await kill().catch(() => undefined)
    await Promise.all(appended)
    const steps = await stepsOfRuns(store.reader, [run!.run_id])
    expect(steps).toHaveLength(200)
    const events = await readEvents(store.reader, {
      runId: run!.run_id,
      name: 'stateward.run.step.completed',
      limit: 500,
    })
    expect(events).toHaveLength(200)
    await killer.end()
  })

  it('writes nothing and takes nothing more when another process took its lease', async () => {
    let told = 0
    const losing = await openTestStore(store.database, { host: 'losing', onLeaseLost: () => told++ })
    const doomed = new Journal(losing)
    const [run] = await ownedRuns(losing, 1)
    await store.engine`DELETE FROM writers WHERE id = ${losing.writer.id}`
    const before = await logHead(store.reader)
    await expect(doomed.append(transition(run!, { steps: [step(run!, 'late')] }))).rejects.toMatchObject({
      code: 'lease_lost',
    })
    await expect(doomed.append(transition(run!, { steps: [step(run!, 'later')] }))).rejects.toMatchObject({
      code: 'lease_lost',
    })
    expect(told).toBe(1)
    expect(await logHead(store.reader)).toEqual(before)
    expect(await getRun(store.reader, run!.run_id)).toMatchObject({ owner: null })
    await losing.end()
  })
})

describe('the statements of the journal', () => {
  it('never scan a table, and find rows by their own key, even when prepared while all tables were empty', async () => {
    const store = await createTestStore()
    const session = (await store.engine.reserve()) as Sql & { release: () => void }
    try {
      for (const [i, { tables, text }] of allStatements().entries()) {
        await session.unsafe(`PREPARE journal${i} AS ${text}`)
        const columns = tables.flatMap((table) => TABLES[table].map(() => "'{}'"))
        const values = [`'${store.writer.id}'`, '1', '0', '0', "''", "''", ...columns].join(', ')
        const rows = await session.unsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN EXECUTE journal${i} (${values})`)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan).toContain('Index Scan using writers_pkey')
        if (tables.includes('moved')) expect(plan.match(/Index Scan using runs_pkey/g)).toHaveLength(2)
        if (tables.includes('consumed')) expect(plan).toContain('Index Scan using run_inbox_pkey')
        expect(plan).not.toMatch(/Seq Scan|Hash Join|Merge Join|Bitmap/)
      }
    } finally {
      session.release()
      await store.end()
    }
  })
})
