import Type from 'typebox'
import { Count, type EventType, eventType, Id, Instant, orNull, Text } from './event-type.ts'

const Call = {
  call_id: Id,
  operation_id: Type.String({
    description: 'what the tool knows the call by: `call/<id>`, `<run>/<step>/<attempt>/<id>`',
  }),
  tool: Text,
  namespace: Text,
  agent: orNull(Text),
  task_id: orNull(Id),
  step: orNull(Text),
  risk: Text,
  side_effects: Text,
  request_digest: Type.String({ description: 'sha256 of what the tool is asked for' }),
}

const Program = {
  process_id: Id,
  name: Text,
  namespace: Text,
  operation_id: Type.String({ description: 'of the call that started it' }),
}

/** Events about calls of tools outside of steps; what they were asked for and what they answered, their rows say. */
export const TOOL_EVENTS = {
  'stateward.tool.started': eventType('A tool is about to be called.', Call),
  'stateward.tool.held': eventType('A call of a tool waits for approvals.', { ...Call, by: Text, reason: Text }),
  'stateward.tool.approved': eventType('Somebody approved a call of a tool.', { ...Call, approvals: Count }),
  'stateward.tool.completed': eventType('A tool answered.', { ...Call, duration_ms: Count }),
  'stateward.tool.failed': eventType('A call of a tool failed.', {
    ...Call,
    code: Text,
    message: Text,
    duration_ms: Count,
  }),
  'stateward.tool.refused': eventType('A tool was not called: a policy, a permission or a person stood against it.', {
    ...Call,
    code: Text,
    message: Text,
  }),
  'stateward.tool.reverted': eventType('A call of a reversible tool was taken back.', {
    operation_id: Type.String({ description: '`call/<id>`, or `<run>/<step>/<attempt>`' }),
    tool: Text,
    namespace: Text,
  }),
  'stateward.tool.process.started': eventType('A tool started a program that goes on.', {
    ...Program,
    pid: Count,
    host: Text,
    command: Type.String({ description: 'the program, without its arguments' }),
    ends_at: Instant,
  }),
  'stateward.tool.process.ended': eventType('A program that a tool started is no more.', {
    ...Program,
    exit_code: orNull(Count),
    reason: Type.String({
      description:
        'exited, stopped, run_ended, lifetime, shutdown, cancelled; not_started: its starter went away before; lost: nobody knows how',
    }),
    artifacts: Type.Array(Id, { description: 'what it printed, of a run' }),
  }),
  'stateward.tool.quarantined': eventType(
    'The process of a call went away, and nobody knows whether the tool took effect; it is not called again.',
    Call,
  ),
} as const satisfies Record<string, EventType>
