import { expect } from 'vitest'
import type { CompiledPlan } from '../../src/blueprints/compiled-plan.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { advance, resumeSteps, takeMessages } from '../../src/runs/advance/advance.ts'
import { dueAt } from '../../src/runs/advance/pending.ts'
import { restoreNests } from '../../src/runs/advance/restore-nests.ts'
import { type Call, Move } from '../../src/runs/move/move.ts'
import { NO_POLICIES, type RunPolicies } from '../../src/runs/ports.ts'
import { compareRun, type Difference } from '../../src/runs/rebuild/compare.ts'
import { rebuildRun } from '../../src/runs/rebuild/fold.ts'
import { createdEvent, newRun, UNBEGUN } from '../../src/runs/start/create.ts'
import { type RunState, runStateOf } from '../../src/runs/state/run-state.ts'
import { runningNests, runningSteps, stepAt } from '../../src/runs/state/running.ts'
import type { StepContext } from '../../src/runs/steps/handler.ts'
import type { DecisionRow, EffectRow, GateRow, StepRow, TaskRow, WaitRow } from '../../src/store/journal.ts'
import type { LoggedEvent, NewEvent } from '../../src/store/ports.ts'
import type { InboxRow } from '../../src/store/queries/inbox.ts'
import type { RunRow } from '../../src/store/queries/runs.ts'

const ENV = { id: 'default', stage: 'dev', autonomy: 'supervised', class: 'product' }
const ENDED = ['completed', 'failed', 'skipped']

/**
 * A run whose database is a few maps: it can lose its owner at any time and be built again from the rows. Every move is
 * checked: no step starts before what it waits for has passed, and no row that has ended changes.
 */
export class RunBench {
  readonly steps = new Map<string, StepRow>()
  readonly gates = new Map<string, GateRow>()
  readonly effects = new Map<string, EffectRow>()
  readonly tasks = new Map<string, TaskRow>()
  readonly waits = new Map<string, WaitRow>()
  readonly called: string[] = []
  readonly #plan: CompiledPlan
  readonly #tool: (operationId: string, given: JsonObject) => Json
  readonly #policies: RunPolicies
  readonly decisions: DecisionRow[] = []
  readonly #events: LoggedEvent[] = []
  #row: RunRow
  #state: RunState
  #calls: Call[] = []
  #time = 0

  constructor(
    plan: CompiledPlan,
    inputs: JsonObject,
    tool: (operationId: string, given: JsonObject) => Json,
    policies: RunPolicies = NO_POLICIES,
  ) {
    this.#policies = policies
    this.#plan = plan
    this.#tool = tool
    const blueprint = {
      uid: '01900000-0000-7000-8000-000000000002',
      namespace: 'default',
      name: 'test',
      plan,
      digest: 'd',
      revision: 'r',
      suspended: false,
    }
    const request = {
      blueprint,
      name: 'test-1',
      inputs,
      trigger: 'manual',
      event: null,
      dedupeKey: null,
      priority: 0,
      actor: 'user:ada',
      correlationId: 'c',
      envId: 'default',
    }
    const run = newRun(request, new Date(0))
    this.#log(createdEvent(run, request, new Date(0)))
    this.#row = { ...run, ...UNBEGUN }
    this.#state = this.#load()
    this.#move(() => {})
  }

  get run(): RunRow {
    return this.#row
  }

  get underWay(): number {
    return this.#calls.length
  }

  get waitingGates(): readonly GateRow[] {
    return [...this.gates.values()].filter(({ state }) => state === 'waiting')
  }

  /** When something is due by itself; null = never. */
  get nextDue(): number | null {
    const move = this.#newMove()
    const steps = [...runningSteps(this.#state), ...runningNests(this.#state)]
    const times = [
      ...steps.filter(({ path }) => !this.#state.active.has(path)).map((step) => dueAt(move, step)),
      this.#row.deadline,
    ]
    const known = times.filter((time) => time !== null).map((time) => time.getTime())
    return known.length === 0 ? null : Math.min(...known)
  }

  /** The n-th call under way returns. */
  async finish(n: number): Promise<void> {
    const [call] = this.#calls.splice(n % this.#calls.length, 1)
    const record = await call!.begin(new AbortController().signal)
    this.#move((move) => {
      this.#state.active.delete(call!.path)
      record(move)
    })
  }

  /** Something comes to the inbox of the run. */
  deliver(message: Pick<InboxRow, 'kind' | 'path' | 'payload'>): void {
    const row = {
      ...message,
      id: uuidv7(this.#time),
      run_id: this.#row.run_id,
      actor: 'user:ada',
      created_at: new Date(this.#time),
    }
    this.#move((move) => takeMessages(move, [row], this.#context))
  }

  /** Time passes until then. */
  wait(until: number): void {
    this.#time = Math.max(this.#time, until)
    this.#move(() => {})
  }

  /** The process dies; calls under way are lost. */
  restart(): void {
    const before = this.#state
    this.#calls = []
    this.#state = this.#load()
    this.#move((move) => {
      restoreNests(move)
      expect([...this.#state.nests.keys()].filter((path) => !before.nests.has(path))).toEqual([])
      for (const [path, row] of this.#state.steps) {
        // When a loop began is read from its first step; the row of one that was held tells when it was let go.
        const since = this.#state.nests.has(path) && this.#policies !== NO_POLICIES
        expect(before.steps.get(path)).toEqual(since ? { ...row, started_at: before.steps.get(path)?.started_at } : row)
      }
      resumeSteps(move, this.#context)
    })
  }

  /** Where the rows are not what the events say. */
  differences(): readonly Difference[] {
    return compareRun(rebuildRun(this.#events, null)!, { run: this.#row, steps: [...this.steps.values()] })
  }

  #load(): RunState {
    const records = {
      row: this.#row,
      plan: this.#plan,
      steps: [...this.steps.values()],
      gates: [...this.gates.values()],
      effects: [...this.effects.values()],
    }
    return runStateOf(records, ENV)
  }

  #newMove(): Move {
    return new Move(this.#state, new Date(this.#time), 'default')
  }

  #move(change: (move: Move) => void): void {
    for (let more = true; more; ) {
      this.#time += 1
      const move = this.#newMove()
      change(move)
      advance(move, this.#context)
      this.#apply(move)
      more = move.isLarge
    }
  }

  #apply(move: Move): void {
    const moved = move.toTransition()
    for (const step of moved.steps) this.#keep(step)
    for (const gate of moved.gates) this.gates.set(gate.step_id, gate)
    for (const effect of moved.effects) this.effects.set(effect.operation_id, effect)
    for (const task of moved.tasks) this.tasks.set(task.step_id, task)
    for (const { step_id } of moved.taskCancels) this.tasks.delete(step_id)
    for (const wait of moved.waits) this.waits.set(wait.step_id, wait)
    for (const { step_id } of moved.waitEnds) this.waits.delete(step_id)
    this.decisions.push(...(moved.decisions ?? []))
    for (const event of moved.events) this.#log(event)
    this.#row = this.#state.row
    this.#calls.push(...move.calls)
  }

  #keep(row: StepRow): void {
    const before = this.steps.get(row.step_id)
    if (before !== undefined && ENDED.includes(before.status)) expect(row).toEqual(before)
    if (before === undefined && row.status !== 'skipped' && row.attempt === 1) this.#expectPassed(row.path)
    this.steps.set(row.step_id, row)
  }

  /** What a step waits for is in memory by now, whatever of it is in this very move. */
  #expectPassed(path: string): void {
    const step = stepAt(this.#state, path)
    for (const id of step?.waitsFor ?? []) {
      const status = this.#state.steps.get(step!.frame.prefix + id)?.status
      expect(['completed', 'skipped'], `${path} waits for ${id}`).toContain(status)
    }
  }

  #log(event: NewEvent): void {
    const { run_id = null, step_id = null, resource = null } = event
    this.#events.push({
      ...event,
      occurred_at: event.occurred_at.toISOString(),
      seq: this.#events.length + 1,
      run_id,
      step_id,
      resource,
    })
  }

  get #context(): StepContext {
    return {
      clock: { now: () => new Date(this.#time), monotonicMs: () => this.#time },
      random: () => 0.5,
      crashPoint: () => {},
      permits: () => {},
      folders: { workspace: async () => '/nowhere', log: () => {} },
      purse: { limits: () => false, reserve: async () => ({ granted: true }), settle: async () => {} },
      tasks: { canServe: () => true, bulkObstacle: async () => null, enqueued: () => {}, cancelled: () => {} },
      policies: this.#policies,
      tools: {
        find: (name) => ({ name, idempotent: name !== 'once', inputSchema: {}, timeoutMs: 86_400_000 }),
        run: async ({ operationId, with: given }) => {
          this.called.push(operationId)
          return this.#tool(operationId, given)
        },
      },
    }
  }
}
