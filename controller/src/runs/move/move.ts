import { canonicalJson } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { nextRun, type RunEvent } from '../../lifecycle/run.ts'
import { nextStep, type StepEvent } from '../../lifecycle/step.ts'
import { cleanJson } from '../../store/journal/clean.ts'
import type {
  EffectRow,
  GateRow,
  NewRun,
  RunStatus,
  StepRow,
  TaskRow,
  Transition,
  WaitRow,
} from '../../store/journal.ts'
import type { NewEvent } from '../../store/ports.ts'
import type { InboxRow } from '../../store/queries/inbox.ts'
import type { RunRow } from '../../store/queries/runs.ts'
import { stepIdOf } from '../../store/queries/steps.ts'
import type { PolicyRecord, StepError } from '../ports.ts'
import { type Placed, stepValue } from '../state/frame.ts'
import type { RunState } from '../state/run-state.ts'
import { isNesting } from '../state/running.ts'
import { asJson, stepError } from '../state/step-error.ts'
import { MoveRows } from './move-rows.ts'
import { attemptRows, newStepRow, reasonOf } from './new-rows.ts'
import { Telling } from './telling.ts'

/** A step's output beyond this does not fit its row. */
const MAX_OUTPUT_BYTES = 1024 * 1024
/** Steps of one move, beyond which no further iteration of a loop begins in it. */
const LARGE_MOVE = 500

/** A call of a tool, begun when everything of its move is durable, or before if it is without effects. What it resolves to is the next move. */
export interface Call {
  readonly path: string
  /** `early`: without effects, it need not wait until its move is durable. `money`: it touches nothing but our own budgets. `look`: it changes nothing. */
  readonly kind: 'effect' | 'early' | 'money' | 'look'
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
  /** What is told of this move. */
  readonly tell: Telling
  calls: Call[] = []
  readonly whenDurable: (() => void)[] = []
  /** The step whose end made this move: when the database refuses the move, it is to blame. */
  blame: string | null = null
  /** The process ends: nothing that has an effect may begin by this move. */
  startsNothing = false
  /** Calls under way that are told to stop, by path, with the reason their steps end with. */
  readonly aborts = new Map<string, Error>()
  readonly #from: RunStatus
  readonly #rows = new MoveRows()
  /** Steps that were held back until this move. */
  readonly #letGo = new Set<string>()

  constructor(run: RunState, now: Date, envId: string) {
    this.run = run
    this.now = now
    this.#from = run.row.status
    this.tell = new Telling(run, now, envId, this.#rows.events)
  }

  /** The run comes into being with this move. */
  createRun(row: NewRun, event: NewEvent): void {
    this.#rows.created = row
    this.#rows.events.push(event)
  }

  /** The step runs from now on; it has a row because something outside depends on it. */
  startStep(step: Placed, inputs: Json | null, more: { condition?: JsonObject; told?: JsonObject } = {}): StepRow {
    const { condition = null, told = {} } = more
    const row = this.#moveStep(step, 'start', { inputs, condition, started_at: this.now })
    if (row === null) throw new Error(`step ${step.path} runs already`)
    this.tell.started(step, inputs, told)
    return row
  }

  /** The step runs from now on, in memory only: its row is written at its end, and until then it follows from others. */
  holdStep(step: Placed, inputs: Json | null, startedAt = this.now): void {
    const row = this.run.steps.get(step.path) ?? newStepRow(this.run.row.run_id, step)
    const { outcome, state } = nextStep(row.status, 'start')
    // One that was held back has a row that runs.
    if (outcome === 'rejected') throw new Error(`step ${step.path}, which is ${row.status}, cannot start`)
    this.#keep(step, { ...row, status: state, inputs, started_at: startedAt })
  }

  /** Says why a running step waits, or null when it does not any more. */
  waitStep(step: Placed, condition: JsonObject | null): void {
    const row = this.run.steps.get(step.path)
    if (row === undefined || canonicalJson(reasonOf(row.condition)) === canonicalJson(reasonOf(condition))) return
    this.#setStep(step, { ...row, condition })
  }

  /** A step that waited for money has it: its time begins now. */
  unpauseStep(step: Placed): void {
    const row = this.run.steps.get(step.path)!
    this.#setStep(step, { ...row, condition: null, started_at: this.now })
    this.tell.step('unpaused', step, {})
  }

  /** The step does not begin yet: it has a row that says what it waits for. */
  holdBack(step: Placed, condition: JsonObject, told: JsonObject): void {
    if (this.#moveStep(step, 'start', { condition }) === null) throw new Error(`step ${step.path} runs already`)
    this.tell.step('held', step, told)
  }

  /** It waits for something else now. */
  holdAgain(step: Placed, condition: JsonObject): void {
    this.#setStep(step, { ...this.run.steps.get(step.path)!, condition })
  }

  /** A step that was held back may begin: as it is in memory, until it does so in this very move. */
  letGo(step: Placed): void {
    const row = { ...this.run.steps.get(step.path)!, condition: null }
    // A loop or a call writes no row before its end: that it is not held any more has to be told here.
    if (isNesting(step)) this.#rows.steps.set(row.step_id, row)
    this.#letGo.add(step.path)
    this.#keep(step, { ...row, status: 'created' })
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
    this.tell.step('completed', step, {
      ...this.tell.beginning(step, this.#letGo.has(step.path)),
      ...this.tell.carry('output', value, step, bytes),
      ...(sanitized ? { output_sanitized: true } : {}),
    })
  }

  failStep(step: Placed, error: StepError): void {
    const place = step.place === null ? {} : { place: step.place }
    const placed = { ...error, details: { ...error.details, ...place } }
    if (this.#moveStep(step, 'fail', { error: asJson(placed), condition: null, completed_at: this.now }) === null)
      return
    this.blame ??= step.path
    this.tell.step('failed', step, { ...this.tell.beginning(step, this.#letGo.has(step.path)), error: asJson(placed) })
  }

  /** The attempt has failed; the step goes on running, and its next attempt begins at `at`. */
  retryStep(step: Placed, error: StepError, at: Date, maxAttempts: number): void {
    const { outcome } = nextStep('running', 'retry')
    const before = this.run.steps.get(step.path)
    if (outcome !== 'moved' || before?.status !== 'running') throw new Error(`step ${step.path} cannot be retried`)
    const attempt = before.attempt + 1
    this.tell.step('retried', step, {
      error: asJson(error),
      next_attempt: attempt,
      next_attempt_at: at.toISOString(),
      next_step_id: stepIdOf(this.run.row.run_id, step.path, attempt),
    })
    const rows = attemptRows(before, asJson(error), this.now, {
      at,
      step_id: stepIdOf(this.run.row.run_id, step.path, attempt),
      reason: `attempt ${attempt} of ${maxAttempts} follows: ${error.message}`,
    })
    this.#rows.steps.set(rows.ended.step_id, rows.ended)
    this.#setStep(step, rows.next)
    this.blame ??= step.path
  }

  /** The time of the next attempt has come. */
  beginAttempt(step: Placed, inputs: Json | null, told: JsonObject = {}): StepRow {
    const row = this.run.steps.get(step.path)!
    this.#setStep(step, { ...row, inputs, condition: null, started_at: this.now, next_attempt_at: null })
    this.tell.started(step, inputs, told)
    return this.run.steps.get(step.path)!
  }

  skipStep(step: Placed, reason: string): void {
    if (this.#moveStep(step, 'skip', { completed_at: this.now }) === null) return
    this.tell.step('skipped', step, { reason })
  }

  setGate(row: GateRow): void {
    this.run.gates.set(row.path, row)
    this.#rows.gates.set(row.step_id, row)
  }

  setEffect(row: EffectRow): void {
    this.run.effects.set(row.path, row)
    this.#rows.effects.set(row.operation_id, row)
  }

  /** Takes back an effect of this move: there is nothing to say of it. */
  forgetEffect(step: Placed): void {
    const row = this.run.effects.get(step.path)
    if (row === undefined || !this.#rows.effects.delete(row.operation_id))
      throw new Error(`${step.path} has no effect here`)
    this.run.effects.delete(step.path)
  }

  /** What policies decided becomes durable with what it is about. */
  decide({ row, event }: PolicyRecord): void {
    this.#rows.decisions.push(row)
    if (event !== null) this.#rows.events.push(event)
  }

  addTask(row: TaskRow): void {
    this.#rows.tasks.push(row)
  }

  cancelTask(step: Placed): void {
    this.#rows.cancelledTasks.push(this.tell.stepId(step))
  }

  /** From this move on, events may end the step's wait. */
  addWait(row: WaitRow): void {
    this.#rows.waits.push(row)
  }

  endWait(step: Placed): void {
    this.#rows.endedWaits.push(this.tell.stepId(step))
  }

  /** Takes a message out of the inbox. */
  consume(row: InboxRow): void {
    this.#rows.consumed.push(row)
  }

  call(step: Placed, kind: Call['kind'], begin: Call['begin']): void {
    this.run.active.add(step.path)
    this.calls.push({ path: step.path, kind, begin })
  }

  /** Takes out the calls that need not wait until the move is durable. */
  takeEarlyCalls(): Call[] {
    const early = this.calls.filter(({ kind }) => kind === 'early')
    if (early.length > 0) this.calls = this.calls.filter(({ kind }) => kind !== 'early')
    return early
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
    this.#rows.runChanged = true
  }

  /** Gives the run up in this move. `wakeAt` null: only its inbox wakes it. */
  release(wakeAt: Date | null): void {
    this.#rows.release = { wakeAt }
  }

  get releases(): boolean {
    return this.#rows.release !== null
  }

  get isEmpty(): boolean {
    return this.#rows.isEmpty
  }

  /** Enough for one transaction: what is left goes on in the next move. */
  get isLarge(): boolean {
    return this.#rows.steps.size >= LARGE_MOVE
  }

  attemptOf(step: Pick<Placed, 'path'>): number {
    return this.run.steps.get(step.path)?.attempt ?? 1
  }

  toTransition(): Transition {
    return this.#rows.toTransition(this.run, this.#from, this.now)
  }

  /** Moves a step as its table says. Null = it has ended before, nothing is changed; a move that must not be is a defect. */
  #moveStep(step: Placed, event: StepEvent, change: Partial<StepRow>): StepRow | null {
    const before = this.run.steps.get(step.path) ?? newStepRow(this.run.row.run_id, step)
    const { outcome, state } = nextStep(before.status, event)
    if (outcome === 'rejected') throw new Error(`step ${step.path}, which is ${before.status}, cannot ${event}`)
    if (outcome === 'ignored') return null
    // A step without an outside effect starts and ends in one move.
    const startsNow = before.started_at === null && state !== 'skipped' ? { started_at: this.now } : {}
    return this.#setStep(step, { ...before, ...startsNow, next_attempt_at: null, ...change, status: state })
  }

  #setStep(step: Placed, row: StepRow): StepRow {
    this.#keep(step, row)
    this.#rows.steps.set(row.step_id, row)
    return row
  }

  #keep(step: Placed, row: StepRow): void {
    this.run.steps.set(step.path, row)
    step.frame.values.steps[step.id] = stepValue(row)
  }
}
