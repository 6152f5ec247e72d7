import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { ALERT_STATES } from '../../src/lifecycle/alert.ts'
import { BREAKER_STATES } from '../../src/lifecycle/breaker.ts'
import { GATE_STATES, gateTable } from '../../src/lifecycle/gate.ts'
import { INSTANCE_STATES } from '../../src/lifecycle/instance.ts'
import { INTERVENTION_STATES } from '../../src/lifecycle/intervention.ts'
import { PROPOSAL_STATES } from '../../src/lifecycle/proposal.ts'
import { RUN_STATES } from '../../src/lifecycle/run.ts'
import { STEP_STATES, stepTable } from '../../src/lifecycle/step.ts'
import { finalStates } from '../../src/lifecycle/table.ts'
import { TASK_STATES } from '../../src/lifecycle/task.ts'
import { createRun } from '../../src/runs/start/create.ts'
import { type GateRow, Journal, type StepRow, type Transition } from '../../src/store/journal.ts'
import { appendEvents } from '../../src/store/log.ts'
import { claimRuns, getRun, type RunRow } from '../../src/store/queries/runs.ts'
import { stepIdOf } from '../../src/store/queries/steps.ts'
import { transact } from '../../src/store/transact.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { blueprintOf } from '../support/run-stack.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')

describe('the lifecycles in SQL', () => {
  let store: TestStore
  let journal: Journal
  let run: RunRow
  beforeAll(async () => {
    store = await createTestStore()
    journal = new Journal(store)
    run = await ownedRun()
  })
  afterAll(() => store.end())

  async function ownedRun(): Promise<RunRow> {
    const request = {
      blueprint: blueprintOf('plain', { plan: [{ id: 'one', kind: 'transform', expression: '1' }] }),
      ...{ name: null, inputs: {}, trigger: 'manual', event: null, dedupeKey: null, priority: 0 },
      ...{ actor: 'user:ada', correlationId: 'c', envId: 'default' },
    }
    await transact(store, async (tx) => {
      const result = await createRun(tx, NOW, request)
      if (result.kind === 'created') await appendEvents(tx, store, [result.event])
    })
    const [row] = await claimRuns(store.engine, store.writer.id, NOW, 1)
    return row!
  }
  const transition = (change: Partial<Transition>): Transition => ({
    run_id: run.run_id,
    run: null,
    ...{ steps: [], gates: [], effects: [], tasks: [], taskCancels: [], waits: [], waitEnds: [], consumed: [] },
    events: [
      {
        event_id: uuidv7(),
        event_name: 'test.moved',
        occurred_at: NOW,
        ...{ env_id: 'default', actor: 'user:ada', correlation_id: 'c' },
        ...{ run_id: run.run_id, resource: { type: 'Run', id: run.run_id }, data: {} },
      },
    ],
    ...change,
  })
  const stepRow = (path: string, status: StepRow['status']): StepRow => ({
    run_id: run.run_id,
    path,
    attempt: 1,
    step_id: stepIdOf(run.run_id, path, 1),
    kind: 'gate',
    status,
    ...{ inputs: null, outputs: null, error: null, condition: null },
    ...{ started_at: NOW, completed_at: NOW, next_attempt_at: null },
  })

  it.each([
    ['runs', 'status', RUN_STATES],
    ['steps', 'status', STEP_STATES],
    ['gates', 'state', GATE_STATES],
    ['tasks', 'status', TASK_STATES],
    ['instances', 'state', INSTANCE_STATES],
    ['interventions', 'state', INTERVENTION_STATES],
    ['alerts', 'state', ALERT_STATES],
    ['breakers', 'state', BREAKER_STATES],
    ['proposals', 'state', PROPOSAL_STATES],
  ])('the column of %s (%s) takes the states of its table and no others', async (table, column, states) => {
    const [check] = await store.engine<{ text: string }[]>`
      SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint
      WHERE conrelid = ${table}::regclass AND conname = ${`${table}_${column}_check`}`
    expect([...check!.text.matchAll(/'([a-z_]+)'::text/g)].map(([, state]) => state)).toEqual([...states])
  })

  it('a step leaves a state only where the table has an event that does', async () => {
    for (const from of STEP_STATES) {
      for (const to of STEP_STATES) {
        const path = `${from}_${to}`
        await store.engine`
          INSERT INTO steps (run_id, path, attempt, step_id, kind, status)
          VALUES (${run.run_id}, ${path}, 1, ${stepIdOf(run.run_id, path, 1)}, 'gate', ${from})`
        await journal.append(transition({ steps: [stepRow(path, to)] }))
        const [row] = await store.engine<{ status: string }[]>`
          SELECT status FROM steps WHERE run_id = ${run.run_id} AND path = ${path}`
        expect([from, to, row!.status]).toEqual([from, to, finalStates(stepTable).includes(from) ? from : to])
      }
    }
  })

  it('a gate leaves a state only where the table has an event that does', async () => {
    for (const from of GATE_STATES) {
      for (const to of GATE_STATES) {
        const path = `gate_${from}_${to}`
        const gate: GateRow = {
          step_id: stepIdOf(run.run_id, path, 1),
          run_id: run.run_id,
          path,
          mode: 'manual',
          approvers: [],
          min_approvals: 1,
          input_schema: null,
          self_approval: true,
          input_digest: 'd',
          proposal: null,
          state: 'waiting',
          timeout_at: null,
          created_at: NOW,
          decided_at: null,
        }
        await journal.append(transition({ steps: [stepRow(path, 'running')], gates: [gate] }))
        await store.engine`UPDATE gates SET state = ${from} WHERE step_id = ${gate.step_id}`
        await journal.append(transition({ gates: [{ ...gate, state: to }] }))
        const [row] = await store.engine<{ state: string }[]>`SELECT state FROM gates WHERE step_id = ${gate.step_id}`
        expect([from, to, row!.state]).toEqual([from, to, finalStates(gateTable).includes(from) ? from : to])
      }
    }
  })

  it('a run moves only from the state its move began in', async () => {
    for (const from of RUN_STATES) {
      const own = await ownedRun()
      await store.engine`UPDATE runs SET status = ${from} WHERE run_id = ${own.run_id}`
      const wrong = RUN_STATES.filter((state) => state !== from)
      const update: NonNullable<Transition['run']> = {
        run_id: own.run_id,
        from: wrong,
        status: 'failed',
        ...{ release: false, signals: 0, now: NOW, wake_at: null, outputs: null, error: null },
        ...{ condition: null, started_at: NOW, completed_at: NOW, deadline: null },
      }
      const move = { ...transition({}), run_id: own.run_id, events: [], run: update }
      await expect(journal.append(move)).rejects.toMatchObject({ ref: expect.stringMatching(/^SW_/) })
      expect(await getRun(store.engine, own.run_id)).toMatchObject({ status: from })
    }
  })
})
