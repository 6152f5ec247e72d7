import { digestOf } from '../lib/digest.ts'
import { fail } from '../lib/error-catalogue.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { NewMessage, ReceiverKind } from '../store/intake.ts'
import type { MessageRow } from '../store/queries/messages.ts'
import { getMessage, missingArtifacts, takesPart, threadExists } from '../store/queries/messages.ts'
import type { Store } from '../store/store.ts'
import { sentEvent } from './message-events.ts'
import type { Addressee, Addressees, Caller } from './ports.ts'

export interface SendRequest {
  readonly namespace: string
  readonly to: { readonly kind: ReceiverKind; readonly name: string }
  readonly topic: string | null
  /** A thread that exists; null = its own, or that of `replyTo`. */
  readonly threadId: string | null
  readonly replyTo: string | null
  readonly type: string
  readonly subject: string | null
  readonly body: string
  readonly data: JsonObject
  readonly attachments: readonly { readonly artifact_id: string; readonly name: string | null }[]
  readonly idempotencyKey: string | null
  readonly expiresAt: Date | null
}

export interface SendDeps {
  readonly store: Pick<Store, 'intake' | 'engine' | 'clock'>
  readonly addressees: Addressees
  /** Says how far the log has come. */
  readonly nudge: (seq: number) => void
}

/**
 * Sends a message: when this resolves it is durable, and everybody it reaches has a delivery of it. With a key that its
 * sender used before, nothing is sent and the first message is the answer (`isNew` false).
 *
 * SW_NOT_FOUND: no such agent, thread, message to reply to or artifact. SW_CONFLICT: the key was used for another message.
 * SW_FORBIDDEN: an agent speaks in a thread it takes no part in.
 */
export async function sendMessage(
  { store, addressees, nudge }: SendDeps,
  request: SendRequest,
  caller: Caller & { readonly agent: Addressee | null },
): Promise<{ readonly message: MessageRow; readonly isNew: boolean }> {
  const { name, recipients } = receiversOf(addressees, request)
  const now = store.clock.now()
  if (request.expiresAt !== null && request.expiresAt <= now)
    throw fail('SW_VALIDATION_FAILED', 'the message would be over before it is sent: expires_at lies in the past')
  const messageId = uuidv7(now.getTime())
  const threadId = await threadOf(store, request, caller.agent)
  await checkAttachments(store, request)
  const message: NewMessage = {
    message_id: messageId,
    namespace: request.namespace,
    sender: caller.actor,
    to_kind: request.to.kind,
    to_name: name,
    topic: request.to.kind === 'topic' ? name : request.topic,
    thread_id: threadId ?? messageId,
    reply_to: request.replyTo,
    type: request.type,
    subject: request.subject,
    body: request.body,
    data: request.data,
    attachments: request.attachments as readonly Json[],
    idempotency_key: request.idempotencyKey,
    request_digest: request.idempotencyKey === null ? null : digestOf(request),
    correlation_id: caller.correlationId,
    sent_at: now,
    expires_at: request.expiresAt,
    recipients,
  }
  const taken = await store.intake.send(sentEvent(message), message)
  if ('seq' in taken) {
    nudge(taken.seq)
    const { recipients: reached, request_digest: _digest, ...row } = message
    return { message: { ...row, seq: taken.seq, recipients: reached.length }, isNew: true }
  }
  if (taken.known.request_digest !== message.request_digest)
    throw fail('SW_CONFLICT', `the key ${request.idempotencyKey} was used for another message`)
  const known = await getMessage(store.engine, taken.known.message_id)
  if (known === null) throw fail('SW_CONFLICT', 'the message of this key was deleted at this moment')
  return { message: known, isNew: false }
}

function receiversOf(
  addressees: Addressees,
  { namespace, to }: SendRequest,
): { readonly name: string; readonly recipients: readonly string[] } {
  switch (to.kind) {
    case 'agent': {
      const agent = addressees.find(namespace, to.name)
      if (agent === null) throw fail('SW_NOT_FOUND', `there is no agent ${to.name} in namespace ${namespace}`)
      return { name: agent.name, recipients: [agent.name] }
    }
    case 'role':
      return { name: to.name, recipients: addressees.holding(namespace, to.name) }
    case 'topic':
      return { name: to.name, recipients: addressees.following(namespace, to.name) }
  }
}

/** The thread it continues; null = it begins one. */
async function threadOf(
  { engine }: SendDeps['store'],
  { namespace, threadId, replyTo }: SendRequest,
  agent: Addressee | null,
): Promise<string | null> {
  if (threadId === null && replyTo === null) return null
  const replied = replyTo === null ? null : await getMessage(engine, replyTo)
  if (replyTo !== null && replied?.namespace !== namespace)
    throw fail('SW_NOT_FOUND', `there is no message ${replyTo} to reply to in namespace ${namespace}`)
  const thread = threadId ?? replied!.thread_id
  if (replied !== null && replied.thread_id !== thread)
    throw fail('SW_VALIDATION_FAILED', `message ${replyTo} is in thread ${replied.thread_id}, not in ${thread}`)
  if (replied === null && !(await threadExists(engine, thread, namespace)))
    throw fail('SW_NOT_FOUND', `there is no thread ${thread} in namespace ${namespace}`)
  if (agent !== null && !(await takesPart(engine, thread, agent)))
    throw fail('SW_FORBIDDEN', `${agent.namespace}/${agent.name} takes no part in thread ${thread}`)
  return thread
}

async function checkAttachments({ engine }: SendDeps['store'], { attachments }: SendRequest): Promise<void> {
  if (attachments.length === 0) return
  const missing = await missingArtifacts(
    engine,
    attachments.map(({ artifact_id }) => artifact_id),
  )
  if (missing.length > 0)
    throw fail('SW_NOT_FOUND', `there is no artifact ${missing[0]}`, {
      details: { artifacts: missing },
      remedy: 'store it first: POST /api/v1/artifacts, then PUT its content',
    })
}
