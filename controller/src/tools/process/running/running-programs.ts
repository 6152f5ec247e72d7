import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../../../lib/error-catalogue.ts'
import { hasCode } from '../../../lib/error-code.ts'
import { isUuid } from '../../../lib/ids.ts'
import { cutLog, readLastLines } from '../../../lib/programs/log-file.ts'
import { signalPrograms } from '../../../lib/programs/members.ts'
import { findShim, preventStart, readExit } from '../../../lib/programs/record.ts'
import {
  deleteToolProcessesBefore,
  forsakenToolProcesses,
  listToolProcesses,
  type ProcessStop,
  setToolProcessStarted,
  stopToolProcess,
  type ToolProcessRow,
  takeOrphanedToolProcesses,
  toolProcessById,
  toolProcessesOfOwner,
  toolProcessNamed,
  toolProcessOf,
} from '../../../store/queries/tool-processes.ts'
import { transact } from '../../../store/transact.ts'
import type { RunningProgramsDeps } from './deps.ts'
import { isHere, recordEnd, runs, signalRow } from './end-program.ts'
import type { Asker, RunningPrograms } from './ports.ts'
import { startProgram } from './start-program.ts'

const LOOK_MS = 500
const POLL_MS = 100
/** How long after its KILL the end of a program may take to be seen. */
const OVERRUN_MS = 15_000
const MAX_LOG = 50 * 1024 * 1024
const MAX_LISTED = 200
const BATCH = 200

/**
 * Looks after the programs that tools of this machine started and that go on. Each belongs to the process that started it, and
 * when that is gone to the next one on the same machine: a kill -9 of the controller ends none, and none is started twice.
 * They end by themselves, when they are told to, with their run, when their time is over, or in order with this process.
 */
export class ProcessKeeper implements RunningPrograms {
  readonly #deps: RunningProgramsDeps
  /** Rows that are being started here; nobody else looks at them. */
  readonly #starting = new Set<string>()
  /** Those that were told to end. */
  readonly #told = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  /** There may be something to look after. */
  #busy = false
  #stopped = false

  constructor(deps: RunningProgramsDeps) {
    this.#deps = deps
  }

  /** Takes over what a former process of this machine left. */
  async recover(): Promise<void> {
    const { store, host } = this.#deps
    const rows = await transact(store, (tx) => takeOrphanedToolProcesses(tx, { writer: store.writer.id, host }))
    for (const row of rows) {
      // Another boot, or a container that is gone: so are its processes.
      if (!isHere(row)) await recordEnd(this.#deps, row, 'lost')
      else if (row.pid === null) await this.#settle(row)
    }
    await this.#forgetFolders()
    if (rows.length === 0) return
    store.log.info({ processes: rows.length }, 'processes of tools are looked after by this process now')
    this.#wake()
  }

  async start(program: Parameters<RunningPrograms['start']>[0]): Promise<ToolProcessRow> {
    const { store } = this.#deps
    if (this.#stopped) throw fail('SW_CANCELLED', 'the process stops')
    let known = await toolProcessOf(store.engine, program.operationId)
    // The process that began it went away.
    if (known !== null && known.owner === null && known.ended_at === null) {
      await this.recover()
      known = await toolProcessOf(store.engine, program.operationId)
    }
    if (known !== null && known.end_reason !== 'not_started') return known
    this.#starting.add(program.operationId)
    try {
      return await startProgram(this.#deps, program)
    } finally {
      this.#starting.delete(program.operationId)
      this.#wake()
    }
  }

  async started(operationId: string): Promise<ToolProcessRow | null> {
    return await toolProcessOf(this.#deps.store.engine, operationId)
  }

  async find(process: string, { namespace, actor }: Asker): Promise<ToolProcessRow> {
    const { store } = this.#deps
    const row = isUuid(process)
      ? await toolProcessById(store.engine, process)
      : await toolProcessNamed(store.engine, namespace, process)
    const isTheirs = row?.namespace === namespace && (!actor.startsWith('agent:') || row.actor === actor)
    if (row === null || !isTheirs)
      throw fail('SW_NOT_FOUND', `there is no process ${JSON.stringify(process)} in namespace ${namespace}`, {
        remedy: 'process.list names those that run',
      })
    return row
  }

  async list({ namespace, actor }: Asker, { ended }: { readonly ended: boolean }): Promise<readonly ToolProcessRow[]> {
    const own = actor.startsWith('agent:') ? actor : null
    return await listToolProcesses(this.#deps.store.engine, { namespace, actor: own, ended, limit: MAX_LISTED })
  }

  async again(row: ToolProcessRow): Promise<ToolProcessRow> {
    return (await toolProcessById(this.#deps.store.engine, row.id)) ?? row
  }

  async stop(row: ToolProcessRow, graceMs: number, signal: AbortSignal): Promise<ToolProcessRow> {
    if (row.ended_at !== null) return row
    await this.#ask(row, 'stopped', graceMs)
    const until = performance.now() + graceMs + OVERRUN_MS
    for (;;) {
      const now = await this.again(row)
      if (now.ended_at !== null) return now
      if (now.owner === null)
        throw fail('SW_TOOL_FAILED', `nobody looks after process ${row.name} now: it is on ${row.host}`, {
          remedy: `it ends when Stateward runs on ${row.host} again`,
        })
      if (performance.now() > until)
        throw fail('SW_TOOL_FAILED', `process ${row.name} on ${row.host} did not end in time`)
      await delay(POLL_MS, undefined, { signal })
    }
  }

  signal(row: ToolProcessRow, name: NodeJS.Signals): void {
    if (row.ended_at !== null || (isHere(row) && !runs(row)))
      throw fail('SW_CONFLICT', `process ${row.name} does not run any more`)
    this.#assertHere(row)
    if (!signalPrograms({ pid: row.pid!, start: row.pid_start! }, name, 'main'))
      throw fail('SW_TOOL_FAILED', `process ${row.name} could not be signalled`, {
        remedy: 'only processes of Linux are; process.stop ends any',
      })
  }

  logs(row: ToolProcessRow, options: { readonly lines: number; readonly maxBytes: number }) {
    this.#assertHere(row)
    const of = (stream: string) => readLastLines(join(row.folder, stream), options)
    return { out: of('out'), err: of('err') }
  }

  /** Ends what this process looks after: TERM, and KILL after `graceMs`. */
  async stopAll(graceMs: number): Promise<void> {
    const { store } = this.#deps
    await this.leave()
    for (const row of await toolProcessesOfOwner(store.engine, store.writer.id))
      await transact(store, (tx) => stopToolProcess(tx, row.id, { reason: 'shutdown', at: store.clock.now(), graceMs }))
    const until = performance.now() + graceMs + OVERRUN_MS
    while ((await this.#look()) > 0 && performance.now() < until) await delay(POLL_MS)
  }

  /** Looks after nothing from now on: programs go on, and are the next process's. */
  async leave(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** Forgets those that ended longer than `keepMs` ago, with their folders, and gives up those whose machine did not come back. */
  async tidy(keepMs: number): Promise<number> {
    const { store } = this.#deps
    const now = store.clock.now()
    for (const row of await forsakenToolProcesses(store.engine, now)) await recordEnd(this.#deps, row, 'lost')
    for (let all = 0; ; ) {
      const before = new Date(now.getTime() - keepMs)
      const gone = await transact(store, (tx) => deleteToolProcessesBefore(tx, before, BATCH))
      for (const folder of gone) await rm(folder, { recursive: true, force: true })
      all += gone.length
      if (gone.length < BATCH) return all
    }
  }

  async #ask(row: ToolProcessRow, reason: ProcessStop, graceMs: number): Promise<void> {
    const { store } = this.#deps
    await transact(store, (tx) => stopToolProcess(tx, row.id, { reason, at: store.clock.now(), graceMs }))
    this.#wake()
  }

  #assertHere(row: ToolProcessRow): void {
    if (!isHere(row) || row.host !== this.#deps.host)
      throw fail('SW_TOOL_FAILED', `process ${row.name} is on ${row.host}, and this is ${this.#deps.host}`, {
        remedy:
          'process.stop and process.status work from anywhere; of a run, what it printed is an artifact when it has ended',
      })
  }

  /** A row whose starter went away before it said who its program is. */
  async #settle(row: ToolProcessRow): Promise<void> {
    const identity = findShim(row.folder)
    if (identity !== null) await transact(this.#deps.store, (tx) => setToolProcessStarted(tx, row.id, identity))
    else if (readExit(row.folder) !== null) await recordEnd(this.#deps, row)
    else if (preventStart(row.folder)) await recordEnd(this.#deps, row, 'not_started')
    else {
      // It was just about to write who it is.
      const late = findShim(row.folder)
      if (late === null) await recordEnd(this.#deps, row)
      else await transact(this.#deps.store, (tx) => setToolProcessStarted(tx, row.id, late))
    }
  }

  /** Of rows that another process forgot. */
  async #forgetFolders(): Promise<void> {
    const { store, folder } = this.#deps
    const names = await readdir(folder).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    })
    for (const name of names.filter(isUuid)) {
      if ((await toolProcessById(store.engine, name)) === null)
        await rm(join(folder, name), { recursive: true, force: true })
    }
  }

  #wake(): void {
    this.#busy = true
    if (this.#timer === undefined) this.#next(0)
  }

  #next(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#turn()
    }, ms)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    this.#busy = false
    try {
      if ((await this.#look()) > 0) this.#busy = true
    } catch (error) {
      this.#busy = true
      this.#deps.store.log.warn({ err: error }, 'processes of tools could not be looked after; it is tried again')
    }
    this.#timer = undefined
    // While there is none, nobody is asked.
    if (this.#busy) this.#next(this.#told.size > 0 ? POLL_MS : LOOK_MS)
  }

  /** How many are left to look after. */
  async #look(): Promise<number> {
    const { store } = this.#deps
    const rows = await toolProcessesOfOwner(store.engine, store.writer.id)
    let left = 0
    for (const row of rows) {
      if (this.#starting.has(row.operation_id)) left += 1
      else if (row.pid === null) await this.#settle(row)
      else if (runs(row)) {
        left += 1
        await this.#lookAt(row)
      } else {
        await recordEnd(this.#deps, row)
        this.#told.delete(row.id)
      }
    }
    return left
  }

  async #lookAt(row: ToolProcessRow & { readonly run_over: boolean }): Promise<void> {
    const now = this.#deps.store.clock.now()
    for (const stream of ['out', 'err']) cutLog(join(row.folder, stream), MAX_LOG)
    if (row.stop_reason !== null) {
      const late = now.getTime() - row.stop_asked_at!.getTime() >= (row.stop_grace_ms ?? 0)
      if (late) signalRow(row, 'SIGKILL')
      else if (!this.#told.has(row.id)) signalRow(row, 'SIGTERM')
      this.#told.add(row.id)
    } else if (row.run_over) await this.#ask(row, 'run_ended', GRACE_MS)
    else if (row.ends_at <= now) await this.#ask(row, 'lifetime', GRACE_MS)
  }
}

const GRACE_MS = 10_000
