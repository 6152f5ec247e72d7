import type { EventName, VerbOf } from '../events/catalogue.ts'
import type { JsonObject } from '../lib/json.ts'
import type { NewMessage } from '../store/intake.ts'
import type { LoggedEvent, NewEvent } from '../store/ports.ts'
import type { MessageRow } from '../store/queries/messages.ts'
import type { Caller } from './ports.ts'

/** An event about a message. What concerns one agent names it as `agent`, what concerns several as `agents`. */
export function messageEvent(
  verb: Exclude<VerbOf<'stateward.message'>, 'sent'>,
  message: { readonly message_id: string; readonly thread_id: string },
  about: { readonly namespace: string; readonly agents: readonly string[]; readonly data?: JsonObject },
  by: Caller & { readonly eventId: string; readonly now: Date },
): NewEvent {
  return {
    event_id: by.eventId,
    event_name: `stateward.message.${verb}` satisfies EventName,
    occurred_at: by.now,
    env_id: about.namespace,
    actor: by.actor,
    correlation_id: by.correlationId,
    resource: { type: 'Message', id: message.message_id },
    data: { namespace: about.namespace, ...named(about.agents), thread_id: message.thread_id, ...about.data },
  }
}

/** The event of a message has its id, so that who got it over the stream knows it when it comes by polling. */
export function sentEvent(message: NewMessage): NewEvent {
  return {
    event_id: message.message_id,
    event_name: 'stateward.message.sent' satisfies EventName,
    occurred_at: message.sent_at,
    env_id: message.namespace,
    actor: message.sender,
    correlation_id: message.correlation_id,
    resource: { type: 'Message', id: message.message_id },
    data: sentData(message, message.recipients),
  }
}

/** The same event, made again of its message for one of those it reaches. */
export function sentEventFor(message: MessageRow, agent: string): LoggedEvent {
  return {
    seq: message.seq,
    event_id: message.message_id,
    event_name: 'stateward.message.sent' satisfies EventName,
    occurred_at: message.sent_at.toISOString(),
    env_id: message.namespace,
    actor: message.sender,
    correlation_id: message.correlation_id,
    run_id: null,
    step_id: null,
    resource: { type: 'Message', id: message.message_id },
    data: sentData(message, [agent]),
  }
}

function sentData(message: NewMessage | MessageRow, agents: readonly string[]): JsonObject {
  return {
    namespace: message.namespace,
    ...named(agents),
    from: message.sender,
    to_kind: message.to_kind,
    to: message.to_name,
    topic: message.topic,
    thread_id: message.thread_id,
    reply_to: message.reply_to,
    type: message.type,
    subject: message.subject,
  }
}

function named(agents: readonly string[]): JsonObject {
  return agents.length === 1 ? { agent: agents[0]! } : { agents: [...agents] }
}
