import type { CompiledStep, StepKind } from '../../blueprints/compiled-plan.ts'
import type { Move } from '../move/move.ts'
import type { Placed } from '../state/frame.ts'
import { isHeld } from '../state/held.ts'
import type { RunState } from '../state/run-state.ts'
import { stepError } from '../state/step-error.ts'
import { actionTask } from './action-task.ts'
import { agentTask } from './agent-task.ts'
import { blueprint } from './blueprint.ts'
import { foreach } from './foreach.ts'
import { gate } from './gate.ts'
import type { StepContext, StepHandler } from './handler.ts'
import { heldHandler } from './policy-gate.ts'
import { transform } from './transform.ts'
import { wait } from './wait.ts'

const HANDLERS: { readonly [Kind in StepKind]: StepHandler<Extract<CompiledStep, { kind: Kind }>> } = {
  agent_task: agentTask,
  action_task: actionTask,
  gate,
  transform,
  wait,
  foreach,
  blueprint,
}

/** The handler of a step; a kind without one does not compile. */
function handlerOf(step: CompiledStep): StepHandler<CompiledStep> {
  return HANDLERS[step.kind] as unknown as StepHandler<CompiledStep>
}

/** Begins a step; what it cannot begin with fails it. */
export function beginStep(move: Move, step: Placed, context: StepContext): void {
  try {
    handlerOf(step).start(move, step, context)
  } catch (error) {
    move.failStep(step, stepError(error, 'validation'))
  }
}

const HELD = heldHandler(beginStep)

/** Who looks after a step that has a row: its kind, or the gate that policies opened in front of it. */
export function handlerIn(run: RunState, step: Placed): StepHandler<CompiledStep> {
  return isHeld(run, step.path) ? HELD : handlerOf(step)
}
