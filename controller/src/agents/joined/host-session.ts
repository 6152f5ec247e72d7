import { setTimeout as delay } from 'node:timers/promises'
import { x as extract } from 'tar'
import type { ObjectKey } from '../../kinds/resource.ts'
import { canonicalJson } from '../../lib/digest.ts'
import type { Json } from '../../lib/json.ts'
import { readExit } from '../../lib/programs/record.ts'
import type { BootPhase } from '../../lifecycle/boot-phases.ts'
import { heartbeatEveryMs, hostDeadlines } from '../../lifecycle/host-lease.ts'
import type { AgentTarget } from '../agent-target.ts'
import { agentKey } from '../agent-target.ts'
import type { HostContext } from '../context.ts'
import { type HostFleet, makeFleet, targetNamed } from '../fleet.ts'
import { followFiles } from '../logs.ts'
import { Supervision } from '../supervision.ts'
import { TaskNotifier } from '../task-notifier.ts'
import {
  type Assignment,
  type Assignments,
  type ControlPlane,
  ControlPlaneError,
  type Renewal,
} from './control-plane.ts'
import { machineMs, writeLease } from './lease-file.ts'
import { remoteLedger } from './remote-ledger.ts'
import { remoteSecrets } from './remote-secrets.ts'
import type { ServerClock } from './server-clock.ts'

const NOTHING_ELSEWHERE = { held: [], obstacle: null }
const RETRY_MS = 1_000
const LONGEST_PIECE = 64 * 1024

export interface SessionDeps {
  readonly control: ControlPlane
  readonly clock: ServerClock
  readonly context: Omit<HostContext, 'localHost' | 'secrets' | 'writeTree'>
  readonly metrics: () => Promise<object>
  /** Checks that what ends agents at the end of the lease is there. */
  readonly ensureGuard: () => void
  /** What the machine has to run models with, for people; throws when it cannot run agents. */
  readonly checkRuntime: () => string
  /** Of the machine, when this process began to start. */
  readonly startedMs: number
}

/** Why a session is over: its lease ended, the control plane said so, the host is not wanted, or it was told to end. */
export type SessionEnd = 'lease' | 'over' | 'unwanted' | 'stopped'

/**
 * One session of a joined host: a lease that is renewed, the agents it was given, and their logs for whoever asks. It ends
 * when the lease does; whoever runs it then has to end every agent before anything else.
 */
export class HostSession {
  readonly #deps: SessionDeps
  readonly #session: string
  /** Nothing new is begun. */
  readonly #ending = new AbortController()
  /** Nothing is asked or written any more. */
  readonly #cut = new AbortController()
  readonly #supervision: Supervision
  readonly #fleet: HostFleet
  readonly #loops: Promise<void>[] = []
  readonly #reported = new Map<string, string>()
  #leaseMs: number
  #deadlines: { readonly stopAt: number; readonly killAt: number }
  #slots = 0
  #digest: string | null = null
  #phase: BootPhase = 'HardwareCheck'
  #message: string | null = null
  #shortage: string | null
  #bootDurationMs: number | null = null
  #wake: () => void = () => {}
  #end: SessionEnd | null = null

  /** `sentAt` is when the request that began it was sent, by the machine's time. */
  constructor(deps: SessionDeps, begun: Renewal & { readonly session: string }, sentAt: number) {
    this.#deps = deps
    this.#session = begun.session
    this.#leaseMs = begun.lease_ms
    this.#shortage = begun.shortage
    this.#deadlines = hostDeadlines(sentAt, begun.lease_ms)
    this.#supervision = new Supervision({
      fleet: (parts) => this.#makeFleet(parts),
      // Tasks of all hosts are looked after next to the database.
      sweep: async () => {},
      stoodStill: () => this.#listening(),
    })
    this.#fleet = this.#supervision.fleet
  }

  /** Runs until the session is over; agents are left as they are. */
  async run(stopping: AbortSignal): Promise<SessionEnd> {
    const stop = (): void => this.#over('stopped')
    stopping.addEventListener('abort', stop, { once: true })
    if (stopping.aborted) stop()
    writeLease(this.#deps.context.dataDir, this.#deadlines.killAt)
    this.#loops.push(this.#keepLease(), this.#beat(), this.#start())
    await Promise.all(this.#loops)
    stopping.removeEventListener('abort', stop)
    return this.#end!
  }

  /** Ends every agent with its grace and records that. While the lease lasts. */
  async stopAgents(): Promise<void> {
    const left = this.#deadlines.stopAt - machineMs()
    await this.#supervision.stopAll({ graceMs: Math.max(Math.min(left, 5_000), 0) })
  }

  /** Until then agents may run, by the machine's time. */
  get killAt(): number {
    return this.#deadlines.killAt
  }

  /** Stops watching; nothing more is written. */
  abandon(): Promise<void> {
    return this.#supervision.abandon()
  }

  async leave(): Promise<void> {
    await this.#deps.control.leave(this.#session)
  }

  #makeFleet(parts: Parameters<ConstructorParameters<typeof Supervision>[0]['fleet']>[0]): HostFleet {
    const { control, context } = this.#deps
    const ask: Parameters<typeof remoteLedger>[0] = (request) =>
      this.#asked(control.ledger(this.#session, request, this.#cut.signal))
    const ledger = remoteLedger(ask, () => this.#end === null && machineMs() < this.#deadlines.stopAt)
    const whole: HostContext = {
      ...context,
      localHost: () => ({ name: control.host, slots: this.#slots }),
      secrets: remoteSecrets((name, key) => ask({ op: 'secret', name, key })),
      writeTree: (tree, folder) => this.#fetchTree(tree, folder),
    }
    return makeFleet(whole, {
      ...parts,
      notifier: new TaskNotifier(),
      ledger,
      changed: (key) => void this.#report(key as ObjectKey),
      elsewhere: async () => NOTHING_ELSEWHERE,
    })
  }

  #over(end: SessionEnd): void {
    this.#end ??= end
    if (end !== 'stopped') this.#cut.abort()
    this.#ending.abort()
    this.#wake()
  }

  #listening(): void {
    this.#fleet.observedSince = this.#deps.clock.now().getTime()
  }

  /** What an answer means for the session; the failure goes on to who asked. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof ControlPlaneError && (error.refusal === 'over' || error.refusal === 'unwanted'))
        this.#over(error.refusal)
      throw error
    }
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch(() => {})
  }

  /** Ends the session when its lease does, whatever hangs. */
  async #keepLease(): Promise<void> {
    while (this.#end === null) {
      const left = this.#deadlines.stopAt - machineMs()
      if (left <= 0) {
        this.#deps.context.log.error({ host: this.#deps.control.host }, 'the lease is over: agents are ended')
        this.#over('lease')
        return
      }
      await this.#sleep(Math.min(left, 250))
    }
  }

  async #beat(): Promise<void> {
    const { control, clock, context } = this.#deps
    let metrics: object = {}
    while (this.#end === null) {
      const [sentAt, sent] = [machineMs(), new Date()]
      try {
        metrics = await this.#deps.metrics()
        this.#deps.ensureGuard()
        const report = {
          metrics,
          phase: this.#phase,
          message: this.#message,
          boot_duration_ms: this.#bootDurationMs,
        }
        const renewal = await this.#asked(
          control.heartbeat(this.#session, report, this.#leaseMs / 3, this.#ending.signal),
        )
        clock.heard(new Date(renewal.server_time), sent, new Date())
        this.#leaseMs = renewal.lease_ms
        this.#shortage = renewal.shortage
        this.#deadlines = hostDeadlines(sentAt, renewal.lease_ms)
        writeLease(context.dataDir, this.#deadlines.killAt)
      } catch (error) {
        if (this.#end === null) context.log.warn({ err: error }, 'a heartbeat was not answered; it is sent again')
        await this.#pause(Math.min(heartbeatEveryMs(this.#leaseMs), RETRY_MS))
        continue
      }
      await this.#pause(heartbeatEveryMs(this.#leaseMs))
    }
  }

  /** Until the next heartbeat, or until there is something to say at once. */
  async #pause(ms: number): Promise<void> {
    if (this.#end !== null) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #reach(phase: BootPhase, message: string | null = null): void {
    if (this.#phase === phase && this.#message === message) return
    this.#phase = phase
    this.#message = message
    if (phase === 'Autonomy') this.#bootDurationMs = Math.round(machineMs() - this.#deps.startedMs)
    this.#deps.context.log.info({ phase, message }, 'the host starts')
    this.#wake()
  }

  /** The phases of the start, in their order; the last one is where it stays. */
  async #start(): Promise<void> {
    while (this.#end === null && this.#shortage !== null) {
      this.#reach('HardwareCheck', this.#shortage)
      await this.#sleep(RETRY_MS)
    }
    if (!(await this.#until('AIRuntime', async () => this.#deps.checkRuntime()))) return
    if (!(await this.#until('CoreServices', async () => this.#deps.ensureGuard()))) return
    const spawned = await this.#until('AgentSpawn', async () => {
      this.#listening()
      await this.#supervision.start()
      await this.#assign(await this.#ask(null))
    })
    if (!spawned) return
    this.#reach('Autonomy')
    await this.#followAssignments()
  }

  /** Tries until it works; false when the session is over before. */
  async #until(phase: BootPhase, work: () => Promise<unknown>): Promise<boolean> {
    this.#reach(phase)
    while (this.#end === null) {
      try {
        const said = await work()
        if (typeof said === 'string') this.#message = said
        return true
      } catch (error) {
        if (this.#end !== null) return false
        this.#deps.context.log.warn({ err: error, phase }, 'a phase of the start failed; it is tried again')
        this.#reach(phase, error instanceof Error ? error.message : String(error))
        await this.#sleep(RETRY_MS)
      }
    }
    return false
  }

  #ask(known: string | null): Promise<Assignments> {
    return this.#asked(this.#deps.control.assignments(this.#session, known, this.#ending.signal))
  }

  async #followAssignments(): Promise<void> {
    while (this.#end === null) {
      try {
        await this.#assign(await this.#ask(this.#digest))
      } catch (error) {
        if (this.#end !== null) return
        this.#deps.context.log.warn({ err: error }, 'could not ask for assignments; it is tried again')
        await this.#sleep(RETRY_MS)
      }
    }
  }

  async #assign({ digest, slots, agents, queued, logs }: Assignments): Promise<void> {
    this.#slots = slots
    for (const request of logs) void this.#sendLog(request)
    if (agents !== null) {
      await Promise.all(agents.map((assignment) => this.#ensure(assignment)))
      const wanted = new Set(agents.map(({ target }) => target.uid))
      for (const target of [...this.#fleet.targets.values()]) if (!wanted.has(target.uid)) await this.#drop(target)
    }
    this.#digest = digest
    for (const { namespace, agent } of queued) {
      this.#fleet.notifier.notify(namespace, agent)
      // A daemon that is to end was perhaps only waited for because of its tasks.
      const target = targetNamed(this.#fleet, namespace, agent)
      if (target !== null) this.#fleet.look(target.uid)
    }
  }

  async #ensure({ target, ordinals }: Assignment): Promise<void> {
    await this.#supervision.ensure({ ...target, ordinals })
    await this.#report(agentKey(target))
  }

  /** Nothing of it is to run here any more, and nothing does. */
  async #drop(target: AgentTarget): Promise<void> {
    await this.#supervision.ensure({ ...target, ordinals: [] })
    if (this.#fleet.processes.all().some(({ agentUid }) => agentUid === target.uid)) return
    this.#fleet.targets.delete(target.uid)
    this.#reported.delete(target.uid)
    await this.#fleet.workspaces.removeAgent(target.uid)
  }

  /** Says what keeps an agent from running here, when that is something else than before. */
  async #report(key: ObjectKey): Promise<void> {
    const target = [...this.#fleet.targets.values()].find((one) => agentKey(one) === key)
    if (target === undefined) return
    const { held, obstacle } = this.#supervision.hindrance(target.uid)
    const report = held.length === 0 && obstacle === null ? null : ({ held, obstacle } as unknown as Json)
    const text = canonicalJson(report)
    if ((this.#reported.get(target.uid) ?? 'null') === text) return
    this.#reported.set(target.uid, text)
    try {
      await this.#asked(
        this.#deps.control.ledger(this.#session, { op: 'report', agent_uid: target.uid, report }, this.#ending.signal),
      )
    } catch (error) {
      this.#reported.delete(target.uid)
      if (this.#end === null) this.#deps.context.log.warn({ err: error }, 'could not report about an agent')
    }
  }

  async #fetchTree(tree: string, folder: string): Promise<void> {
    const archive = await this.#deps.control.tree(tree, this.#ending.signal)
    await new Promise<void>((resolve, reject) => {
      const into = extract({ cwd: folder, strict: true, preserveOwner: false })
      into.on('close', () => resolve())
      into.on('error', reject)
      into.end(archive)
    })
  }

  async #sendLog({ request_id, instance_id, streams, tail_lines, follow }: Assignments['logs'][number]): Promise<void> {
    const unread = new AbortController()
    const signal = AbortSignal.any([unread.signal, this.#ending.signal])
    const folder = this.#fleet.workspaces.instanceFolder(instance_id)
    const ended = async () => this.#fleet.processes.get(instance_id) === undefined || readExit(folder) !== null
    let n = 0
    const send = async (text: string, isLast: boolean): Promise<void> => {
      const piece = { session: this.#session, n: n++, text, is_last: isLast }
      if (!(await this.#asked(this.#deps.control.logPiece(request_id, piece, signal)))) unread.abort()
    }
    // While nothing is printed, an empty piece now and then says that somebody is there.
    const alive = setInterval(() => void send('', false).catch(() => unread.abort()), 5_000)
    try {
      const lines = followFiles(this.#fleet, instance_id, streams, { follow, tailLines: tail_lines, signal, ended })
      for await (const text of lines) {
        for (let at = 0; at < text.length; at += LONGEST_PIECE) await send(text.slice(at, at + LONGEST_PIECE), false)
      }
      if (!signal.aborted) await send('', true)
    } catch (error) {
      if (!signal.aborted) this.#deps.context.log.warn({ err: error, instance: instance_id }, 'a log could not be sent')
    } finally {
      clearInterval(alive)
    }
  }
}
