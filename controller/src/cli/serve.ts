import { type Stateward, startStateward } from '../build/stateward.ts'
import type { Config } from '../config/schema.ts'
import { KnownSecrets } from '../telemetry/known-secrets.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { ExitCode, VerbCall } from './verb.ts'

/** Exit code of a process whose lease another one took (EX_SOFTWARE). */
const LEASE_LOST = 70

/** Runs a server until it is interrupted; `report` says what the start did. */
export async function serve(
  call: VerbCall,
  directory: string | null,
  report: (stateward: Stateward, config: Config, startedMs: number) => Promise<string>,
): Promise<ExitCode> {
  const { terminal } = call
  const { config } = call.config()
  const startedMs = terminal.clock.monotonicMs()
  const known = new KnownSecrets()
  const log = createLogger({ level: config.log.level, format: config.log.format, redact: known.redact })
  const interrupted = terminal.untilInterrupted()
  let lost = false
  const failure: { error: unknown }[] = []
  const ended = new AbortController()
  const stateward = await startStateward({
    config,
    environment: terminal.env,
    log,
    known,
    directory,
    ending: interrupted,
    onLeaseLost: () => {
      lost = true
      ended.abort()
    },
    onFailure: (error) => {
      failure.push({ error })
      ended.abort()
    },
  })
  await terminal.out(await report(stateward, config, startedMs))
  await aborted(AbortSignal.any([interrupted, ended.signal]))
  log.info({ reason: lost ? 'lease lost' : failure.length > 0 ? 'failed' : 'interrupted' }, 'stopping')
  await stateward.stop()
  log.info({}, 'stopped')
  if (failure[0] !== undefined) throw failure[0].error
  return lost ? LEASE_LOST : 0
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  // The signal alone does not keep the process alive, the servers do.
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
