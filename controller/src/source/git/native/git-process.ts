import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fail } from '../../../lib/error-catalogue.ts'
import type { StatewardError } from '../../../lib/errors.ts'
import { redactUrls } from '../remote-url.ts'

/**
 * Starting `git`. Guarantees: a clean environment (nothing of the caller's GIT_*), no prompts, no hooks, no replaced
 * objects, no automatic gc; children live in a group of their own, so Ctrl-C does not end them in the middle of a
 * write and a timeout ends their helpers (ssh, git-remote-https) too.
 */

/** Variables a child may see besides those set here. */
// biome-ignore format: a table of names
const INHERITED = [
  'PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_CONFIG_HOME', 'SSH_AUTH_SOCK', 'GIT_SSH_COMMAND', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY',
] as const

export type Environment = Readonly<Record<string, string | undefined>>

export function gitEnvironment(inherited: Environment): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of INHERITED) {
    const value = inherited[name]
    if (value !== undefined) env[name] = value
  }
  return {
    ...env,
    PATH: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_COMMAND: env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes',
  }
}

/** Repositories are opened in place, whoever owns them: the operator named the path, so its owner is no surprise. */
const SETTINGS = [
  'safe.directory=*',
  'core.hooksPath=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
  'core.filesRefLockTimeout=1000',
  'protocol.version=2',
]

/** One repository's way to start git. `children` holds what runs, so that closing can end it. */
export interface GitContext {
  readonly binary: string
  readonly gitDir: string
  readonly env: Readonly<Record<string, string>>
  readonly children: Set<ChildProcess>
}

/** The same for git that is started in another way, as `-c` takes them. */
export function gitSettings(): readonly string[] {
  return SETTINGS
}

export function spawnGit(
  context: GitContext,
  args: readonly string[],
  extraEnv: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting])
  const child = spawn(context.binary, [...settings, `--git-dir=${context.gitDir}`, ...args], {
    env: { ...context.env, ...extraEnv },
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  context.children.add(child)
  child.once('close', () => context.children.delete(child))
  child.once('error', () => context.children.delete(child))
  return child
}

/** Kills a child with everything it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group ended between the check and the signal.
    child.kill('SIGKILL')
  }
}

export interface GitOutcome {
  /** 0 to 255; null when a signal ended it. */
  readonly code: number | null
  readonly stdout: Buffer
  /** Without credentials of URLs. */
  readonly stderr: string
  readonly timedOut: boolean
}

export interface RunOptions {
  readonly input?: Iterable<Uint8Array | string>
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs git to its end and tells how it went; throws only when it cannot be started. */
export async function runGit(
  context: GitContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<GitOutcome> {
  const child = spawnGit(context, args, options.env)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child)
  }, options.timeoutMs ?? 120_000)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(startFailure(context, error)))
    child.once('close', resolve)
  })
  try {
    const [code] = await Promise.all([ended, feed(child, options.input ?? [])])
    return {
      code,
      stdout: Buffer.concat(stdout),
      stderr: readableStderr(Buffer.concat(stderr).toString('utf8')),
      timedOut,
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Writes the input at the pace the child reads; a child that ends early is judged by its exit code, not by EPIPE. */
async function feed(child: ChildProcessWithoutNullStreams, input: Iterable<Uint8Array | string>): Promise<void> {
  let open = true
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      open = false
      resolve()
    }
    child.stdin.once('error', end)
    child.once('close', end)
    child.once('error', end)
  })
  for (const block of blocksOf(input)) {
    if (!open) return
    if (!child.stdin.write(block)) await Promise.race([once(child.stdin, 'drain').catch(() => undefined), gone])
  }
  if (open) child.stdin.end()
}

const BLOCK_BYTES = 64 * 1024

/** Small parts together: each write is a call into the system. */
function* blocksOf(input: Iterable<Uint8Array | string>): Generator<Uint8Array> {
  let parts: Uint8Array[] = []
  let bytes = 0
  for (const part of input) {
    const next = typeof part === 'string' ? Buffer.from(part) : part
    parts.push(next)
    bytes += next.length
    if (bytes < BLOCK_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}

/** Runs git and gives its output; any exit code not in `accept` throws SW_GIT_FAILED. */
export async function git(
  context: GitContext,
  args: readonly string[],
  options: RunOptions & { readonly accept?: readonly number[] } = {},
): Promise<GitOutcome> {
  const outcome = await runGit(context, args, options)
  if (outcome.code === null || !(options.accept ?? [0]).includes(outcome.code)) throw gitFailure(args, outcome)
  return outcome
}

export function gitFailure(args: readonly string[], outcome: GitOutcome): StatewardError {
  const how = outcome.timedOut
    ? 'did not end in time'
    : outcome.code === null
      ? 'was killed'
      : `failed with exit code ${outcome.code}`
  return fail('SW_GIT_FAILED', `git ${args[0]} ${how}${outcome.stderr === '' ? '' : `: ${outcome.stderr}`}`, {
    details: { exitCode: outcome.code },
  })
}

export function startFailure(context: GitContext, error: unknown): StatewardError {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return fail('SW_GIT_BINARY_REQUIRED', `${context.binary} is not installed`, { cause: error })
  return fail('SW_GIT_FAILED', `${context.binary} cannot be started: ${(error as Error).message}`, { cause: error })
}

/** What git said, for a message: without credentials, and without what a remote sent to pad or colour it. */
export function readableStderr(text: string): string {
  return redactUrls(text)
    .replaceAll(/[^\P{Cc}\n\t]/gu, '')
    .replaceAll(/[ \t]+$/gm, '')
    .trim()
}
