import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { identityOf, isAlive, type ProcessIdentity } from '../../src/lib/process-identity.ts'
import { removeFolder, until } from './agent-fleet.ts'
import { freePort } from './free-port.ts'

/** Stateward as a person uses it: `bin/stateward` and git as processes of their own. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const LAUNCHER = join(ROOT, 'bin/stateward')

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Server {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** As Ctrl-C in a terminal: to everything in the foreground. Resolves to the exit code. */
  interrupt(): Promise<number>
  /** As `kill -9`: this process alone. */
  kill(): Promise<void>
  readonly exited: Promise<number>
  /** It says that it is ready. Never settles when it ends before that. */
  readonly ready: Promise<void>
  isReady(): boolean
}

export interface Home {
  /** A folder for whatever a person makes beside it. */
  readonly folder: string
  readonly dataDir: string
  readonly port: number
  /** One command line; `env` adds to what it gets. */
  stateward(args: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): Promise<Finished>
  /** The same, and throws with what it said when it fails; gives what it printed. */
  ok(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>
  git(directory: string, ...args: readonly string[]): Promise<string>
  /** Starts a server and resolves once it says that it is ready, or has ended. */
  serve(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Server>
  /** Starts a server and waits for nothing. */
  launch(args: readonly string[], env?: Readonly<Record<string, string>>): Server
  /** Every process that has this home's folder as its own or in its command line. */
  processes(): { readonly pid: number; readonly command: string }[]
  /** Kills what is left, one by one, and removes the folder. */
  end(): Promise<void>
}

const PREFIX = 'stateward-e2e-'

export async function createHome(): Promise<Home> {
  await removeLeftovers()
  const folder = realpathSync(mkdtempSync(join(tmpdir(), PREFIX)))
  writeFileSync(join(folder, 'owner'), JSON.stringify(identityOf(process.pid)))
  // The database server's user has to pass through when this is root.
  chmodSync(folder, 0o711)
  const dataDir = join(folder, 'data')
  const port = await freePort(2)
  const servers: ChildProcess[] = []
  const environment = (env: Readonly<Record<string, string>> = {}) => ({
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    LANG: 'C.UTF-8',
    // Compiled code is shared with whoever runs this, which makes each start quick.
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? folder, '.cache'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    STATEWARD_DATA: dataDir,
    STATEWARD_PORT: String(port),
    ...env,
  })
  const run = (program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) =>
    new Promise<Finished>((resolve) => {
      const options = { cwd, env: environment(env), timeout: 60_000, maxBuffer: 1 << 26 }
      const child = execFile(program, [...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      )
      child.stdin?.end()
    })
  const home: Home = {
    folder,
    dataDir,
    port,
    stateward: (args, env, cwd = folder) => run(LAUNCHER, args, cwd, env),
    async ok(args, env) {
      const { code, stdout, stderr } = await run(LAUNCHER, args, folder, env)
      if (code !== 0) throw new Error(`stateward ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
      return stdout
    },
    async git(directory, ...args) {
      const { code, stdout, stderr } = await run('git', ['-c', 'safe.directory=*', ...args], directory)
      if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
      return stdout.trimEnd()
    },
    async serve(args, env) {
      const server = home.launch(args, env)
      const outcome = await Promise.race([server.ready, server.exited, delay(60_000, 'late', { ref: false })])
      if (outcome === 'late') throw new Error(`the server does not get ready; it said: ${server.stderr()}`)
      // Some tests want it so; where it was not wanted, this tells why.
      if (typeof outcome === 'number') console.error(`the server ended with ${outcome}: ${server.stderr()}`)
      return server
    },
    launch(args, env) {
      // A process group of its own, as a shell gives a job.
      const child = spawn(LAUNCHER, [...args], {
        cwd: folder,
        env: environment(env),
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      servers.push(child)
      return watched(child)
    },
    processes: () => processesOf(folder),
    async end() {
      for (const child of servers) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await until('every process to be gone', () => {
        for (const { pid } of processesOf(folder)) endOne(pid)
        return processesOf(folder).length === 0
      })
      removeFolder(folder)
    },
  }
  return home
}

/** The end of what a start prints: of the one that leads, and of the others. */
const READY = /Try next|All processes:/

function watched(child: ChildProcess): Server {
  let stdout = ''
  let stderr = ''
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (READY.test(stdout)) isReady()
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<number>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 1))),
  )
  return {
    pid: child.pid!,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    ready,
    isReady: () => READY.test(stdout),
    async interrupt() {
      process.kill(-child.pid!, 'SIGINT')
      return await exited
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Homes of test runs that were killed: what they started would go on for ever. */
async function removeLeftovers(): Promise<void> {
  for (const entry of readdirSync(tmpdir())) {
    const folder = join(tmpdir(), entry)
    const owner = entry.startsWith(PREFIX) ? read(() => readFileSync(join(folder, 'owner'), 'utf8')) : ''
    if (owner === '' || isAlive(JSON.parse(owner) as ProcessIdentity)) continue
    for (const { pid } of processesOf(realpathSync(folder))) endOne(pid)
    removeFolder(folder)
  }
}

/** It may have ended since it was listed. */
function endOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Living processes that work in a folder, or name it on their command line or in their environment. */
function processesOf(folder: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && identityOf(pid) !== null)
    .flatMap((pid) => {
      const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
      const places = [
        command,
        read(() => readlinkSync(`/proc/${pid}/cwd`)),
        read(() => readFileSync(`/proc/${pid}/environ`, 'utf8')),
      ]
      return places.some((place) => place.includes(folder)) ? [{ pid, command }] : []
    })
}

function read(look: () => string): string {
  try {
    return look()
  } catch {
    return ''
  }
}
