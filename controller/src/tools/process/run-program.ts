import { type ChildProcess, spawn } from 'node:child_process'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'

export interface Program {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** Written to stdin, which is then closed. */
  readonly input: string
  readonly signal: AbortSignal
  /** Bytes of stdout; more end the program. */
  readonly maxOutput: number
  readonly onError: (text: string) => void
}

export interface ProgramEnd {
  /** 128 + the signal's number when a signal ended it. */
  readonly exitCode: number
  readonly stdout: Buffer
  /** The last 4 KiB. */
  readonly errorTail: string
}

const TAIL = 4 * 1024
const GRACE_MS = 10_000
const DRAIN_MS = 500
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

/** The whole group, so that what the program started ends with it. */
function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * Runs a program to its end: an argument vector, never a shell text. When `signal` is aborted, its group gets TERM, 10 s later KILL, and the
 * promise rejects with the signal's reason once it is gone. Throws SW_TOOL_FAILED when it cannot be started, SW_OUTPUT_TOO_LARGE.
 */
export async function runProgram(program: Program): Promise<ProgramEnd> {
  program.signal.throwIfAborted()
  const [file, ...args] = program.argv
  const child = spawn(file!, args, {
    cwd: program.cwd,
    env: program.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  let size = 0
  let errorTail = ''
  let kill: NodeJS.Timeout | undefined
  const end = () => {
    signalGroup(child, 'SIGTERM')
    kill ??= setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= program.maxOutput) chunks.push(chunk)
    else end()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorTail = (errorTail + text).slice(-TAIL)
    program.onError(text)
  })
  // A program may end without reading its input.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') program.onError(`stdin: ${error.message}\n`)
  })
  child.stdin.end(program.input)
  program.signal.addEventListener('abort', end, { once: true })
  try {
    const exitCode = await ended(child, file!)
    program.signal.throwIfAborted()
    if (size > program.maxOutput) {
      throw fail('SW_OUTPUT_TOO_LARGE', `${file} printed more than ${program.maxOutput} bytes`)
    }
    return { exitCode, stdout: Buffer.concat(chunks), errorTail }
  } finally {
    program.signal.removeEventListener('abort', end)
    clearTimeout(kill)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

function ended(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const remedy = 'name a program that is installed and may be run'
      reject(fail('SW_TOOL_FAILED', `${file} could not be started: ${errorMessage(error)}`, { cause: error, remedy }))
    })
    child.once('exit', (code, signal) => {
      // What it left behind in its group ends as well: nothing may outlive the call.
      signalGroup(child, 'SIGKILL')
      const settle = () => resolve(code ?? 128 + (SIGNALS[signal ?? ''] ?? 0))
      // A grandchild that left the group and keeps the pipes open must not hold the call.
      const late = setTimeout(settle, DRAIN_MS)
      child.once('close', () => {
        clearTimeout(late)
        settle()
      })
    })
  })
}
