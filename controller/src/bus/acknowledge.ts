import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import { appendEvents } from '../store/log.ts'
import { acknowledge, type Mailbox, reviveDeliveries } from '../store/queries/deliveries.ts'
import { getMessage, type MessageRow } from '../store/queries/messages.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { messageEvent } from './message-events.ts'
import type { Caller } from './ports.ts'

interface Deps {
  readonly store: Store
  readonly nudge: (seq: number) => void
}

/** Acknowledges a delivery; again it is no change and the same answer. SW_NOT_FOUND: it was not sent to this agent. */
export async function acknowledgeMessage(
  { store, nudge }: Deps,
  messageId: string,
  mailbox: Mailbox,
  caller: Caller,
): Promise<{ readonly message: MessageRow; readonly ackedAt: Date }> {
  const now = store.clock.now()
  const message = await messageOf(store, messageId)
  const { ackedAt, seq } = await transact(store, async (tx) => {
    const done = await acknowledge(tx, messageId, mailbox, { actor: caller.actor, now })
    if (done === null)
      throw fail('SW_NOT_FOUND', `message ${messageId} was not sent to ${mailbox.namespace}/${mailbox.agent}`)
    if (!done.isNew) return { ...done, seq: null }
    const event = messageEvent(
      'acknowledged',
      message,
      { namespace: mailbox.namespace, agents: [mailbox.agent], data: { from: message.sender } },
      { ...caller, eventId: uuidv7(now.getTime()), now },
    )
    return { ...done, seq: (await appendEvents(tx, store, [event])).lastSeq }
  })
  if (seq !== null) nudge(seq)
  return { message, ackedAt }
}

/** Hands out again what was given up. SW_CONFLICT: nothing of it was. */
export async function redeliverMessage(
  { store, nudge }: Deps,
  messageId: string,
  agent: string | null,
  caller: Caller,
): Promise<{ readonly message: MessageRow; readonly agents: readonly string[] }> {
  const now = store.clock.now()
  const message = await messageOf(store, messageId)
  const { agents, seq } = await transact(store, async (tx) => {
    const agents = await reviveDeliveries(tx, messageId, agent)
    if (agents.length === 0)
      throw fail('SW_CONFLICT', `message ${messageId} has no dead letter${agent === null ? '' : ` of ${agent}`}`)
    const event = messageEvent(
      'redelivered',
      message,
      { namespace: message.namespace, agents },
      { ...caller, eventId: uuidv7(now.getTime()), now },
    )
    return { agents, seq: (await appendEvents(tx, store, [event])).lastSeq }
  })
  nudge(seq)
  return { message, agents }
}

async function messageOf({ reader }: Store, messageId: string): Promise<MessageRow> {
  const message = await getMessage(reader, messageId)
  if (message === null) throw fail('SW_NOT_FOUND', `there is no message ${messageId}`)
  return message
}
