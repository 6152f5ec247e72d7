import type { EventName } from '../../../events/catalogue.ts'
import { fail } from '../../../lib/error-catalogue.ts'
import { errorMessage } from '../../../lib/errors.ts'
import { uuidv7 } from '../../../lib/ids.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { bootId, pidNamespace } from '../../../lib/process-identity.ts'
import { spawnRecorded } from '../../../lib/programs/shim.ts'
import { appendEvents } from '../../../store/log.ts'
import type { NewEvent } from '../../../store/ports.ts'
import {
  deleteToolProcessNotStarted,
  insertToolProcess,
  type NewToolProcess,
  setToolProcessStarted,
  type ToolProcessRow,
  toolProcessById,
} from '../../../store/queries/tool-processes.ts'
import { transact } from '../../../store/transact.ts'
import type { RunningProgramsDeps } from './deps.ts'
import type { ProgramToStart } from './ports.ts'

/** Carried by everything a program starts, so that it is known for what it is. */
export const MARK = 'STATEWARD_PROCESS'

type Verb = 'started' | 'ended'

export function processEvent(
  verb: Verb,
  row: NewToolProcess,
  scope: { readonly envId: string; readonly at: Date },
  more: JsonObject,
): NewEvent {
  return {
    event_id: uuidv7(scope.at.getTime()),
    event_name: `stateward.tool.process.${verb}` satisfies EventName,
    occurred_at: scope.at,
    env_id: scope.envId,
    actor: row.actor,
    correlation_id: row.correlation_id,
    ...(row.run_id === null ? {} : { run_id: row.run_id }),
    data: { process_id: row.id, name: row.name, namespace: row.namespace, operation_id: row.operation_id, ...more },
  }
}

/** A row, then the program, then who it is: whatever is lost in between, the folder of the shim knows the rest. */
export async function startProgram(
  { store, folder, host, envId, most }: RunningProgramsDeps,
  program: ProgramToStart,
): Promise<ToolProcessRow> {
  const at = store.clock.now()
  const id = uuidv7(at.getTime())
  const row: NewToolProcess = {
    id,
    namespace: program.namespace,
    name: program.name ?? nameOf(program.command[0]!, id),
    operation_id: program.operationId,
    run_id: program.runId,
    actor: program.actor,
    correlation_id: program.correlationId,
    command: program.command,
    with_run: program.withRun,
    host,
    boot_id: bootId(),
    pid_namespace: pidNamespace(),
    folder: `${folder}/${id}`,
    owner: store.writer.id,
    created_at: at,
    ends_at: new Date(at.getTime() + program.lifetimeMs),
  }
  const limit = most(program.namespace)
  const obstacle = await transact(store, async (tx) => {
    await deleteToolProcessNotStarted(tx, program.operationId)
    return await insertToolProcess(tx, row, limit)
  })
  if (obstacle === 'name')
    throw fail('SW_CONFLICT', `a process named ${row.name} runs in namespace ${row.namespace}`, {
      remedy: 'stop it with process.stop, or choose another name',
    })
  if (obstacle !== null)
    throw fail(
      'SW_QUOTA_EXCEEDED',
      `${obstacle.running} processes run in namespace ${row.namespace}, and no more may`,
      {
        remedy: 'stop one with process.stop, or raise quota.processes of the Environment',
      },
    )
  const { identity } = await spawnRecorded({
    folder: row.folder,
    command: program.argv,
    cwd: program.cwd,
    environment: { ...program.environment, [MARK]: id },
    stdin: program.stdin,
  }).catch((error: unknown) => {
    throw fail('SW_TOOL_FAILED', `${program.command[0]} could not be started: ${errorMessage(error)}`, { cause: error })
  })
  await transact(store, async (tx) => {
    await setToolProcessStarted(tx, id, identity)
    const scope = { envId: envId(row.namespace), at: store.clock.now() }
    const told = { pid: identity.pid, host, command: program.command[0]!, ends_at: row.ends_at.toISOString() }
    await appendEvents(tx, store, [processEvent('started', row, scope, told)])
  })
  return (await toolProcessById(store.engine, id))!
}

/** `/usr/sbin/nginx` is `nginx-3f9c1a`. */
function nameOf(word: string, id: string): string {
  const base = (word.split('/').at(-1) ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${base.replaceAll(/^-+|-+$/g, '').slice(0, 50) || 'program'}-${id.slice(-6)}`
}
