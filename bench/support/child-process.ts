import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A measured process: a script of its own, so that its memory and its compiler start from nothing. */
export interface MeasuredProcess {
  readonly pid: number
  /** Sends a message and waits for the next one back. Rejects when the process ends instead. */
  ask<T>(message: unknown): Promise<T>
  /** Waits until it has ended; ends it when that takes more than ten seconds. */
  ended(): Promise<void>
}

const END_MS = 10_000

/** Starts a script with the node of this process; `input` is its first message. */
export function startMeasured(script: URL, execArgv: readonly string[] = []): MeasuredProcess {
  const child = fork(script, { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    pid: child.pid!,
    ask: <T>(message: unknown) => ask<T>(child, message),
    async ended() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await once(child, 'exit')
      clearTimeout(timer)
    },
  }
}

function ask<T>(child: ChildProcess, message: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null) =>
      reject(new Error(`the measured process ended (${signal ?? `exit code ${code}`})`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as T)
    })
    child.send(message as object, (error) => {
      if (error !== null) reject(error)
    })
  })
}

/** The other side: answers each message; `null` as an answer to a message ends the process after it. */
export function answer(handle: (message: unknown) => Promise<object>): void {
  process.on('message', (message) => {
    handle(message).then(
      (reply) => process.send!(reply),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
        process.exit(1)
      },
    )
  })
}
