import { webhookEvent } from '../../blueprints/compile-triggers.ts'
import type { CompiledWebhook } from '../../blueprints/compiled-plan.ts'
import { checkEventData, type DeclaredEventTypes } from '../../events/declared-types.ts'
import type { SecretReader } from '../../kinds/secret-ref.ts'
import { digestOf, sha256 } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Tx } from '../../store/database.ts'
import { appendEvents } from '../../store/log.ts'
import { claimKey, completeKey } from '../../store/queries/idempotency.ts'
import type { Store } from '../../store/store.ts'
import { transact } from '../../store/transact.ts'
import type { Blueprints, EnvironmentOf } from '../ports.ts'
import { WEBHOOK } from '../triggers/trigger-match.ts'
import { type Delivery, isSigned } from './webhook-signature.ts'

export interface WebhooksDeps {
  readonly store: Store
  readonly blueprints: Blueprints
  readonly environmentOf: EnvironmentOf
  readonly eventTypes: DeclaredEventTypes
  readonly secrets: SecretReader
}

export interface WebhookDelivery extends Delivery {
  readonly namespace: string
  readonly name: string
  /** Reads the body, once it is known that it may be believed. */
  readonly content: () => Json
  readonly correlationId: string
}

export interface WebhookAnswer {
  readonly eventId: string
  readonly eventName: string
  /** Null when this delivery had come before: nothing new was written. */
  readonly seq: number | null
}

/**
 * Makes a delivery an event, once: the same id or the same body within the replay window gets the first answer again.
 * SW_NOT_FOUND: no blueprint declares the webhook. SW_UNAUTHENTICATED: no key of it made the signature. SW_NOT_READY: its
 * keys cannot be read. SW_EVENT_DATA: what was delivered does not fit the schema that is declared for its event.
 */
export async function receiveWebhook(deps: WebhooksDeps, delivery: WebhookDelivery): Promise<WebhookAnswer> {
  const webhook = await believed(deps, delivery)
  const { store } = deps
  const content = delivery.content()
  const deliveryId = textHeader(delivery, webhook.deliveryHeader)
  const name = webhookEvent(delivery.name)
  const data = { delivery: deliveryId, headers: tellingHeaders(delivery, webhook), body: content }
  await checkEventData(deps.eventTypes, { name, data }, 'data')
  return transact(store, async (tx) => {
    const now = store.clock.now()
    const event = {
      event_id: uuidv7(now.getTime()),
      event_name: name,
      occurred_at: now,
      env_id: deps.environmentOf(delivery.namespace).id,
      actor: `webhook:${delivery.namespace}/${delivery.name}`,
      correlation_id: delivery.correlationId,
      resource: { type: WEBHOOK, id: `${delivery.namespace}/${delivery.name}` },
      data,
    }
    const before = await remember(tx, delivery, webhook, deliveryId, now, event.event_id)
    if (before !== null) return { eventId: before, eventName: event.event_name, seq: null }
    const { lastSeq } = await appendEvents(tx, store, [event])
    return { eventId: event.event_id, eventName: event.event_name, seq: lastSeq }
  })
}

/** The declaration that believes the delivery: several blueprints of a namespace may declare a webhook, each with its key. */
async function believed(deps: WebhooksDeps, delivery: WebhookDelivery): Promise<CompiledWebhook> {
  const declared = new Map<string, CompiledWebhook>()
  for (const blueprint of deps.blueprints.all()) {
    if (blueprint.namespace !== delivery.namespace) continue
    for (const { webhook } of blueprint.plan.triggers)
      if (webhook?.name === delivery.name) declared.set(digestOf(webhook), webhook)
  }
  if (declared.size === 0) throw fail('SW_NOT_FOUND', 'there is no such webhook')
  let missing = 0
  for (const webhook of declared.values()) {
    const secret = await readSecret(deps, webhook, delivery.namespace)
    if (secret === null) missing++
    else if (isSigned(webhook, secret, delivery, deps.store.clock.now())) return webhook
  }
  if (missing === declared.size) throw fail('SW_NOT_READY', 'this webhook cannot be served at the moment')
  throw fail('SW_UNAUTHENTICATED', 'the delivery was not accepted', { remedy: 'sign it with the key of the webhook' })
}

/** Senders are told nothing about keys; the log is. */
async function readSecret(
  { secrets, store }: WebhooksDeps,
  { name, secretRef }: CompiledWebhook,
  namespace: string,
): Promise<string | null> {
  const fields = { webhook: name, secret: `${secretRef.name}/${secretRef.key}` }
  try {
    const value = await secrets.read(secretRef, { consumer: `webhook:${namespace}/${name}`, namespace })
    if (value !== null && value !== '') return value
    store.log.warn(fields, 'the key of a webhook is not there')
  } catch (error) {
    store.log.warn({ ...fields, err: error }, 'the key of a webhook cannot be read')
  }
  return null
}

/** Takes the delivery's id and its body for this event; the event of an earlier delivery when one of them is taken. */
async function remember(
  tx: Tx,
  { namespace, name, body }: WebhookDelivery,
  { replayWindowMs }: CompiledWebhook,
  deliveryId: string | null,
  now: Date,
  eventId: string,
): Promise<string | null> {
  const digest = sha256(body)
  const keys = [...(deliveryId === null ? [] : [`delivery:${sha256(deliveryId)}`]), `body:${digest}`].map((key) => ({
    principal: `webhook:${namespace}/${name}`,
    route: 'POST /api/v1/webhooks/:name',
    key,
  }))
  const since = new Date(now.getTime() - replayWindowMs)
  const claimed: typeof keys = []
  let first: string | null = null
  for (const key of keys) {
    const claim = await claimKey(tx, key, { digest, now, staleBefore: since, abandonedBefore: since })
    if (claim.kind === 'ours') claimed.push(key)
    else first ??= String(claim.row.response)
  }
  // What was claimed just now stands for the same event from here on; what was there before stays as it is.
  for (const key of claimed) await completeKey(tx, key, 202, JSON.stringify(first ?? eventId))
  return first
}

const MAX_HEADERS = 50
const MAX_HEADER = 1024

/** What a sender says of its delivery (X-…, type and agent), without the signature and what proxies add. */
function tellingHeaders(delivery: Delivery, webhook: CompiledWebhook): JsonObject {
  return Object.fromEntries(
    Object.keys(delivery.headers)
      .filter((name) => name.startsWith('x-') || name === 'content-type' || name === 'user-agent')
      .filter((name) => name !== webhook.header && !/^x-(hub-signature|forwarded|real-ip)/.test(name))
      .flatMap((name) => {
        const value = textHeader(delivery, name)
        return value === null ? [] : [[name, value]]
      })
      .slice(0, MAX_HEADERS),
  )
}

function textHeader({ headers }: Delivery, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_HEADER) : null
}
