import { fail } from '../../lib/error-catalogue.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ToolProcessRow } from '../../store/queries/tool-processes.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { Asker, RunningPrograms } from './running/ports.ts'

export const processParameter: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  description: 'Id or name of the process, as process.start gave it.',
}

/** What is told of a process. */
export const processSchema: JsonObject = {
  type: 'object',
  required: ['process', 'name', 'state', 'command', 'host', 'startedAt', 'endsAt'],
  properties: {
    process: { type: 'string', format: 'uuid' },
    name: { type: 'string' },
    state: { enum: ['starting', 'running', 'stopping', 'ended'] },
    command: { type: 'array', items: { type: 'string' } },
    host: { type: 'string', description: 'The machine it runs on.' },
    pid: { type: ['integer', 'null'] },
    run: { type: ['string', 'null'], description: 'The run that started it.' },
    until: { enum: ['run', 'stopped'] },
    startedAt: { type: 'string' },
    endsAt: { type: 'string', description: 'Its time is over then.' },
    endedAt: { type: ['string', 'null'] },
    exitCode: { type: ['integer', 'null'] },
    reason: { type: ['string', 'null'], description: 'Why it ended.' },
  },
}

export function viewOf(row: ToolProcessRow): JsonObject {
  return {
    process: row.id,
    name: row.name,
    state: stateOf(row),
    command: [...row.command],
    host: row.host,
    pid: row.pid,
    run: row.run_id,
    until: row.with_run ? 'run' : 'stopped',
    startedAt: row.created_at.toISOString(),
    endsAt: row.ends_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    exitCode: row.exit_code,
    reason: row.end_reason,
  }
}

function stateOf(row: ToolProcessRow): string {
  if (row.ended_at !== null) return 'ended'
  if (row.stop_reason !== null) return 'stopping'
  return row.pid === null ? 'starting' : 'running'
}

/** Who looks after processes, and who asks. */
export function processesOf(
  call: Invocation,
  { processes }: ToolDependencies,
): { readonly processes: RunningPrograms; readonly asker: Asker } {
  if (processes === undefined) throw fail('SW_NOT_READY', 'nobody looks after processes here')
  return { processes, asker: { namespace: call.use.namespace, actor: call.actor } }
}
