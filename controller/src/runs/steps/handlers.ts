import type { CompiledStep, StepKind } from '../../blueprints/compiled-plan.ts'
import { actionTask } from './action-task.ts'
import { agentTask } from './agent-task.ts'
import { blueprint } from './blueprint.ts'
import { foreach } from './foreach.ts'
import { gate } from './gate.ts'
import type { StepHandler } from './handler.ts'
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
export function handlerOf(step: CompiledStep): StepHandler<CompiledStep> {
  return HANDLERS[step.kind] as unknown as StepHandler<CompiledStep>
}
