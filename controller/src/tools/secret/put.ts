import { randomBytes } from 'node:crypto'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import { readBytes } from '../fs/read.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

/**
 * Gives a secret a value. Parameters are recorded, so none of them is the value: it is made here, stands in a file of the
 * workspace, or is another secret.
 */

interface Parameters {
  readonly name: string
  readonly key: string
  readonly store?: string
  readonly generate?: number
  readonly file?: string
  /** In the place of `value_ref`. */
  readonly value?: string
  readonly ifAbsent?: boolean
}

const MAX_VALUE = 64 * 1024

async function run(call: Invocation, { secretNames }: ToolDependencies): Promise<Json> {
  if (secretNames === undefined) throw fail('SW_NOT_READY', 'there are no secrets here')
  const { name, key, store, ifAbsent = false, ...source } = call.parameters as unknown as Parameters
  const secret = { name, key }
  if (ifAbsent) {
    const { provider } = await secretNames.check(secret)
    if (provider !== null) return { secret: `${name}/${key}`, provider, written: false }
  }
  const { provider } = await secretNames.put(secret, await newValue(source, call.workspace), call.use, store)
  return { secret: `${name}/${key}`, provider, written: true }
}

async function newValue({ generate, file = '', value }: Partial<Parameters>, workspace: string): Promise<string> {
  if (generate !== undefined) return randomBytes(generate).toString('base64url')
  const text = value ?? (await textOf(workspace, file))
  if (text === '' || Buffer.byteLength(text) > MAX_VALUE)
    throw fail('SW_TOOL_FAILED', `a secret has 1 to ${MAX_VALUE} bytes`)
  return text
}

async function textOf(workspace: string, file: string): Promise<string> {
  const bytes = await readBytes(workspace, file)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '')
  } catch (cause) {
    throw fail('SW_TOOL_FAILED', `${file} is not UTF-8`, { cause, remedy: 'write it as text, for example in base64' })
  }
}

const WORD = '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'

export const secretPut: BuiltinTool = {
  name: 'secret.put',
  aliases: ['secret_put'],
  description:
    'Gives a secret a value, where it is kept or in the data folder: random bytes, the text of a file of the workspace, or another secret. The value itself is no parameter, since those are recorded. Places that are only read refuse it.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'key'],
    properties: {
      name: { type: 'string', maxLength: 253, pattern: '^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$' },
      key: { type: 'string', maxLength: 63, pattern: WORD },
      store: {
        type: 'string',
        minLength: 1,
        maxLength: 128,
        description:
          'Where it is kept: data folder, SecretStore/<name>. Default: where it is now, else the data folder.',
      },
      generate: { type: 'integer', minimum: 16, maximum: 1024, description: 'So many random bytes, as base64url.' },
      file: {
        type: 'string',
        minLength: 1,
        description: 'A file of the workspace; its last line end is not part of it.',
      },
      value_ref: { type: ['string', 'object'], description: 'The secret whose value it gets.' },
      ifAbsent: { type: 'boolean', description: 'Leaves one that is there as it is. Default: false.' },
    },
    oneOf: [{ required: ['generate'] }, { required: ['file'] }, { required: ['value_ref'] }],
  },
  outputSchema: {
    type: 'object',
    required: ['secret', 'provider', 'written'],
    properties: { secret: { type: 'string' }, provider: { type: 'string' }, written: { type: 'boolean' } },
  },
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: false,
  // Made again, a random value is another one.
  idempotentFor: ({ generate, ifAbsent }) => generate === undefined || ifAbsent === true,
  rateLimit: { calls: 60, per: '1m' },
  cost: { estimatedCents: 0, estimatedLatencyMs: 50 },
  timeout: '30s',
  run,
}
