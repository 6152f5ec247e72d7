import type { EventName, VerbOf } from '../events/catalogue.ts'
import { canonicalJson, digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { nextRun, type RunEvent } from '../lifecycle/run.ts'
import { nextStep, type StepEvent } from '../lifecycle/step.ts'
import { cleanJson } from '../store/journal/clean.ts'
import type { EffectRow, GateRow, NewRun, RunStatus, StepRow, TaskRow, Transition, WaitRow } from '../store/journal.ts'
import type { NewEvent } from '../store/ports.ts'
import type { InboxRow } from '../store/queries/inbox.ts'
import type { RunRow } from '../store/queries/runs.ts'
import { stepIdOf } from '../store/queries/steps.ts'
import { type Placed, stepValue } from './frame.ts'
import type { StepError } from './ports.ts'
import type { RunState } from './run-state.ts'
import { isNesting } from './running.ts'
import { asJson, stepError } from './step-error.ts'

/** A step's output beyond this does not fit its row. */
const MAX_OUTPUT_BYTES = 1024 * 1024
/** Steps of one move, beyond which no further iteration of a loop begins in it. */
const LARGE_MOVE = 500
const MAX_EVENT_OUTPUT_BYTES = 32 * 1024

/** A call of a tool, begun when everything of its move is durable. What it resolves to is the next move. */
export interface Call {
  readonly path: string
  readonly begin: (signal: AbortSignal) => Promise<(move: Move) => void>
}

type RunChange = Partial<Pick<RunRow, 'outputs' | 'error' | 'condition' | 'started_at' | 'completed_at' | 'deadline'>>

/**
 * One move of a run: changes its state in memory and collects the rows and events that make the same change durable, so
 * that neither can be forgotten. Nothing outside happens here; what has to happen waits in `calls` and `whenDurable`.
 */
export class Move {
  readonly run: RunState
  readonly now: Date
  readonly calls: Call[] = []
  readonly whenDurable: (() => void)[] = []
  /** The step whose end made this move: when the database refuses the move, it is to blame. */
  blame: string | null = null
  /** Calls under way that are told to stop, by path, with the reason their steps end with. */
  readonly aborts = new Map<string, Error>()
  readonly #envId: string
  readonly #from: RunStatus
  /** By step id: the attempt that ends and the next one are two rows. */
  readonly #steps = new Map<string, StepRow>()
  readonly #gates = new Map<string, GateRow>()
  readonly #effects = new Map<string, EffectRow>()
  readonly #tasks: TaskRow[] = []
  readonly #cancelledTasks: string[] = []
  readonly #waits: WaitRow[] = []
  readonly #endedWaits: string[] = []
  readonly #consumed: InboxRow[] = []
  readonly #events: NewEvent[] = []
  #created: NewRun | null = null
  #runChanged = false
  #release: { readonly wakeAt: Date | null } | null = null

  constructor(run: RunState, now: Date, envId: string) {
    this.run = run
    this.now = now
    this.#envId = envId
    this.#from = run.row.status
  }

  /** The run comes into being with this move. */
  createRun(row: NewRun, event: NewEvent): void {
    this.#created = row
    this.#events.push(event)
  }

  /** The step runs from now on; it has a row because something outside depends on it. */
  startStep(step: Placed, inputs: Json | null, condition: JsonObject | null = null): StepRow {
    const row = this.#moveStep(step, 'start', { inputs, condition, started_at: this.now })
    if (row === null) throw new Error(`step ${step.path} runs already`)
    this.stepEvent('started', step, inputs === null ? {} : carried('inputs', inputs))
    return row
  }

  /** The step runs from now on, in memory only: its row is written at its end, and until then it follows from others. */
  holdStep(step: Placed, inputs: Json | null, startedAt = this.now): void {
    const row = this.run.steps.get(step.path) ?? this.#newStep(step)
    const { outcome, state } = nextStep(row.status, 'start')
    if (outcome !== 'moved') throw new Error(`step ${step.path}, which is ${row.status}, cannot start`)
    this.#keep(step, { ...row, status: state, inputs, started_at: startedAt })
  }

  /** Says why a running step waits, or null when it does not any more. */
  waitStep(step: Placed, condition: JsonObject | null): void {
    const row = this.run.steps.get(step.path)
    if (row === undefined || canonicalJson(reasonOf(row.condition)) === canonicalJson(reasonOf(condition))) return
    this.#setStep(step, { ...row, condition })
  }

  completeStep(step: Placed, output: Json): void {
    const { value, sanitized, text } = cleanJson(output)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_OUTPUT_BYTES) {
      const error = fail(
        'SW_OUTPUT_TOO_LARGE',
        `the output of step ${step.path} is ${bytes} bytes, more than ${MAX_OUTPUT_BYTES}`,
      )
      this.failStep(step, stepError(error, 'validation'))
      return
    }
    if (this.#moveStep(step, 'complete', { outputs: value, condition: null, completed_at: this.now }) === null) return
    this.blame ??= step.path
    this.stepEvent('completed', step, {
      ...this.#beginning(step),
      ...carried('output', value, bytes),
      ...(sanitized ? { output_sanitized: true } : {}),
    })
  }

  failStep(step: Placed, error: StepError): void {
    const place = step.place === null ? {} : { place: step.place }
    const placed = { ...error, details: { ...error.details, ...place } }
    if (this.#moveStep(step, 'fail', { error: asJson(placed), condition: null, completed_at: this.now }) === null)
      return
    this.blame ??= step.path
    this.stepEvent('failed', step, { ...this.#beginning(step), error: asJson(placed) })
  }

  /** The attempt has failed; the step goes on running, and its next attempt begins at `at`. */
  retryStep(step: Placed, error: StepError, at: Date, maxAttempts: number): void {
    const { outcome } = nextStep('running', 'retry')
    const before = this.run.steps.get(step.path)
    if (outcome !== 'moved' || before?.status !== 'running') throw new Error(`step ${step.path} cannot be retried`)
    const attempt = before.attempt + 1
    this.stepEvent('retried', step, {
      error: asJson(error),
      next_attempt: attempt,
      next_attempt_at: at.toISOString(),
      next_step_id: stepIdOf(this.run.row.run_id, step.path, attempt),
    })
    const ended = {
      ...before,
      status: 'failed',
      error: asJson(error),
      condition: null,
      completed_at: this.now,
    } as const
    this.#steps.set(ended.step_id, ended)
    this.#setStep(step, {
      ...before,
      attempt,
      step_id: stepIdOf(this.run.row.run_id, step.path, attempt),
      condition: {
        reason: 'ProgressingWithRetry',
        message: `attempt ${attempt} of ${maxAttempts} follows: ${error.message}`,
        since: this.now.toISOString(),
      },
      started_at: null,
      next_attempt_at: at,
    })
    this.blame ??= step.path
  }

  /** The time of the next attempt has come. */
  beginAttempt(step: Placed, inputs: Json | null): StepRow {
    const row = this.run.steps.get(step.path)!
    this.#setStep(step, { ...row, inputs, condition: null, started_at: this.now, next_attempt_at: null })
    this.stepEvent('started', step, inputs === null ? {} : carried('inputs', inputs))
    return this.run.steps.get(step.path)!
  }

  skipStep(step: Placed, reason: string): void {
    if (this.#moveStep(step, 'skip', { completed_at: this.now }) === null) return
    this.stepEvent('skipped', step, { reason })
  }

  setGate(row: GateRow): void {
    this.run.gates.set(row.path, row)
    this.#gates.set(row.step_id, row)
  }

  setEffect(row: EffectRow): void {
    this.run.effects.set(row.path, row)
    this.#effects.set(row.operation_id, row)
  }

  addTask(row: TaskRow): void {
    this.#tasks.push(row)
  }

  cancelTask(step: Placed): void {
    this.#cancelledTasks.push(this.stepId(step))
  }

  /** From this move on, events may end the step's wait. */
  addWait(row: WaitRow): void {
    this.#waits.push(row)
  }

  endWait(step: Placed): void {
    this.#endedWaits.push(this.stepId(step))
  }

  /** Takes a message out of the inbox. */
  consume(row: InboxRow): void {
    this.#consumed.push(row)
  }

  call(step: Placed, begin: Call['begin']): void {
    this.run.active.add(step.path)
    this.calls.push({ path: step.path, begin })
  }

  abortCall(path: string, reason: Error): void {
    this.aborts.set(path, reason)
  }

  /** Moves the run as its table says; a move that must not be is a defect. */
  moveRun(event: RunEvent, change: RunChange): void {
    const { outcome, state } = nextRun(this.run.row.status, event)
    if (outcome !== 'moved') throw new Error(`a run that is ${state} cannot ${event}`)
    this.run.row = { ...this.run.row, status: state }
    this.changeRun(change)
  }

  changeRun(change: RunChange): void {
    this.run.row = { ...this.run.row, ...change }
    this.#runChanged = true
  }

  /** Gives the run up in this move. `wakeAt` null: only its inbox wakes it. */
  release(wakeAt: Date | null): void {
    this.#release = { wakeAt }
  }

  get releases(): boolean {
    return this.#release !== null
  }

  get isEmpty(): boolean {
    return (
      !this.#runChanged &&
      this.#release === null &&
      this.#steps.size + this.#gates.size + this.#effects.size + this.#cancelledTasks.length + this.#consumed.length ===
        0 &&
      this.#events.length === 0
    )
  }

  /** Enough for one transaction: what is left goes on in the next move. */
  get isLarge(): boolean {
    return this.#steps.size >= LARGE_MOVE
  }

  stepId(step: Pick<Placed, 'path'>): string {
    return stepIdOf(this.run.row.run_id, step.path, this.attemptOf(step))
  }

  attemptOf(step: Pick<Placed, 'path'>): number {
    return this.run.steps.get(step.path)?.attempt ?? 1
  }

  runEvent(verb: VerbOf<'stateward.run'>, data: JsonObject, actor = this.run.row.actor): void {
    this.#event(`stateward.run.${verb}`, data, null, actor)
  }

  stepEvent(verb: VerbOf<'stateward.run.step'>, step: Placed, data: JsonObject, actor = this.run.row.actor): void {
    const named = { run: this.run.row.name, step: step.path, kind: step.kind, attempt: this.attemptOf(step), ...data }
    this.#event(`stateward.run.step.${verb}`, named, this.stepId(step), actor)
  }

  gateEvent(verb: VerbOf<'stateward.run.gate'>, step: Placed, data: JsonObject, actor = this.run.row.actor): void {
    this.#event(
      `stateward.run.gate.${verb}`,
      { run: this.run.row.name, step: step.path, ...data },
      this.stepId(step),
      actor,
    )
  }

  toTransition(): Transition {
    const { row } = this.run
    return {
      run_id: row.run_id,
      created: this.#created,
      run:
        this.#runChanged || this.#release !== null || this.#created !== null
          ? {
              run_id: row.run_id,
              from: [this.#from],
              status: row.status,
              release: this.#release !== null,
              signals: this.run.signals,
              now: this.now,
              wake_at: this.#release?.wakeAt ?? null,
              outputs: row.outputs,
              error: row.error,
              condition: row.condition,
              started_at: row.started_at,
              completed_at: row.completed_at,
              deadline: row.deadline,
            }
          : null,
      steps: [...this.#steps.values()],
      gates: [...this.#gates.values()],
      effects: [...this.#effects.values()],
      tasks: this.#tasks,
      taskCancels: this.#cancelledTasks.map((step_id) => ({ run_id: row.run_id, step_id, completed_at: this.now })),
      waits: this.#waits,
      waitEnds: this.#endedWaits.map((step_id) => ({ step_id })),
      consumed: this.#consumed.map(({ id }) => ({ id, consumed_at: this.now })),
      events: this.#events,
    }
  }

  /** Moves a step as its table says. Null = it has ended before, nothing is changed; a move that must not be is a defect. */
  #moveStep(step: Placed, event: StepEvent, change: Partial<StepRow>): StepRow | null {
    const before = this.run.steps.get(step.path) ?? this.#newStep(step)
    const { outcome, state } = nextStep(before.status, event)
    if (outcome === 'rejected') throw new Error(`step ${step.path}, which is ${before.status}, cannot ${event}`)
    if (outcome === 'ignored') return null
    // A step without an outside effect starts and ends in one move.
    const startsNow = before.started_at === null && state !== 'skipped' ? { started_at: this.now } : {}
    return this.#setStep(step, { ...before, ...startsNow, next_attempt_at: null, ...change, status: state })
  }

  /** What the event of a held step's end has to tell, since none told of its start. */
  #beginning(step: Placed): JsonObject {
    const row = this.run.steps.get(step.path)
    if (!isNesting(step) || row?.started_at == null) return {}
    return { started_at: row.started_at.toISOString(), ...(row.inputs === null ? {} : carried('inputs', row.inputs)) }
  }

  #newStep(step: Placed): StepRow {
    return {
      run_id: this.run.row.run_id,
      path: step.path,
      attempt: 1,
      step_id: stepIdOf(this.run.row.run_id, step.path, 1),
      kind: step.kind,
      status: 'created',
      inputs: null,
      outputs: null,
      error: null,
      condition: null,
      started_at: null,
      completed_at: null,
      next_attempt_at: null,
    }
  }

  #setStep(step: Placed, row: StepRow): StepRow {
    this.#keep(step, row)
    this.#steps.set(row.step_id, row)
    return row
  }

  #keep(step: Placed, row: StepRow): void {
    this.run.steps.set(step.path, row)
    step.frame.values.steps[step.id] = stepValue(row)
  }

  #event(name: EventName, data: JsonObject, stepId: string | null, actor: string): void {
    const { row } = this.run
    this.#events.push({
      event_id: uuidv7(this.now.getTime()),
      event_name: name,
      occurred_at: this.now,
      env_id: this.#envId,
      actor,
      correlation_id: row.correlation_id,
      run_id: row.run_id,
      step_id: stepId,
      resource: { type: 'Run', id: row.run_id },
      data,
    })
  }
}

/** A value as an event carries it: whole while it is small, else its digest and size; the row has it whole. */
export function carried(name: string, value: Json, bytes = Buffer.byteLength(JSON.stringify(value))): JsonObject {
  if (bytes <= MAX_EVENT_OUTPUT_BYTES) return { [name]: value }
  return { [`${name}_digest`]: digestOf(value), [`${name}_bytes`]: bytes }
}

/** What a condition says, without since when. */
function reasonOf(condition: Json | null): Json {
  if (condition === null) return null
  const { reason = null, message = null } = condition as { reason?: Json; message?: Json }
  return { reason, message }
}
