import type { EventName, VerbOf } from '../events/catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewEvent } from '../store/ports.ts'
import type { TaskRow } from '../store/queries/tasks.ts'

/** Who acts when nobody else does. */
const CONTROLLER = 'system:controller'

/** The principal of an agent. */
export function agentActor(agent: { readonly namespace: string; readonly agent: string }): string {
  return `agent:${agent.namespace}/${agent.agent}`
}

interface Subject {
  readonly instanceId: string
  readonly namespace: string
  readonly agent: string
}

/** `stateward.agent.instance.<verb>`: about a daemon's process. Correlated by the instance. */
export function instanceEvent(
  verb: VerbOf<'stateward.agent.instance'>,
  subject: Subject,
  at: Date,
  data: JsonObject,
  actor: string = CONTROLLER,
): NewEvent {
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.agent.instance.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: subject.namespace,
    actor,
    correlation_id: subject.instanceId,
    resource: { type: 'Agent', id: `${subject.namespace}/${subject.agent}` },
    data: { instance_id: subject.instanceId, namespace: subject.namespace, agent: subject.agent, ...data },
  }
}

/** `stateward.task.<verb>`: about one attempt of a task. */
export function taskEvent(
  verb: VerbOf<'stateward.task'>,
  task: TaskRow,
  at: Date,
  data: JsonObject,
  actor: string = CONTROLLER,
): NewEvent {
  return {
    event_id: uuidv7(at.getTime()),
    event_name: `stateward.task.${verb}` satisfies EventName,
    occurred_at: at,
    env_id: task.namespace,
    actor,
    correlation_id: task.correlation_id,
    run_id: task.run_id,
    step_id: task.step_id,
    resource: { type: 'Agent', id: `${task.namespace}/${task.agent}` },
    data: {
      task_id: task.task_id,
      namespace: task.namespace,
      agent: task.agent,
      attempt: task.attempt,
      instance_id: task.instance_id,
      path: task.path,
      ...data,
    },
  }
}
