import type { MessageVerbs } from '../api/ports/messages.ts'
import { acknowledgeMessage, redeliverMessage } from '../bus/acknowledge.ts'
import { deliver, giveUp } from '../bus/deliver.ts'
import type { PendingFor } from '../bus/ports.ts'
import { sendMessage } from '../bus/send-message.ts'
import { tellAgent } from '../interventions/delivery.ts'
import { addresseesOf } from './addressees.ts'
import type { Core } from './core.ts'

/** Interventions come before messages. */
function interventionsFor({ store }: Pick<Core, 'store'>): PendingFor {
  return async ({ instanceId, ...agent }) =>
    (await tellAgent(store, { agent, instanceId })).all.map((data) => ({ event: 'intervention', data }))
}

/** Messages as the API serves them. */
export function messageVerbs(
  core: Pick<Core, 'store' | 'feed' | 'world'>,
  pendingFor: PendingFor = interventionsFor(core),
): MessageVerbs {
  const { store, feed, world } = core
  const addressees = addresseesOf(world)
  const deps = { store, addressees, nudge: (seq: number) => feed.nudge(seq) }
  return {
    find: addressees.find,
    send: (request, caller) => sendMessage(deps, request, caller),
    async deliver(mailbox, page) {
      if (page.messages === undefined) await giveUp(deps, mailbox)
      return deliver(deps, mailbox, page)
    },
    acknowledge: (messageId, mailbox, caller) => acknowledgeMessage(deps, messageId, mailbox, caller),
    redeliver: (messageId, agent, caller) => redeliverMessage(deps, messageId, agent, caller),
    pendingFor,
  }
}
