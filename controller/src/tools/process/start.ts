import { setTimeout as delay } from 'node:timers/promises'
import { DURATION_PATTERN, parseDuration } from '../../lib/duration.ts'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { ToolProcessRow } from '../../store/queries/tool-processes.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { confined } from '../sandbox/confine.ts'
import { cleanText } from '../text.ts'
import type { BuiltinTool } from '../tool.ts'
import type { Undo } from '../undo/undo.ts'
import { checkProgram, commandParameter, environmentParameter } from './asked-program.ts'
import { programEnvironment } from './environment.ts'
import type { RunningPrograms } from './running/ports.ts'
import { processesOf, processSchema, viewOf } from './view.ts'

/**
 * Starts a program that goes on after the call: a server, a watcher. Whoever starts it decides how long it may be there; that
 * many of them run and no more, and each is confined as the programs of process.run are.
 */

const POLL_MS = 50
const SAID = 1024
const UNDO_GRACE_MS = 10_000
const MAX_LIFETIME_MS = 30 * 24 * 60 * 60_000

interface Parameters {
  readonly command: readonly string[]
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly until?: 'run' | 'stopped'
  readonly lifetime?: string
  readonly settleMs?: number
}

async function run(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const parameters = call.parameters as unknown as Parameters
  const { command, env = {}, stdin, lifetime = '24h', settleMs = 500 } = parameters
  checkProgram('process.start', command, env)
  const { processes } = processesOf(call, dependencies)
  const lifetimeMs = parseDuration(lifetime)
  if (lifetimeMs > MAX_LIFETIME_MS)
    throw fail('SW_VALIDATION_FAILED', 'a process lives at most 720h', { remedy: 'say less' })
  const runId = call.use.runId ?? null
  const { until = runId === null ? 'stopped' : 'run' } = parameters
  if (until === 'run' && runId === null)
    throw fail('SW_VALIDATION_FAILED', 'this call belongs to no run that could end', { remedy: 'leave until out' })
  const { rules } = call.reach
  const argv = await confined(await dependencies.sandbox(), command, {
    ...{ isTrusted: false, isRequired: rules.sandboxRequired === true, network: true, limits: {}, rules },
    ...{ workspace: call.workspace, log: call.log },
  })
  await call.undo.keep({})
  const row = await processes.start({
    namespace: call.use.namespace,
    ...(parameters.name === undefined ? {} : { name: parameters.name }),
    operationId: call.operationId,
    runId,
    actor: call.actor,
    correlationId: call.correlationId,
    command,
    argv,
    cwd: call.workspace,
    environment: programEnvironment({ ...dependencies.environment, HOME: call.workspace }, env, call),
    stdin: stdin ?? null,
    withRun: until === 'run',
    lifetimeMs,
  })
  return viewOf(await settled(processes, row, settleMs, call))
}

/** A program that ends at once was not started: what it said is why. One that ended well is told as it is. */
async function settled(
  processes: RunningPrograms,
  started: ToolProcessRow,
  settleMs: number,
  call: Invocation,
): Promise<ToolProcessRow> {
  const until = performance.now() + settleMs
  let row = started
  while (row.ended_at === null && performance.now() < until) {
    await delay(POLL_MS, undefined, { signal: call.signal }).catch(async (error: unknown) => {
      await processes.stop(row, 0, AbortSignal.timeout(UNDO_GRACE_MS))
      throw error
    })
    row = await processes.again(row)
  }
  if (row.ended_at === null || row.end_reason !== 'exited' || row.exit_code === 0) return row
  const { out, err } = processes.logs(row, { lines: 20, maxBytes: SAID })
  const said = cleanText(err.trim() || out.trim())
  throw fail(
    'SW_TOOL_FAILED',
    `${row.command[0]} ended at once with exit code ${row.exit_code}${said && `: ${said}`}`,
    {
      details: { exit_code: row.exit_code },
    },
  )
}

/** It has ended. */
export const undoStart: Undo = async (entry, _copies, { call, dependencies }) => {
  const { processes, asker } = processesOf(call, dependencies)
  const row = await processes.started(entry.operationId)
  if (row === null) return { process: null, state: 'not started' }
  return viewOf(await processes.stop(await processes.find(row.id, asker), UNDO_GRACE_MS, call.signal))
}

const inputSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['command'],
  properties: {
    command: commandParameter,
    name: {
      type: 'string',
      pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      description:
        'Its name in the namespace; one that runs has it alone. Default: that of the program and a part of its id.',
    },
    env: environmentParameter,
    stdin: { type: 'string', description: 'What the program reads.' },
    until: {
      enum: ['run', 'stopped'],
      description: 'run: it ends with its run. stopped: it goes on. Default: run, where there is one.',
    },
    lifetime: {
      type: 'string',
      pattern: DURATION_PATTERN,
      description: 'It ends after this time whatever else is, at most 720h. Default: 24h.',
    },
    settleMs: {
      type: 'integer',
      minimum: 0,
      maximum: 60_000,
      description: 'When it fails within this time, the call fails. Default: 500.',
    },
  },
}

export const processStart: BuiltinTool = {
  name: 'process.start',
  aliases: ['process_start'],
  description:
    'Starts a program that goes on after the call, in the workspace: an argument vector, never a shell text. One that puts itself into the background has ended.',
  inputSchema,
  outputSchema: processSchema,
  risk: 'high',
  sideEffects: 'reversible',
  // The same operation finds what it started.
  idempotent: true,
  rateLimit: { calls: 60, per: '1m' },
  cost: { estimatedCents: 0, estimatedLatencyMs: 600 },
  timeout: '2m',
  run,
}
