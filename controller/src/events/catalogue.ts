import type { JsonObject } from '../lib/json.ts'
import { schemaViolations, type Violation } from '../lib/json-schema.ts'
import { ACCESS_EVENTS } from './access-events.ts'
import { AGENT_EVENTS } from './agent-events.ts'
import { ALERT_EVENTS } from './alert-events.ts'
import { CHANGE_EVENTS } from './change-events.ts'
import { DRAFT_EVENTS } from './draft-events.ts'
import { DRIFT_EVENTS } from './drift-events.ts'
import type { EventType } from './event-type.ts'
import { FLEET_EVENTS } from './fleet-events.ts'
import { HOST_EVENTS } from './host-events.ts'
import { INTERVENTION_EVENTS } from './intervention-events.ts'
import { MCP_EVENTS } from './mcp-events.ts'
import { BUS_EVENTS, MESSAGE_EVENTS } from './message-events.ts'
import { MODEL_EVENTS } from './model-events.ts'
import { NOTIFICATION_EVENTS } from './notification-events.ts'
import { OBJECT_EVENTS, OVERRIDE_EVENTS, PROPOSAL_EVENTS, SOURCE_EVENTS } from './object-events.ts'
import { POLICY_EVENTS } from './policy-events.ts'
import { RECORD_EVENTS } from './record-events.ts'
import { RUN_EVENTS, SCHEDULE_EVENTS, TASK_EVENTS } from './run-events.ts'
import { SECRET_EVENTS } from './secret-events.ts'
import { TOOL_EVENTS } from './tool-events.ts'
import { WORK_EVENTS } from './work-events.ts'

/** Every event that Stateward itself writes. Its prefix `stateward.` is refused to everybody else. */
export const EVENT_TYPES = {
  ...RUN_EVENTS,
  ...SCHEDULE_EVENTS,
  ...TASK_EVENTS,
  ...AGENT_EVENTS,
  ...HOST_EVENTS,
  ...FLEET_EVENTS,
  ...OBJECT_EVENTS,
  ...OVERRIDE_EVENTS,
  ...DRIFT_EVENTS,
  ...INTERVENTION_EVENTS,
  ...ALERT_EVENTS,
  ...SOURCE_EVENTS,
  ...PROPOSAL_EVENTS,
  ...DRAFT_EVENTS,
  ...CHANGE_EVENTS,
  ...RECORD_EVENTS,
  ...ACCESS_EVENTS,
  ...MCP_EVENTS,
  ...MESSAGE_EVENTS,
  ...BUS_EVENTS,
  ...WORK_EVENTS,
  ...POLICY_EVENTS,
  ...SECRET_EVENTS,
  ...NOTIFICATION_EVENTS,
  ...TOOL_EVENTS,
  ...MODEL_EVENTS,
} as const satisfies Record<`stateward.${string}`, EventType>

export type EventName = keyof typeof EVENT_TYPES

/** The last words of our names that begin with `Noun`: so a name that is put together cannot leave the catalogue. */
export type VerbOf<Noun extends string> = EventName extends infer Name
  ? Name extends `${Noun}.${infer Verb}`
    ? Verb
    : never
  : never

/** What is wrong with an event: nothing for a name that is not ours. Null when its name is ours but not in the catalogue. */
export function eventViolations(name: string, data: JsonObject): readonly Violation[] | null {
  if (!name.startsWith('stateward.')) return []
  const type = (EVENT_TYPES as Readonly<Record<string, EventType>>)[name]
  return type === undefined ? null : schemaViolations(type.data as unknown as JsonObject, data)
}
