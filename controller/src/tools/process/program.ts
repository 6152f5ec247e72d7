import { fail } from '../../lib/error-catalogue.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { cleanText, LineLog } from '../text.ts'
import { programEnvironment } from './environment.ts'
import { runProgram } from './run-program.ts'

const MAX_OUTPUT = 768 * 1024

export interface OwnProgram {
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
  /** Exit codes that are no failure; default: 0. */
  readonly ok?: readonly number[]
  /** What is said instead when the program is not there. */
  readonly remedy: string
}

/** Runs a program that a tool of ours needs, with nothing of the controller's own environment but what programs may inherit. */
export async function runOwnProgram(
  call: Invocation,
  { environment }: ToolDependencies,
  { argv, cwd = call.workspace, environment: more = {}, input = '', ok = [0], remedy }: OwnProgram,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const lines = new LineLog(call.log)
  const end = await runProgram({
    argv,
    cwd,
    environment: programEnvironment({ ...environment, HOME: call.workspace }, more, call),
    input,
    signal: call.signal,
    maxOutput: MAX_OUTPUT,
    onError: (text) => lines.push(text),
  }).catch((error: unknown) => {
    const cause = error instanceof Error ? error.cause : undefined
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      throw fail('SW_TOOL_FAILED', `there is no ${argv[0]} on this machine`, { cause, remedy })
    throw error
  })
  lines.end()
  const stdout = end.stdout.toString('utf8')
  if (ok.includes(end.exitCode)) return { exitCode: end.exitCode, stdout, stderr: end.errorTail }
  const said = cleanText(end.errorTail.trim() || stdout.trim().slice(-1024))
  throw fail('SW_TOOL_FAILED', `${argv[0]} ended with exit code ${end.exitCode}${said === '' ? '' : `: ${said}`}`, {
    details: { exit_code: end.exitCode },
  })
}
