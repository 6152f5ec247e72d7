import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasCode } from '../../lib/error-code.ts'
import { ModelFailure } from '../providers/failure.ts'
import type { ProviderView } from '../routing/view.ts'

/** A program that serves models. */
export interface ServerProcess {
  ended(): boolean
  /** The end of what it printed. */
  lastWords(): string
  /** TERM to its group, KILL when that is not enough. */
  end(): Promise<void>
}

export type ServerSpawner = (provider: ProviderView, words: readonly string[]) => Promise<ServerProcess>

const KILL_AFTER_MS = 5_000
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

/** Starts programs that write to `<folder>/<provider>.log`, with few variables of this process. */
export function serverSpawner(
  folder: string,
  inherited: Readonly<Record<string, string | undefined>>,
  secretOf: (
    ref: { readonly name?: string; readonly key?: string; readonly path?: string },
    provider: string,
  ) => Promise<string>,
): ServerSpawner {
  return async (provider, words) => {
    await mkdir(folder, { recursive: true })
    const file = join(folder, `${provider.name}.log`)
    const env: Record<string, string> = {}
    for (const name of ['PATH', 'HOME', 'LANG', 'TMPDIR']) {
      const value = inherited[name]
      if (value !== undefined) env[name] = value
    }
    for (const { name, value, secretRef } of provider.spec.server?.env ?? [])
      env[name] = secretRef === undefined ? (value ?? '') : await secretOf(secretRef, provider.name)
    const log = await open(file, 'w', 0o600)
    try {
      const child = spawn(words[0]!, words.slice(1), { env, stdio: ['ignore', log.fd, log.fd], detached: true })
      const spawned = Promise.race([
        once(child, 'spawn'),
        once(child, 'error').then(([error]) => {
          throw new ModelFailure('error', `its server cannot be started: ${(error as Error).message}`)
        }),
      ])
      await spawned
      let words_ = ''
      const gone = new Promise<void>((resolve) => {
        child.once('exit', () => {
          readFile(file, 'utf8')
            .then((text) => {
              words_ = text.slice(-LAST_WORDS)
            })
            .catch(() => undefined)
            .finally(resolve)
        })
      })
      return {
        ended: () => child.exitCode !== null || child.signalCode !== null,
        lastWords: () => words_.trim() || `exit code ${child.exitCode ?? child.signalCode}`,
        async end() {
          if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
          signalGroup(child.pid, 'SIGTERM')
          const late = delay(KILL_AFTER_MS, 'late', { ref: false })
          if ((await Promise.race([gone, late])) === 'late') signalGroup(child.pid, 'SIGKILL')
          await gone
        },
      }
    } finally {
      await log.close()
    }
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}
