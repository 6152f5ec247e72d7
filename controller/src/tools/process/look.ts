import { setTimeout as delay } from 'node:timers/promises'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { cleanText } from '../text.ts'
import type { BuiltinTool } from '../tool.ts'
import { processesOf, processParameter, processSchema, viewOf } from './view.ts'

const POLL_MS = 100
const MAX_STREAM = 256 * 1024

async function list(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { ended = false } = call.parameters as { ended?: boolean }
  const { processes, asker } = processesOf(call, dependencies)
  return { processes: (await processes.list(asker, { ended })).map(viewOf) }
}

async function status(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { process } = call.parameters as { process: string }
  const { processes, asker } = processesOf(call, dependencies)
  return viewOf(await processes.find(process, asker))
}

async function logs(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { process, lines = 200 } = call.parameters as { process: string; lines?: number }
  const { processes, asker } = processesOf(call, dependencies)
  const row = await processes.find(process, asker)
  const { out, err } = processes.logs(row, { lines, maxBytes: MAX_STREAM })
  return { process: row.id, name: row.name, stdout: cleanText(out), stderr: cleanText(err) }
}

async function wait(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const {
    process,
    text,
    timeoutSeconds = 60,
  } = call.parameters as {
    process: string
    text?: string
    timeoutSeconds?: number
  }
  const { processes, asker } = processesOf(call, dependencies)
  const until = performance.now() + timeoutSeconds * 1000
  let row = await processes.find(process, asker)
  for (;;) {
    const seen =
      text === undefined ? false : hasSaid(processes.logs(row, { lines: 10_000, maxBytes: MAX_STREAM }), text)
    const isOver = row.ended_at !== null || performance.now() > until
    if (seen || isOver) return { ...viewOf(row), seen, timedOut: !seen && row.ended_at === null }
    await delay(POLL_MS, undefined, { signal: call.signal })
    row = await processes.again(row)
  }
}

const hasSaid = ({ out, err }: { readonly out: string; readonly err: string }, text: string): boolean =>
  out.includes(text) || err.includes(text)

const common = {
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  usesWorkspace: false,
  cost: { estimatedCents: 0, estimatedLatencyMs: 20 },
  timeout: '30s',
} as const

const ofOne = (more: JsonObject): JsonObject => ({
  type: 'object',
  additionalProperties: false,
  required: ['process'],
  properties: { process: processParameter, ...more },
})

export const processList: BuiltinTool = {
  ...common,
  name: 'process.list',
  aliases: ['process_list'],
  description:
    'Lists the processes that process.start started in the namespace, the newest first; an agent sees its own.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { ended: { type: 'boolean', description: 'Those that have ended, too. Default: false.' } },
  },
  outputSchema: {
    type: 'object',
    required: ['processes'],
    properties: { processes: { type: 'array', items: processSchema } },
  },
  run: list,
}

export const processStatus: BuiltinTool = {
  ...common,
  name: 'process.status',
  aliases: ['process_status'],
  description: 'Says how a process stands that process.start started, also when it has ended.',
  inputSchema: ofOne({}),
  outputSchema: processSchema,
  run: status,
}

export const processLogs: BuiltinTool = {
  ...common,
  name: 'process.logs',
  aliases: ['process_logs'],
  description: 'The last lines that a process printed, at most 256 KiB of each stream.',
  inputSchema: ofOne({ lines: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Default: 200.' } }),
  outputSchema: {
    type: 'object',
    required: ['process', 'name', 'stdout', 'stderr'],
    properties: {
      process: { type: 'string' },
      name: { type: 'string' },
      stdout: { type: 'string' },
      stderr: { type: 'string' },
    },
  },
  run: logs,
}

export const processWait: BuiltinTool = {
  ...common,
  name: 'process.wait',
  aliases: ['process_wait'],
  description: 'Waits until a process has ended, or has printed a text.',
  inputSchema: ofOne({
    text: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description: 'In what it printed, the last 256 KiB of it. Left out: until it has ended.',
    },
    timeoutSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 3600,
      description: 'Then it answers with what there is, and timedOut. Default: 60.',
    },
  }),
  outputSchema: {
    ...processSchema,
    required: [...(processSchema['required'] as string[]), 'seen', 'timedOut'],
    properties: {
      ...(processSchema['properties'] as JsonObject),
      seen: { type: 'boolean', description: 'It printed the text.' },
      timedOut: { type: 'boolean' },
    },
  },
  timeout: '61m',
  run: wait,
}
