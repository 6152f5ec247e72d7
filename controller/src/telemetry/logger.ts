import pino from 'pino'
import { prettyLine } from './pretty.ts'
import { redactLine } from './redact.ts'

/**
 * A structured logger: a constant message plus fields (`log.info({ kind, name }, 'spawned')`). Every part names them alike, so
 * that one query finds all lines about one thing: kind, name, namespace, revision, reconcile_id, run_id, correlation_id, err.
 */
export type Logger = pino.Logger

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LoggerOptions {
  readonly level: LogLevel
  /** `pretty` is for a terminal, `json` for machines; `auto` looks at stderr. */
  readonly format: 'json' | 'pretty' | 'auto'
  /** Where lines go; default: stderr, so that stdout stays for what a command answers. */
  readonly write?: (line: string) => void
  /** Takes out what only this process knows to be a secret. */
  readonly redact?: (line: string) => string
}

/**
 * The process's logger. Lines are written synchronously: what was logged before a crash is there. Secrets are taken out
 * of the finished line (see {@link redactLine}), so no caller can forget it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true)
  const write = options.write ?? writeToStderr
  const redact = options.redact ?? ((line: string) => line)
  const destination = {
    write(line: string): void {
      const safe = redactLine(redact(line))
      write(pretty ? prettyLine(safe) : safe)
    },
  }
  return pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  )
}

const stderr = pino.destination({ dest: 2, sync: true })

function writeToStderr(line: string): void {
  stderr.write(line)
}

/** A logger that says nothing; for tests and one-shot commands. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}
