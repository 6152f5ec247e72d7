import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

/** Names of secrets and where they are. A value is handed to the tool that names it with `<parameter>_ref`, and to nobody else. */

const MAX_NAMES = 5000

async function list(_call: Invocation, { secretNames }: ToolDependencies): Promise<Json> {
  const found = await secretsOf(secretNames).list()
  return {
    providers: found.map(({ provider, secrets, problem }): JsonObject => {
      return { provider, secrets: secrets === null ? null : secrets.slice(0, MAX_NAMES), problem }
    }),
  }
}

async function get({ parameters }: Invocation, { secretNames }: ToolDependencies): Promise<Json> {
  const { name, key } = parameters as { name: string; key: string }
  const { secret, provider, problem } = await secretsOf(secretNames).check({ name, key })
  return { secret, available: provider !== null, provider, problem }
}

function secretsOf(names: ToolDependencies['secretNames']): NonNullable<ToolDependencies['secretNames']> {
  if (names === undefined) throw fail('SW_NOT_READY', 'there are no secrets here')
  return names
}

const common = {
  risk: 'medium',
  sideEffects: 'none',
  idempotent: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 20 },
  timeout: '30s',
} as const

export const secretList: BuiltinTool = {
  ...common,
  name: 'secret.list',
  aliases: ['secret_list'],
  description: 'Lists the names of secrets by where they are. Values are nowhere in it.',
  inputSchema: { type: 'object', additionalProperties: false },
  outputSchema: { type: 'object', required: ['providers'], properties: { providers: { type: 'array' } } },
  run: list,
}

export const secretGet: BuiltinTool = {
  ...common,
  name: 'secret.get',
  aliases: ['secret_get'],
  description:
    'Says whether a secret is there and where, never its value: whoever uses it names it with <parameter>_ref.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'key'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 253 },
      key: { type: 'string', minLength: 1, maxLength: 253 },
    },
  },
  outputSchema: {
    type: 'object',
    required: ['secret', 'available', 'provider', 'problem'],
    properties: { secret: { type: 'string' }, available: { type: 'boolean' } },
  },
  run: get,
}
