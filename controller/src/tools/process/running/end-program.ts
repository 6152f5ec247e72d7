import { createReadStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { bootId, isAlive, pidNamespace } from '../../../lib/process-identity.ts'
import { signalPrograms } from '../../../lib/programs/members.ts'
import { signalGroup } from '../../../lib/programs/process-group.ts'
import { readExit } from '../../../lib/programs/record.ts'
import { appendEvents } from '../../../store/log.ts'
import { endToolProcess, type ProcessEnd, type ToolProcessRow } from '../../../store/queries/tool-processes.ts'
import { transact } from '../../../store/transact.ts'
import type { RunningProgramsDeps } from './deps.ts'
import { MARK, processEvent } from './start-program.ts'

const KILLED = 137

/** Its pid means somebody here. */
export function isHere(row: ToolProcessRow): boolean {
  return row.boot_id === bootId() && row.pid_namespace === pidNamespace()
}

/** TERM to its programs, so that they may end by themselves; `KILL` to all of its group. */
export function signalRow(row: ToolProcessRow, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (row.pid === null || !isHere(row)) return
  const shim = { pid: row.pid, start: row.pid_start! }
  if (signal === 'SIGTERM' && signalPrograms(shim, signal, 'all')) return
  signalGroup(shim, signal, `${MARK}=${row.id}`)
}

export function runs(row: ToolProcessRow): boolean {
  return row.pid !== null && isAlive({ pid: row.pid, start: row.pid_start! })
}

/** Records that a program is no more: what it left of its group is ended, what it printed is kept with its run, then the row. */
export async function recordEnd(
  deps: RunningProgramsDeps,
  row: ToolProcessRow,
  why: ProcessEnd | null = null,
): Promise<void> {
  const { store, envId } = deps
  signalRow(row, 'SIGKILL')
  const exit = readExit(row.folder)
  const reason = why ?? row.stop_reason ?? (exit === null ? 'lost' : 'exited')
  const exitCode = exit?.code ?? (row.stop_reason === null ? null : KILLED)
  const artifacts = await keepLogs(deps, row)
  const at = store.clock.now()
  await transact(store, async (tx) => {
    const ended = await endToolProcess(tx, row.id, { exitCode, reason, at })
    if (ended === null) return
    const scope = { envId: envId(row.namespace), at }
    await appendEvents(tx, store, [processEvent('ended', row, scope, { exit_code: exitCode, reason, artifacts })])
  })
}

/** What a program of a run printed, as artifacts of the run. One that cannot be kept (its run is gone, no room) is said in the log. */
async function keepLogs({ artifacts, store }: RunningProgramsDeps, row: ToolProcessRow): Promise<string[]> {
  const kept: string[] = []
  if (row.run_id === null) return kept
  for (const stream of ['out', 'err'] as const) {
    const file = join(row.folder, stream)
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) continue
    const content = createReadStream(file)
    try {
      const { artifact_id } = await artifacts({
        operationId: artifactOperation(row.operation_id, stream),
        correlationId: row.correlation_id,
        name: `${row.name}.${stream}.log`,
        kind: 'log',
        contentType: 'text/plain',
        content,
      })
      kept.push(artifact_id)
    } catch (error) {
      store.log.warn({ process: row.id, err: error }, `what a process printed could not be kept with its run`)
    } finally {
      content.destroy()
    }
  }
  return kept
}

/** `<run>/<step>/<attempt>/<call>`: each stream is an artifact of its own. */
function artifactOperation(operationId: string, stream: string): string {
  const [run, step, attempt, ...call] = operationId.split('/')
  return [run, step, attempt, [...call, stream].join('-')].join('/')
}
