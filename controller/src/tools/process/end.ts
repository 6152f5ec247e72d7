import type { Json } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { processesOf, processParameter, processSchema, viewOf } from './view.ts'

const DEFAULT_GRACE_S = 10

async function stop(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { process, graceSeconds = DEFAULT_GRACE_S } = call.parameters as { process: string; graceSeconds?: number }
  const { processes, asker } = processesOf(call, dependencies)
  return viewOf(await processes.stop(await processes.find(process, asker), graceSeconds * 1000, call.signal))
}

const SIGNALS = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'WINCH', 'CONT', 'STOP', 'TERM', 'KILL'] as const

async function signal(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { process, signal: name } = call.parameters as { process: string; signal: (typeof SIGNALS)[number] }
  const { processes, asker } = processesOf(call, dependencies)
  const row = await processes.find(process, asker)
  processes.signal(row, `SIG${name}`)
  return { process: row.id, name: row.name, signal: name }
}

export const processStop: BuiltinTool = {
  name: 'process.stop',
  aliases: ['process_stop'],
  description:
    'Ends a process that process.start started, with what it started: TERM, and KILL when that is not enough.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['process'],
    properties: {
      process: processParameter,
      graceSeconds: {
        type: 'integer',
        minimum: 0,
        maximum: 120,
        description: `Between TERM and KILL. Default: ${DEFAULT_GRACE_S}.`,
      },
    },
  },
  outputSchema: processSchema,
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 1000 },
  timeout: '3m',
  run: stop,
}

export const processSignal: BuiltinTool = {
  name: 'process.signal',
  aliases: ['process_signal'],
  description:
    'Sends a signal to a program that process.start started, and not to what that started: HUP, for example.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['process', 'signal'],
    properties: { process: processParameter, signal: { enum: [...SIGNALS] } },
  },
  outputSchema: {
    type: 'object',
    required: ['process', 'name', 'signal'],
    properties: { process: { type: 'string' }, name: { type: 'string' }, signal: { type: 'string' } },
  },
  risk: 'medium',
  sideEffects: 'irreversible',
  idempotent: false,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 50 },
  timeout: '30s',
  run: signal,
}
