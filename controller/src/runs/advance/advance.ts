import { renderTemplate } from '../../expressions/template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { CancelPayload, InboxRow } from '../../store/queries/inbox.ts'
import type { Move } from '../move/move.ts'
import type { StepError } from '../ports.ts'
import type { Placed } from '../state/frame.ts'
import { runningNests, runningSteps, stepAt } from '../state/running.ts'
import { asJson, causedBy, stepError } from '../state/step-error.ts'
import { policiesRefuse } from '../steps/ask-policies.ts'
import type { StepContext } from '../steps/handler.ts'
import { handlerIn } from '../steps/handlers.ts'
import { advanceNests, endNests } from './advance-nests.ts'
import { dueAt, isBetweenAttempts } from './pending.ts'
import { nextSteps, notStarted } from './scheduler.ts'
import { abandonSteps, startStep } from './start-step.ts'

/**
 * Takes a run as far as it can go without waiting: starts what may start, ends what has ended, until nothing moves.
 * Decides from the rows alone, so whoever takes the run over goes on in the same way.
 */
export function advance(move: Move, context: StepContext): void {
  move.run.admission = null
  if (move.run.row.status === 'created') begin(move, context)
  if (move.run.row.status !== 'running') return
  lookAtWhatIsDue(move, context)
  for (;;) {
    const ending = endingOf(move)
    if (ending !== null) {
      endEarly(move, ending, context)
      return
    }
    const next = nextSteps(move.run.root, move.run.steps)
    if (next.ended) {
      complete(move)
      return
    }
    for (const step of next.ready) startStep(move, step, context)
    if (!advanceNests(move, context) && next.ready.length === 0) return
  }
}

function begin(move: Move, context: StepContext): void {
  const { limits } = move.run.plan
  const deadline = new Date(move.now.getTime() + limits.timeoutMs)
  move.moveRun('start', { started_at: move.now, deadline })
  move.tell.run('started', { run: move.run.row.name, deadline: deadline.toISOString() })
  const refusal = policiesRefuse(move, context)
  if (refusal === null) return
  for (const step of notStarted(move.run.root, move.run.steps)) move.skipStep(step, refusal.message)
  end(move, 'failed', { error: refusal })
}

/** Running steps that are not in the middle of a call of ours: gates, tasks, quarantined effects. */
function waitingSteps(move: Move): readonly Placed[] {
  return runningSteps(move.run).filter((step) => !move.run.active.has(step.path))
}

function lookAtWhatIsDue(move: Move, context: StepContext): void {
  for (const step of [...waitingSteps(move), ...runningNests(move.run)]) {
    const at = dueAt(move, step)
    if (at === null || at > move.now) continue
    if (isBetweenAttempts(move, step)) again(move, step, context)
    else handlerIn(move.run, step).due(move, step, context)
  }
}

function again(move: Move, step: Placed, context: StepContext): void {
  try {
    handlerIn(move.run, step).again?.(move, step, context)
  } catch (error) {
    move.failStep(step, stepError(error, 'validation'))
  }
}

interface Ending {
  readonly status: 'failed' | 'cancelled'
  readonly error: StepError
  /** The error of steps that still ran. */
  readonly running: Error
  /** Calls of ours are told to stop; else they may end by themselves. */
  readonly abort: boolean
}

/** Why the run ends before its plan does; null when it does not. */
function endingOf(move: Move): Ending | null {
  const { row, cancel, plan, root, steps } = move.run
  if (cancel !== null) {
    const { reason } = cancel.payload as CancelPayload
    const error = fail('SW_CANCELLED', `${cancel.actor} cancelled the run${reason ? `: ${reason}` : ''}`)
    return { status: 'cancelled', error: stepError(error, 'cancelled'), running: error, abort: true }
  }
  if (row.deadline !== null && row.deadline <= move.now) {
    const minutes = Math.round(plan.limits.timeoutMs / 60_000)
    const error = fail('SW_RUN_TIMEOUT', `the run did not end within its time of ${minutes} min`)
    return { status: 'failed', error: stepError(error, 'timeout'), running: error, abort: true }
  }
  const { failed } = nextSteps(root, steps)
  if (failed === null) return null
  const cause = steps.get(failed.path)!.error as unknown as StepError
  const error = causedBy(failed.path, cause)
  const running = fail('SW_CANCELLED', `step ${failed.path} failed, so the run ends`)
  return { status: 'failed', error, running, abort: false }
}

/** What waits is given up at once; a call of ours is waited for, since its effect takes place whether we look or not. */
function endEarly(move: Move, ending: Ending, context: StepContext): void {
  abandonSteps(move, waitingSteps(move), ending.running, context)
  if (ending.abort) for (const path of move.run.active) move.abortCall(path, ending.running)
  if (move.run.active.size > 0) return
  endNests(move, stepError(ending.running, 'cancelled'))
  for (const step of notStarted(move.run.root, move.run.steps)) move.skipStep(step, ending.error.message)
  end(move, ending.status, { error: ending.error })
}

function complete(move: Move): void {
  try {
    const outputs: JsonObject = {}
    for (const { name, value } of move.run.plan.outputs) outputs[name] = renderTemplate(value, move.run.values)
    end(move, 'completed', { outputs })
  } catch (error) {
    end(move, 'failed', { error: stepError(error, 'validation') })
  }
}

/** Read by whoever undoes what failed (rollback/pending.ts), whatever becomes of this process. */
function rollbackPending(move: Move): JsonObject | null {
  if (move.run.plan.onFailure !== 'rollback') return null
  const message = 'what it did is about to be undone, as its blueprint says'
  return { reason: 'RollbackPending', message, since: move.now.toISOString() }
}

/** Ends the run: nothing of it moves any more. */
export function end(
  move: Move,
  status: 'completed' | 'failed' | 'cancelled',
  result: { readonly outputs?: JsonObject; readonly error?: StepError },
): void {
  const { row, cancel } = move.run
  move.moveRun(status === 'completed' ? 'complete' : status === 'failed' ? 'fail' : 'cancel', {
    outputs: result.outputs ?? null,
    error: result.error === undefined ? null : (asJson(result.error) as JsonObject),
    condition: status === 'failed' ? rollbackPending(move) : null,
    completed_at: move.now,
  })
  const since = row.started_at ?? row.created_at
  move.tell.run(
    status,
    {
      run: row.name,
      duration_ms: move.now.getTime() - since.getTime(),
      deadline: move.run.row.deadline?.toISOString() ?? null,
      ...(result.outputs === undefined ? {} : move.tell.carry('outputs', result.outputs, null)),
      ...(result.error === undefined ? {} : { error: asJson(result.error) }),
    },
    cancel?.actor,
  )
  if (cancel !== null) move.consume(cancel)
  move.release(null)
}

/** Gives the messages to the steps they are for. What is for nobody (any more) is consumed all the same. */
export function takeMessages(move: Move, messages: readonly InboxRow[], context: StepContext): void {
  for (const message of messages) {
    if (move.run.taken.has(message.id)) continue
    move.run.taken.add(message.id)
    if (message.kind === 'cancel' && move.run.cancel === null) {
      move.run.cancel = message
      continue
    }
    const step = message.path === null ? undefined : stepAt(move.run, message.path)
    const runs = step !== undefined && move.run.steps.get(step.path)?.status === 'running'
    if (runs && !isBetweenAttempts(move, step)) handlerIn(move.run, step).receive(move, step, message, context)
    move.consume(message)
  }
}

/** Picks up the steps that ran when the run's last owner went away; not a call that a message has begun in this very move. */
export function resumeSteps(move: Move, context: StepContext): void {
  if (endingOf(move) !== null) return
  for (const step of runningSteps(move.run)) {
    if (move.run.active.has(step.path) || isBetweenAttempts(move, step)) continue
    handlerIn(move.run, step).resume(move, step, context)
  }
}
