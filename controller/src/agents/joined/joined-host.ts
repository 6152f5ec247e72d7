import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../lib/clock.ts'
import { bootId } from '../../lib/process-identity.ts'
import type { Log } from '../../store/ports.ts'
import type { AgentSettings, HostContext } from '../context.ts'
import type { InheritedEnvironment } from '../runtimes/process/environment.ts'
import { resolveExecutable } from '../runtimes/process/executable.ts'
import { ControlPlane, ControlPlaneError, type Renewal } from './control-plane.ts'
import { endAgents, ensureGuard, killAgents } from './guard.ts'
import type { HostIdentity } from './host-identity.ts'
import { HostSession, type SessionDeps } from './host-session.ts'
import { machineMs, readLease } from './lease-file.ts'
import { ServerClock } from './server-clock.ts'

export interface JoinedHostOptions {
  readonly identity: HostIdentity
  readonly dataDir: string
  readonly log: Log
  readonly version: string
  readonly inherited: InheritedEnvironment
  readonly nodeFolder: string
  readonly settings: AgentSettings
  readonly hardware: () => Promise<object>
  readonly metrics: () => Promise<object>
  /** What runs the guard of the data folder. */
  readonly guardCommand: readonly string[]
  /** Agents go on when this process ends; whoever supervises next within the lease adopts them. */
  readonly keepAgents: boolean
  /** Where bulk work on this machine finds the database. */
  readonly databaseUrl: string | null
  /** Called when a session has begun. */
  readonly connected: (session: string) => void
}

const LONGEST_PAUSE_MS = 30_000
/** Programs that run models, named when they are there. */
const MODEL_RUNTIMES = ['ollama', 'llama-server', 'nvidia-smi'] as const

/**
 * A machine that joined: session after session until it is told to end. Between two sessions nothing of it runs, unless the
 * lease of the former one still lasts: then its agents are adopted. Resolves with false when the host is not wanted any more.
 */
export async function runJoinedHost(options: JoinedHostOptions, stopping: AbortSignal): Promise<boolean> {
  const { identity, dataDir, log } = options
  const control = new ControlPlane(identity)
  const deps = sessionDeps(options, control)
  let failures = 0
  while (!stopping.aborted) {
    if (!leaseLasts(dataDir)) killAgents(dataDir)
    const sentAt = machineMs()
    let begun: Renewal & { readonly session: string }
    try {
      begun = await control.begin(await introduction(options), stopping)
    } catch (error) {
      if (stopping.aborted) break
      if (!(error instanceof ControlPlaneError)) throw error
      if (error.refusal === 'unwanted') {
        log.error({ err: error }, 'the control plane does not know this host any more')
        killAgents(dataDir)
        return false
      }
      log.warn({ err: error }, 'could not connect; it is tried again')
      // Half of it by chance, so that hosts do not come back all at once.
      const pause = Math.min(500 * 2 ** failures, LONGEST_PAUSE_MS)
      failures = Math.min(failures + 1, 10)
      await pauseFor(pause / 2 + (Math.random() * pause) / 2, dataDir, stopping)
      continue
    }
    failures = 0
    log.info({ host: identity.host, session: begun.session }, 'connected')
    options.connected(begun.session)
    const end = await oneSession(options, new HostSession(deps, begun, sentAt), stopping)
    if (end === 'unwanted') return false
  }
  return true
}

async function oneSession(options: JoinedHostOptions, session: HostSession, stopping: AbortSignal): Promise<string> {
  const { dataDir, keepAgents, log } = options
  const end = await session.run(stopping)
  if (end === 'stopped') {
    if (keepAgents) await session.abandon()
    else {
      await session.stopAgents()
      killAgents(dataDir)
      await session.leave().catch((error: unknown) => log.warn({ err: error }, 'could not say good-bye'))
    }
    return end
  }
  log.warn({ reason: end }, 'the session is over: every agent is ended')
  if (end === 'lease') await endAgents(dataDir, session.killAt)
  killAgents(dataDir)
  await session.abandon()
  killAgents(dataDir)
  return end
}

/** Waits, but not beyond the end of a lease that still lasts: agents end with it. */
async function pauseFor(ms: number, dataDir: string, stopping: AbortSignal): Promise<void> {
  const until = machineMs() + ms
  while (!stopping.aborted && machineMs() < until) {
    if (!leaseLasts(dataDir)) killAgents(dataDir)
    await delay(Math.min(until - machineMs(), 200), undefined, { signal: stopping }).catch(() => {})
  }
}

function leaseLasts(dataDir: string): boolean {
  const lease = readLease(dataDir)
  return lease !== null && machineMs() < lease.kill_at
}

async function introduction({ identity, dataDir, version, hardware }: JoinedHostOptions): Promise<object> {
  return {
    machine: identity.machine,
    boot_id: bootId(),
    data_dir: dataDir,
    version,
    hardware: await hardware(),
  }
}

function sessionDeps(options: JoinedHostOptions, control: ControlPlane): SessionDeps {
  const { identity, dataDir, log, inherited, nodeFolder, settings } = options
  const clock = new ServerClock(systemClock)
  const context: Omit<HostContext, 'localHost' | 'secrets' | 'writeTree'> = {
    clock,
    log,
    dataDir,
    url: () => identity.server,
    inherited,
    nodeFolder,
    // What is not of the database gets no bulk work, so nobody is told.
    databaseUrl: () => options.databaseUrl,
    settings,
  }
  return {
    control,
    clock,
    context,
    metrics: options.metrics,
    ensureGuard: () => ensureGuard(dataDir, options.guardCommand),
    checkRuntime: () => modelRuntimes(inherited.PATH, dataDir),
    startedMs: machineMs(),
  }
}

function modelRuntimes(path: string, cwd: string): string {
  if (resolveExecutable('/bin/sh', { cwd, path }) === null) throw new Error('there is no /bin/sh, which starts agents')
  const found = MODEL_RUNTIMES.filter((name) => resolveExecutable(name, { cwd, path }) !== null)
  return found.length === 0 ? 'no local model runtime' : `local model runtimes: ${found.join(', ')}`
}
