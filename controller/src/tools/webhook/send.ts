import { createHmac } from 'node:crypto'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Json } from '../../lib/json.ts'
import { traceparentOf } from '../../lib/trace-context.ts'
import { sendWithin } from '../http/send.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

async function run(call: Invocation, { clock }: ToolDependencies): Promise<Json> {
  const {
    url: text,
    payload = null,
    secret,
    event = 'stateward.webhook',
  } = call.parameters as {
    url: string
    payload?: Json
    /** In the place of `secret_ref`. */
    secret: string
    event?: string
  }
  const url = URL.parse(text)
  if (url === null) throw fail('SW_VALIDATION_FAILED', `${JSON.stringify(text)} is not a URL`)
  const body = JSON.stringify(payload)
  const timestamp = String(Math.floor(clock.now().getTime() / 1000))
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  const headers = new Headers({
    'content-type': 'application/json',
    'user-agent': 'stateward',
    'x-stateward-event': event,
    'x-stateward-delivery': call.operationId,
    'x-stateward-timestamp': timestamp,
    'x-stateward-signature': `sha256=${signature}`,
    'idempotency-key': call.operationId,
    traceparent: traceparentOf(call.correlationId, call.operationId),
  })
  let response: Response
  try {
    response = await sendWithin(call.reach, { url, method: 'POST', headers, body }, call.signal)
  } catch (cause) {
    call.signal.throwIfAborted()
    if (cause instanceof StatewardError) throw cause
    throw fail('SW_TOOL_FAILED', `${url.origin} did not take it: ${errorMessage(cause)}`, { cause })
  }
  await response.body?.cancel()
  if (response.ok) return { delivery: call.operationId, status: response.status }
  throw fail('SW_TOOL_FAILED', `${url.origin} answered ${response.status}`, {
    details: { status: response.status, retryable: response.status === 429 || response.status === 503 },
  })
}

export const webhookSend: BuiltinTool = {
  name: 'webhook.send',
  aliases: ['webhook_send'],
  description:
    'Sends a signed POST: X-Stateward-Signature is sha256=<HMAC-SHA256 of "<timestamp>.<body>">. Redirects are not followed.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['url', 'secret_ref'],
    properties: {
      url: { type: 'string', pattern: '^[Hh][Tt][Tt][Pp][Ss]?://', maxLength: 8192 },
      payload: { description: 'Any JSON. Default: null.' },
      secret_ref: { type: ['string', 'object'], description: 'The secret it is signed with.' },
      event: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,128}$', description: 'Default: stateward.webhook.' },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['delivery', 'status'],
    properties: { delivery: { type: 'string' }, status: { type: 'integer' } },
  },
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: false,
  outbound: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 300 },
  rateLimit: { calls: 600, per: '1m' },
  timeout: '60s',
  run,
}
