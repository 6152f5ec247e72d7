import { createHmac } from 'node:crypto'
import type { EventName } from '../events/catalogue.ts'
import { type SecretReader, secretName, secretText } from '../kinds/secret-ref.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { uuidv7 } from '../lib/ids.ts'
import type { JsonObject } from '../lib/json.ts'
import { appendEvents } from '../store/log.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { Gone, type Notification, type Route, type Send } from './ports.ts'

export interface SendDeps {
  readonly store: Store
  readonly secrets: SecretReader
}

/** Sends a notification the way its route says. */
export function sender(deps: SendDeps): Send {
  return async (notification, route, signal) => {
    switch (route.provider) {
      case 'console':
        return tell(deps, notification)
      case 'sse':
        return post(deps, notification)
      case 'webhook':
        return callWebhook(deps, notification, route, signal)
      case 'email':
        return mail(deps, notification, route, signal)
    }
  }
}

/** What receivers get: the event as CloudEvents name its parts, and which route it came by. */
function bodyOf({ deliveryId, namespace, route, severity, event, suppressed }: Notification): JsonObject {
  return {
    delivery_id: deliveryId,
    route: `${namespace}/${route}`,
    severity,
    suppressed,
    event: {
      id: event.event_id,
      type: event.event_name,
      time: event.occurred_at,
      environment: event.env_id,
      actor: event.actor,
      correlation_id: event.correlation_id,
      subject: event.resource === null ? null : `${event.resource.type}/${event.resource.id}`,
      data: event.data,
    },
  }
}

function tell({ store }: SendDeps, { namespace, route, severity, event, suppressed }: Notification): void {
  const fields = {
    route: `${namespace}/${route}`,
    severity,
    event: event.event_name,
    event_id: event.event_id,
    ...(event.resource === null ? {} : { subject: `${event.resource.type}/${event.resource.id}` }),
    correlation_id: event.correlation_id,
    suppressed,
    data: event.data,
  }
  if (severity === 'info') store.log.info(fields, 'notification')
  else store.log.warn(fields, 'notification')
}

async function post({ store }: SendDeps, notification: Notification): Promise<void> {
  const { deliveryId, namespace, route, severity, event, suppressed } = notification
  const now = store.clock.now()
  await transact(store, (tx) =>
    appendEvents(tx, store, [
      {
        event_id: uuidv7(now.getTime()),
        event_name: 'stateward.notification.posted' satisfies EventName,
        occurred_at: now,
        env_id: event.env_id,
        actor: 'system:notifications',
        correlation_id: event.correlation_id,
        ...(event.resource === null ? {} : { resource: event.resource }),
        data: {
          ...{ delivery_id: deliveryId, namespace, route, notified_event: event.event_name, severity },
          ...{ event_id: event.event_id, data: event.data, suppressed },
        },
      },
    ]),
  )
}

/**
 * One POST with `X-Stateward-Signature: sha256=<hex HMAC-SHA256 of "<timestamp>.<body>">`. Any 2xx is an arrival; 410 says that
 * nobody wants it any more. Redirects are not followed: the signature is for this address.
 */
async function callWebhook(
  deps: SendDeps,
  notification: Notification,
  route: Route,
  signal: AbortSignal,
): Promise<void> {
  const { webhook } = route.spec
  if (webhook === undefined) throw new Gone('the route has no address any more')
  const key = await secretOf(deps, route)
  const body = JSON.stringify(bodyOf(notification))
  const timestamp = Math.floor(deps.store.clock.now().getTime() / 1000)
  const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  let response: Response
  try {
    response = await fetch(webhook.url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal,
      headers: {
        ...webhook.headers,
        'content-type': 'application/json',
        'user-agent': 'stateward',
        'x-stateward-delivery': notification.deliveryId,
        'x-stateward-timestamp': String(timestamp),
        'x-stateward-signature': `sha256=${signature}`,
      },
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new Error(signal.aborted ? 'the receiver did not answer in time' : errorMessage(cause))
  }
  await response.body?.cancel()
  if (response.ok) return
  const problem = `the receiver answered ${response.status}`
  throw response.status === 410 ? new Gone(problem) : new Error(problem)
}

async function mail(deps: SendDeps, notification: Notification, route: Route, signal: AbortSignal): Promise<void> {
  const { email } = route.spec
  if (email === undefined) throw new Gone('the route has no address any more')
  const { createTransport } = await import('nodemailer')
  const { host, port = 587, secure = false, user, from, to } = email
  const transport = createTransport({
    ...{ host, port, secure, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 10_000 },
    ...(user === undefined ? {} : { auth: { user, pass: await secretOf(deps, route) } }),
  })
  const end = (): void => transport.close()
  signal.addEventListener('abort', end, { once: true })
  const { event, severity, suppressed } = notification
  const about = event.resource === null ? '' : ` ${event.resource.type}/${event.resource.id}`
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: `[${severity}] ${event.event_name}${about}`.replaceAll(/[\r\n]+/g, ' ').slice(0, 200),
      text: `${JSON.stringify(bodyOf(notification), null, 2)}\n${suppressed === 0 ? '' : `\n${suppressed} more of the same were not sent.\n`}`,
      // The same delivery tried again is the same mail to who has it already.
      messageId: `<${notification.deliveryId}@stateward>`,
      headers: { 'X-Stateward-Delivery': notification.deliveryId, 'Auto-Submitted': 'auto-generated' },
    })
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

async function secretOf({ secrets }: SendDeps, { namespace, name, spec }: Route): Promise<string> {
  const ref = secretName(spec.secretRef ?? {})
  const value = await secrets.read(ref, { consumer: `route:${namespace}/${name}`, namespace })
  if (value === null || value === '') throw fail('SW_SECRET_MISSING', `not there: secret ${secretText(ref)}`)
  return value
}
