import { createHash, timingSafeEqual } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { isShellText, shellLine } from '../../expressions/shell-template.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage, StatewardError } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { checkHost, lookupWithin } from '../net/reach.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { cleanText, LineLog } from '../text.ts'
import type { BuiltinTool } from '../tool.ts'
import { isKnownHost } from './known-hosts.ts'

const MAX_OUTPUT = 512 * 1024
const CONNECT_MS = 15_000

interface Target {
  readonly user: string
  readonly host: string
  readonly port: number
}

interface Parameters {
  readonly host: string
  readonly port?: number
  readonly user?: string
  readonly hostKey?: string
  /** In the places of `key_ref` and `password_ref`. */
  readonly key?: string
  readonly password?: string
  readonly stdin?: string
  readonly okExitCodes?: readonly number[]
}

/** `web-1`, `ops@web-1`, `ops@web-1:2222`, `[::1]:22`. */
function targetOf({ host, port, user }: Parameters, fallback: string | null): Target {
  const [, login, bracketed, plain, colon] =
    /^(?:([A-Za-z0-9_.-]+)@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)|(?=[0-9A-Fa-f]*:[0-9A-Fa-f:.]*$))(?::(\d{1,5}))?$/.exec(
      host,
    ) ?? []
  const name = bracketed ?? plain ?? (isIP(host) === 6 ? host : undefined)
  const who = user ?? login ?? fallback
  if (name === undefined) throw fail('SW_VALIDATION_FAILED', `${JSON.stringify(host)} is not the name of a host`)
  if (who === null)
    throw fail('SW_VALIDATION_FAILED', 'nobody says as whom to log in', {
      remedy: 'give user, write user@host, or set the secret ssh/user',
    })
  return { user: who, host: name, port: port ?? (colon === undefined ? 22 : Number(colon)) }
}

async function run(call: Invocation, { secrets }: ToolDependencies): Promise<Json> {
  const parameters = call.parameters as unknown as Parameters
  const cmd = call.parameters['cmd']
  const line = isShellText(cmd) ? shellLine(cmd) : String(cmd)
  const read = (key: string) => secrets.read({ name: 'ssh', key }, call.use)
  const target = targetOf(
    parameters,
    parameters.user === undefined && !parameters.host.includes('@') ? await read('user') : null,
  )
  const { key, password } = parameters
  const credential = key ?? password ?? (await read('key'))
  if (credential === null || credential === undefined)
    throw fail('SW_SECRET_MISSING', 'not there: a key to log in with', {
      remedy: 'give key_ref or password_ref, or set the secret ssh/key',
    })
  const known = parameters.hostKey === undefined ? await read('known_hosts') : null
  if (known === null && parameters.hostKey === undefined)
    throw fail('SW_SECRET_MISSING', `nobody says which key ${target.host} has`, {
      remedy: 'give hostKey: SHA256:…, or set the secret ssh/known_hosts to the lines of ssh-keyscan',
    })
  checkHost(call.reach, target.host)
  const config: ConnectConfig = {
    username: target.user,
    readyTimeout: CONNECT_MS,
    ...(key === undefined && password !== undefined ? { password } : { privateKey: credential }),
    hostVerifier: (given: Buffer) =>
      parameters.hostKey === undefined ? isKnownHost(known!, target, given) : isFingerprint(parameters.hostKey, given),
  }
  const end = await execute(config, target, line, parameters.stdin ?? '', call)
  const output = { exitCode: end.exitCode, stdout: end.stdout, stderr: end.stderr }
  if ((parameters.okExitCodes ?? [0]).includes(end.exitCode)) return output
  const said = cleanText((end.stderr.trim() || end.stdout.trim()).slice(-1024))
  throw fail('SW_TOOL_FAILED', `${target.host}: exit code ${end.exitCode}${said === '' ? '' : `: ${said}`}`, {
    details: { exit_code: end.exitCode, retryable: false },
  })
}

function isFingerprint(wanted: string, key: Buffer): boolean {
  const given = Buffer.from(createHash('sha256').update(key).digest('base64').replace(/=+$/, ''))
  const expected = Buffer.from(wanted.replace(/^SHA256:/, '').replace(/=+$/, ''))
  return given.length === expected.length && timingSafeEqual(given, expected)
}

interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

async function execute(
  config: ConnectConfig,
  target: Target,
  line: string,
  stdin: string,
  call: Invocation,
): Promise<Ended> {
  const sock = await connected(target, call)
  const client = new ssh2.Client()
  const stop = (): void => {
    client.destroy()
    sock.destroy()
  }
  call.signal.addEventListener('abort', stop, { once: true })
  // Until the command was handed over, nothing of it has happened.
  let isSent = false
  try {
    return await new Promise<Ended>((resolve, reject) => {
      client
        .once('error', reject)
        .once('close', () => reject(new Error('the connection was closed')))
        .once('ready', () => {
          isSent = true
          client.exec(line, (error, channel) => {
            if (error === undefined) collect(channel, stdin, call).then(resolve, reject)
            else reject(error)
          })
        })
        .connect({ ...config, sock })
    })
  } catch (cause) {
    call.signal.throwIfAborted()
    if (cause instanceof StatewardError) throw cause
    const level = (cause as { level?: string }).level
    const why =
      level === 'client-authentication'
        ? `${target.host} does not let ${target.user} in`
        : errorMessage(cause).includes('Host denied')
          ? `the key of ${target.host} is not the one that is known`
          : errorMessage(cause)
    throw fail('SW_TOOL_FAILED', `ssh: ${why}`, { cause, details: { retryable: !isSent && level === 'client-socket' } })
  } finally {
    call.signal.removeEventListener('abort', stop)
    client.end()
    sock.destroy()
  }
}

async function connected({ host, port }: Target, { reach, signal }: Invocation): Promise<Socket> {
  const sock = connectTcp({ host, port, lookup: lookupWithin(reach), signal })
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), CONNECT_MS)
      sock
        .once('connect', resolve)
        .once('error', reject)
        .once('close', () => clearTimeout(timer))
      sock.once('connect', () => clearTimeout(timer))
    })
    return sock
  } catch (cause) {
    sock.destroy()
    signal.throwIfAborted()
    if (cause instanceof StatewardError) throw cause
    throw fail('SW_TOOL_FAILED', `ssh: ${host} cannot be reached: ${errorMessage(cause)}`, {
      cause,
      details: { retryable: true },
    })
  }
}

async function collect(channel: ClientChannel, stdin: string, call: Invocation): Promise<Ended> {
  const lines = new LineLog(call.log)
  const texts = { stdout: '', stderr: '' }
  const exitCode = await new Promise<number>((resolve, reject) => {
    let code = 255
    const take = (name: 'stdout' | 'stderr') => (text: string) => {
      if (texts[name].length + text.length > MAX_OUTPUT)
        return reject(fail('SW_OUTPUT_TOO_LARGE', `the command printed more than ${MAX_OUTPUT} bytes`))
      texts[name] += text
      if (name === 'stderr') lines.push(text)
    }
    channel.setEncoding('utf8').on('data', take('stdout'))
    channel.stderr.setEncoding('utf8').on('data', take('stderr'))
    channel
      .once('exit', (given: number | null, signal?: string) => {
        code = given ?? (signal === undefined ? 255 : 128)
      })
      .once('error', reject)
      .once('close', () => resolve(code))
    channel.end(stdin)
  })
  lines.end()
  return { exitCode, ...texts }
}

const secret: JsonObject = { type: ['string', 'object'] }

export const sshRun: BuiltinTool = {
  name: 'ssh.run',
  aliases: ['ssh_run'],
  description:
    'Runs a command on a host over SSH. Values in it are quoted. The key of the host has to be known; user, key and known hosts may come from the secrets ssh/user, ssh/key and ssh/known_hosts.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['host', 'cmd'],
    properties: {
      host: { type: 'string', minLength: 1, maxLength: 300, description: 'host, user@host or user@host:port.' },
      cmd: {
        type: 'string',
        minLength: 1,
        maxLength: 65_536,
        'x-shell': true,
        description: 'Read by the login shell.',
      },
      port: { type: 'integer', minimum: 1, maximum: 65535 },
      user: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$' },
      hostKey: { type: 'string', pattern: '^SHA256:[A-Za-z0-9+/]{43}=?$', description: 'Fingerprint of the host key.' },
      key_ref: { ...secret, description: 'The secret with the private key.' },
      password_ref: { ...secret, description: 'The secret with the password.' },
      stdin: { type: 'string' },
      okExitCodes: {
        type: 'array',
        items: { type: 'integer', minimum: 0, maximum: 255 },
        minItems: 1,
        description: 'Exit codes that are no failure. Default: only 0.',
      },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['exitCode', 'stdout', 'stderr'],
    properties: { exitCode: { type: 'integer' }, stdout: { type: 'string' }, stderr: { type: 'string' } },
  },
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: false,
  outbound: true,
  usesWorkspace: false,
  rateLimit: { calls: 600, per: '1m' },
  cost: { estimatedCents: 0, estimatedLatencyMs: 1500 },
  timeout: '10m',
  run,
}
