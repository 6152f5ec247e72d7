import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasCode, readIfThere } from '../../lib/error-code.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../lib/process-identity.ts'
import { ModelFailure } from '../providers/failure.ts'
import type { ProviderView } from '../routing/view.ts'
import { dropRecord, keepRecord, takeLeft } from './server-records.ts'

/** A program that serves models. */
export interface ServerProcess {
  ended(): boolean
  /** The end of what it printed. */
  lastWords(): string
  /** TERM to its group, KILL when that is not enough. */
  end(): Promise<void>
}

/** One that a process started which is not there any more. */
export interface LeftServer {
  readonly provider: string
  readonly model: string
  readonly words: readonly string[]
  readonly process: ServerProcess
}

export interface ServerSpawner {
  spawn(provider: ProviderView, model: string, words: readonly string[]): Promise<ServerProcess>
  /** Those that run and belonged to a process that is not there any more; from now on they belong to this one. */
  left(): readonly LeftServer[]
}

const KILL_AFTER_MS = 5_000
const GONE_PAUSE_MS = 50
const LAST_WORDS = 500

/** The words of a command with {port}, {model} and {file} filled in. */
export function serverWords(
  command: readonly string[],
  values: { readonly port: string; readonly model: string; readonly file: string },
): string[] {
  return command.map((word) =>
    word.replace(/\{(port|model|file)\}/g, (_, name: 'port' | 'model' | 'file') => values[name]),
  )
}

/** Starts programs that write to `<folder>/<provider>.log`, with few variables of this process; records beside it say that they run. */
export function serverSpawner(
  folder: string,
  inherited: Readonly<Record<string, string | undefined>>,
  secretOf: (
    ref: { readonly name?: string; readonly key?: string; readonly path?: string },
    provider: string,
  ) => Promise<string>,
): ServerSpawner {
  const logOf = (provider: string): string => join(folder, `${provider}.log`)
  return {
    async spawn({ name: provider, spec }, model, words) {
      await mkdir(folder, { recursive: true })
      const env: Record<string, string> = {}
      for (const name of ['PATH', 'HOME', 'LANG', 'TMPDIR']) {
        const value = inherited[name]
        if (value !== undefined) env[name] = value
      }
      for (const { name, value, secretRef } of spec.server?.env ?? [])
        env[name] = secretRef === undefined ? (value ?? '') : await secretOf(secretRef, provider)
      const log = await open(logOf(provider), 'w', 0o600)
      try {
        const child = spawn(words[0]!, words.slice(1), { env, stdio: ['ignore', log.fd, log.fd], detached: true })
        const spawned = Promise.race([
          once(child, 'spawn'),
          once(child, 'error').then(([error]) => {
            throw new ModelFailure('error', `its server cannot be started: ${(error as Error).message}`)
          }),
        ])
        // In the same moment: whoever kills this process now kills it before, or after it is known what it leaves.
        const server = child.pid === undefined ? null : identityOf(child.pid)
        if (server !== null) keepRecord(folder, { provider, model, words, server })
        await spawned
        const forget = (): void => {
          if (server !== null) dropRecord(folder, { provider, server })
        }
        child.once('exit', forget)
        return ofChild(child, logOf(provider))
      } finally {
        await log.close()
      }
    },
    left: () =>
      takeLeft(folder).map(({ provider, model, words, server }) => ({
        ...{ provider, model, words },
        process: ofStranger(server, logOf(provider), () => dropRecord(folder, { provider, server })),
      })),
  }
}

function ofChild(child: ChildProcess, log: string): ServerProcess {
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    ended: hasEnded,
    lastWords: () => endOf(log) || `exit code ${child.exitCode ?? child.signalCode}`,
    async end() {
      if (child.pid === undefined || hasEnded()) return
      signalGroup(child.pid, 'SIGTERM')
      const late = delay(KILL_AFTER_MS, 'late', { ref: false })
      if ((await Promise.race([gone, late])) === 'late') signalGroup(child.pid, 'SIGKILL')
      await gone
    },
  }
}

/** It is no child of ours: nobody tells us when it ends. */
function ofStranger(server: ProcessIdentity, log: string, forget: () => void): ServerProcess {
  const isGone = async (ms: number): Promise<boolean> => {
    const until = performance.now() + ms
    while (isAlive(server) && performance.now() < until) await delay(GONE_PAUSE_MS)
    return !isAlive(server)
  }
  return {
    ended: () => !isAlive(server),
    lastWords: () => endOf(log) || 'it has ended',
    async end() {
      if (isAlive(server)) {
        signalGroup(server.pid, 'SIGTERM')
        if (!(await isGone(KILL_AFTER_MS))) {
          signalGroup(server.pid, 'SIGKILL')
          await isGone(KILL_AFTER_MS)
        }
      }
      forget()
    },
  }
}

const endOf = (log: string): string => (readIfThere(log) ?? '').slice(-LAST_WORDS).trim()

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}
