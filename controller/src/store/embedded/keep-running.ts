import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../ports.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'

export interface KeepRunningOptions {
  readonly dataDir: string
  readonly log: Log
  /** How often it is looked at; default 100 ms. */
  readonly pollMs?: number
}

const POLL_MS = 100
const LONGEST_PAUSE_MS = 10_000

/**
 * Starts the database server again whenever it ends, at its old address, for as long as the caller holds `<data>/lock`:
 * what is connected to it only has to connect again. `stop` ends that first, and then the server.
 */
export function keepRunning(first: EmbeddedPostgres, options: KeepRunningOptions): Pick<EmbeddedPostgres, 'stop'> {
  const { dataDir, log, pollMs = POLL_MS } = options
  const stopping = new AbortController()
  let server = first
  const watch = async (): Promise<void> => {
    for (let pause = pollMs; ; ) {
      // Aborted while it waits: the loop ends right after.
      await delay(pause, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      if (stopping.signal.aborted) return
      if (server.isRunning()) continue
      log.error({ pid: server.pid }, 'the database server has ended; it is started again')
      try {
        server = await startEmbeddedPostgres({ dataDir, log, keepAddress: true })
        pause = pollMs
      } catch (error) {
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
        log.error({ err: error }, 'the database server could not be started; trying again')
      }
    }
  }
  const watching = watch()
  return {
    async stop() {
      stopping.abort()
      await watching
      await server.stop()
    },
  }
}
