import { createHmac, timingSafeEqual } from 'node:crypto'
import type { CompiledWebhook } from '../../blueprints/compiled-plan.ts'

/** A delivery as it came; names of headers are in lower case. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/**
 * Whether a delivery was signed with this key: HMAC-SHA256 over the raw body, or over `<timestamp>.<body>` where the webhook
 * has a header for the time, which then has to be within the replay window. Compared in constant time.
 */
export function isSigned(webhook: CompiledWebhook, secret: string, { headers, body }: Delivery, now: Date): boolean {
  const given = signatureOf(headers[webhook.header])
  if (given === null) return false
  const hmac = createHmac('sha256', secret)
  if (webhook.timestampHeader !== null) {
    const timestamp = headers[webhook.timestampHeader]
    if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) return false
    if (Math.abs(now.getTime() - Number(timestamp) * 1000) > webhook.replayWindowMs) return false
    hmac.update(`${timestamp}.`)
  }
  return timingSafeEqual(hmac.update(body).digest(), given)
}

const PREFIX = 'sha256='

function signatureOf(header: string | string[] | undefined): Buffer | null {
  if (typeof header !== 'string') return null
  const text = header.startsWith(PREFIX) ? header.slice(PREFIX.length) : header
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : null
}
