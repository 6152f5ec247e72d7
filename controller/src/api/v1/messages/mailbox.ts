import { fail } from '../../../lib/error-catalogue.ts'
import type { Mailbox } from '../../../store/queries/deliveries.ts'
import type { MessageRow } from '../../../store/queries/messages.ts'
import { takesPart } from '../../../store/queries/messages.ts'
import type { Principal } from '../../auth/principal.ts'
import type { ApiContext } from '../../context.ts'
import { checkAgentName } from '../agents/own-agent.ts'

/** Namespace of who does not say one. */
const DEFAULT_NAMESPACE = 'default'

/** The namespace a request is about: an agent's own, whatever it says. Throws SW_FORBIDDEN when it says another one. */
export function namespaceFor(principal: Principal, asked: string | undefined): string {
  if (principal.type !== 'agent') return asked ?? DEFAULT_NAMESPACE
  if (asked !== undefined && asked !== principal.namespace)
    throw fail('SW_FORBIDDEN', `${principal.name} may not act in namespace ${asked}`)
  return principal.namespace
}

/** Whose messages a request is about: an agent's own; anybody else names the agent. */
export async function mailboxOf(
  context: ApiContext,
  principal: Principal,
  asked: { readonly agent?: string; readonly namespace?: string },
): Promise<Mailbox> {
  if (principal.type === 'agent') {
    if (asked.agent !== undefined) await checkAgentName(context, principal, asked.agent, asked.namespace)
    return { namespace: principal.namespace, agent: principal.agent }
  }
  if (asked.agent === undefined)
    throw fail('SW_BAD_REQUEST', 'whose messages? An agent reads its own; anybody else says ?agent=')
  const namespace = asked.namespace ?? DEFAULT_NAMESPACE
  const agent = context.services.messages.find(namespace, asked.agent)
  if (agent === null) throw fail('SW_NOT_FOUND', `there is no agent ${asked.agent} in namespace ${namespace}`)
  return { namespace, agent: agent.name }
}

/** Throws SW_NOT_FOUND for an agent that neither sent it nor was sent anything of its thread. */
export async function checkVisible({ store }: ApiContext, principal: Principal, message: MessageRow): Promise<void> {
  if (principal.type !== 'agent') return
  const own = { namespace: principal.namespace, name: principal.agent }
  if (message.sender === principal.name || (await takesPart(store.reader, message.thread_id, own))) return
  throw fail('SW_NOT_FOUND', `there is no message ${message.message_id}`)
}
