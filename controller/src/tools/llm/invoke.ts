import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { schemaViolations, violationsText } from '../../lib/json-schema.ts'
import { formatUsd } from '../../lib/usd.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

interface Parameters {
  readonly prompt?: string
  readonly messages?: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[]
  readonly system?: string
  readonly route?: string
  readonly provider?: string
  readonly model?: string
  readonly outputSchema?: JsonObject
  readonly maxTokens?: number
  readonly temperature?: number
  readonly taskClass?: string
  readonly privacy?: 'any' | 'localOnly'
}

async function run(call: Invocation, { models }: ToolDependencies): Promise<Json> {
  if (models === undefined) throw fail('SW_NOT_READY', 'models are not there yet')
  const { prompt, messages = [], outputSchema, ...given } = call.parameters as Parameters
  const answer = await models(
    {
      ...given,
      messages: [...messages, ...(prompt === undefined ? [] : [{ role: 'user' as const, text: prompt }])],
      ...(outputSchema === undefined ? {} : { outputSchema }),
      // Where nothing is let out, only models of this machine and its like are asked.
      ...(call.reach.rules.allowOutbound ? {} : { privacy: 'localOnly' as const }),
      namespace: call.use.namespace,
      actor: call.actor,
      correlationId: call.correlationId,
      operationId: call.operationId,
    },
    call.signal,
  )
  const { text, provider, model, isScripted, usage } = answer
  return {
    text,
    ...(outputSchema === undefined ? {} : { object: objectOf(text, outputSchema) }),
    provider,
    model,
    // Rules answered, and no model: whoever reads it should know.
    ...(isScripted ? { scripted: true } : {}),
    usage: usage === null ? null : { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    cost_usd: formatUsd(answer.costNanoUsd),
  }
}

function objectOf(text: string, schema: JsonObject): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw fail('SW_INVALID_OUTPUT', `the answer of the model is not JSON: ${errorMessage(cause)}`, { cause })
  }
  const violations = schemaViolations(schema, value)
  if (violations.length === 0) return value
  throw fail('SW_INVALID_OUTPUT', `the answer of the model does not fit: ${violationsText(violations)}`, {
    details: { violations },
  })
}

const word = (description: string): JsonObject => ({ type: 'string', minLength: 1, maxLength: 253, description })
const MAX_TEXT = 524_288

export const llmInvoke: BuiltinTool = {
  name: 'llm.invoke',
  aliases: ['llm_invoke'],
  description: 'Asks a model through the gateway: routed, paid from the budgets, recorded with its cost.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      prompt: { type: 'string', minLength: 1, maxLength: MAX_TEXT },
      messages: {
        type: 'array',
        minItems: 1,
        maxItems: 200,
        description: 'What was said before; the prompt is the last.',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['role', 'text'],
          properties: { role: { enum: ['user', 'assistant'] }, text: { type: 'string', maxLength: MAX_TEXT } },
        },
      },
      system: { type: 'string', maxLength: MAX_TEXT },
      route: word('A ModelRoute. Default: the route of the namespace.'),
      provider: word('A ModelProvider.'),
      model: word('Name of a model.'),
      outputSchema: { type: 'object', description: 'JSON Schema the answer has to fit; it comes as `object`, too.' },
      maxTokens: { type: 'integer', minimum: 1, maximum: 1_000_000 },
      temperature: { type: 'number', minimum: 0, maximum: 2 },
      taskClass: word('What kind of task it is, for routes.'),
      privacy: { enum: ['any', 'localOnly'] },
    },
    anyOf: [{ required: ['prompt'] }, { required: ['messages'] }],
  },
  outputSchema: {
    type: 'object',
    required: ['text', 'provider', 'model', 'usage', 'cost_usd'],
    properties: {
      text: { type: 'string' },
      object: {},
      provider: { type: 'string' },
      model: { type: 'string' },
      scripted: { const: true },
      usage: { type: ['object', 'null'] },
      cost_usd: { type: 'string' },
    },
  },
  risk: 'low',
  // Nothing stays behind but what it cost.
  sideEffects: 'none',
  // Asked again, it costs again.
  idempotent: false,
  usesWorkspace: false,
  // For simulations; what a call really costs, the gateway knows and charges.
  cost: { estimatedCents: 5, estimatedLatencyMs: 2000 },
  paysItself: true,
  timeout: '10m',
  run,
}
