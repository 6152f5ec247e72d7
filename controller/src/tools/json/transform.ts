import { evaluateExpression } from '../../expressions/evaluate.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Json } from '../../lib/json.ts'
import type { Invocation } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'

async function run({ parameters }: Invocation): Promise<Json> {
  const { data, expression } = parameters as { data: Json; expression: string }
  const values = { inputs: { data }, steps: {} } as unknown as Parameters<typeof evaluateExpression>[1]
  try {
    return { result: evaluateExpression(expression, values) }
  } catch (cause) {
    throw fail('SW_VALIDATION_FAILED', `the transformation cannot be computed: ${errorMessage(cause)}`, { cause })
  }
}

export const jsonTransform: BuiltinTool = {
  name: 'json.transform',
  aliases: ['json_transform'],
  description: 'Computes a value from data by a CEL expression over inputs.data.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['data', 'expression'],
    properties: {
      data: { description: 'Any JSON.' },
      expression: {
        type: 'string',
        minLength: 1,
        maxLength: 8192,
        description: 'CEL, for example inputs.data.hosts.map(h, h.name).',
      },
    },
  },
  outputSchema: { type: 'object', required: ['result'], properties: { result: {} } },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  permissions: [],
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1 },
  timeout: '30s',
  run,
}
