import type { DeliveryPage } from '../../bus/deliver.ts'
import type { Addressee, PendingFor } from '../../bus/ports.ts'
import type { SendRequest } from '../../bus/send-message.ts'
import type { DeliveredMessage, Mailbox } from '../../store/queries/deliveries.ts'
import type { MessageRow } from '../../store/queries/messages.ts'
import type { Caller } from '../caller.ts'

/** Messages between agents and people; what each throws stands with the functions of `bus`. */
export interface MessageVerbs {
  /** An agent by its name, `agentId` or uid; null = there is none. */
  find(namespace: string, reference: string): Addressee | null
  send(
    request: SendRequest,
    caller: Caller & { readonly agent: Addressee | null },
  ): Promise<{ readonly message: MessageRow; readonly isNew: boolean }>
  /** What an agent has not acknowledged, after what was handed out in vain is given up. */
  deliver(mailbox: Mailbox, page: DeliveryPage): Promise<readonly DeliveredMessage[]>
  acknowledge(
    messageId: string,
    mailbox: Mailbox,
    caller: Caller,
  ): Promise<{ readonly message: MessageRow; readonly ackedAt: Date }>
  redeliver(
    messageId: string,
    agent: string | null,
    caller: Caller,
  ): Promise<{ readonly message: MessageRow; readonly agents: readonly string[] }>
  /** What comes before messages: interventions. */
  readonly pendingFor: PendingFor
}
