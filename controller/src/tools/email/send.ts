import { createHash } from 'node:crypto'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Json } from '../../lib/json.ts'
import { addressWithin } from '../net/reach.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

interface Parameters {
  readonly to: string | readonly string[]
  readonly cc?: string | readonly string[]
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly from?: string
  /** In the place of `smtp_ref`. */
  readonly smtp?: string
}

const listOf = (value: string | readonly string[] = []): string[] => (typeof value === 'string' ? [value] : [...value])

async function run(call: Invocation, { secrets }: ToolDependencies): Promise<Json> {
  const { to, cc, subject, text, html, from, smtp } = call.parameters as unknown as Parameters
  const given = smtp ?? (await secrets.read({ name: 'smtp', key: 'url' }, call.use))
  const server = given === null ? null : URL.parse(given)
  if (given === null)
    throw fail('SW_SECRET_MISSING', 'not there: the SMTP server', {
      remedy: 'give smtp_ref, or set the secret smtp/url to smtp://user:password@host:587',
    })
  if (server === null || !['smtp:', 'smtps:'].includes(server.protocol))
    throw fail('SW_VALIDATION_FAILED', 'the secret of the SMTP server is no smtp:// or smtps:// URL')
  const sender = from ?? server.searchParams.get('from')
  if (sender === null)
    throw fail('SW_VALIDATION_FAILED', 'nobody says who sends it', { remedy: 'give from, or add ?from=… to smtp/url' })
  const host = server.hostname.replace(/^\[|\]$/g, '')
  const address = await addressWithin(call.reach, host)
  const { createTransport } = await import('nodemailer')
  const secure = server.protocol === 'smtps:'
  const wait = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
  const user = decodeURIComponent(server.username)
  const transport = createTransport({
    ...wait,
    host: address,
    port: server.port === '' ? (secure ? 465 : 587) : Number(server.port),
    secure,
    // What is connected to is an address; its certificate names the host.
    tls: { servername: host },
    ...(user === ''
      ? {}
      : { auth: { user, pass: decodeURIComponent(server.password) }, requireTLS: !secure && !isLocal(address) }),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const end = (): void => transport.close()
  call.signal.addEventListener('abort', end, { once: true })
  try {
    const messageId = `<${createHash('sha256').update(call.operationId).digest('hex').slice(0, 32)}@stateward>`
    const sent = await transport.sendMail({
      from: sender,
      to: listOf(to),
      ...(cc === undefined ? {} : { cc: listOf(cc) }),
      subject: subject.replaceAll(/[\r\n]+/g, ' '),
      text,
      ...(html === undefined ? {} : { html }),
      messageId,
      headers: { 'X-Stateward-Operation': call.operationId, 'Auto-Submitted': 'auto-generated' },
    })
    return {
      message_id: messageId,
      accepted: (sent.accepted as (string | { address: string })[]).map((one) =>
        typeof one === 'string' ? one : one.address,
      ),
      rejected: (sent.rejected as (string | { address: string })[]).map((one) =>
        typeof one === 'string' ? one : one.address,
      ),
    }
  } catch (cause) {
    call.signal.throwIfAborted()
    throw fail('SW_TOOL_FAILED', `the mail was not taken: ${errorMessage(cause)}`, { cause })
  } finally {
    call.signal.removeEventListener('abort', end)
    end()
  }
}

/** A password goes over no wire in the clear. */
function isLocal(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

const addresses = {
  anyOf: [
    { type: 'string', minLength: 3, maxLength: 320 },
    { type: 'array', minItems: 1, maxItems: 50, items: { type: 'string', minLength: 3, maxLength: 320 } },
  ],
}

export const emailSend: BuiltinTool = {
  name: 'email.send',
  aliases: ['email_send'],
  description: 'Sends a mail over SMTP. The server comes from smtp_ref, or from the secret smtp/url.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['to', 'subject', 'text'],
    properties: {
      to: addresses,
      cc: addresses,
      from: { type: 'string', minLength: 3, maxLength: 320, description: 'Default: ?from=… of the server.' },
      subject: { type: 'string', minLength: 1, maxLength: 500 },
      text: { type: 'string', maxLength: 262_144 },
      html: { type: 'string', maxLength: 262_144 },
      smtp_ref: { type: ['string', 'object'], description: 'A secret: smtp://user:password@host:587?from=…' },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['message_id', 'accepted', 'rejected'],
    properties: { message_id: { type: 'string' }, accepted: { type: 'array' }, rejected: { type: 'array' } },
  },
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: false,
  outbound: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1000 },
  // A loop that writes mails is noticed too late.
  rateLimit: { calls: 60, per: '1m' },
  timeout: '2m',
  run,
}
