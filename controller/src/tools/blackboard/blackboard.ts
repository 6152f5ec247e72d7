import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { BuiltinTool } from '../tool.ts'

const key: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{0,62}$',
  description: 'Letters, digits and _, so that expressions can say blackboard.<key>.',
}

const common = {
  risk: 'low',
  idempotent: true,
  permissions: [],
  cost: { estimatedCents: 0, estimatedLatencyMs: 5 },
  timeout: '30s',
  inRun: true,
  // Whoever moves the run does it, in the transaction of the step.
  run: async (): Promise<Json> => {
    throw fail('SW_TOOL_FAILED', 'the blackboard belongs to a run: only its steps can use it')
  },
} as const

export const blackboardGet: BuiltinTool = {
  ...common,
  name: 'blackboard.get',
  aliases: ['blackboard_get'],
  description: 'Reads a value that a step of the same run has set.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['key'],
    properties: { key, default: { description: 'The value when none was set. Default: null.' } },
  },
  outputSchema: {
    type: 'object',
    required: ['key', 'value', 'found'],
    properties: { key, value: {}, found: { type: 'boolean' } },
  },
  sideEffects: 'none',
}

export const blackboardSet: BuiltinTool = {
  ...common,
  name: 'blackboard.set',
  aliases: ['blackboard_set'],
  description: 'Sets a value that the steps of the same run can read: at most 64 KiB, and 1 MiB and 1,000 keys in all.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['key', 'value'],
    properties: { key, value: { description: 'Any JSON.' } },
  },
  outputSchema: { type: 'object', required: ['key', 'version'], properties: { key, version: { type: 'integer' } } },
  sideEffects: 'reversible',
}
