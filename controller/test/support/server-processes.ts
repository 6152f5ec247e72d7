import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import type { Sql } from '../../src/store/database.ts'
import { removeFolder } from './agent-fleet.ts'
import { connectAsOwner, createTestDatabase } from './database.ts'
import { bareRepository, commitFiles, type FileContent } from './git-remote.ts'
import { manifest } from './state-files.ts'

/** `stateward up` as processes of their own, several on one database, one data folder and one state repo. */

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export interface ServerProcess {
  readonly pid: number
  /** Its row in `writers`. */
  readonly writer: string
  /** '' without the role `api`. */
  readonly url: string
  /** Everything it has logged. */
  log(): string
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
}

export interface Site {
  readonly folder: string
  readonly repo: string
  /** As the owner of the database. */
  readonly sql: Sql
  /** Starts a process and waits until it says that it is ready. */
  start(roles: string, flags?: readonly string[]): Promise<ServerProcess>
  push(files: Readonly<Record<string, FileContent>>): string
  /** POST as the holder of the admin credential. */
  post(
    server: ServerProcess,
    path: string,
    body: object,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  /** Lines that effects left, oldest first; nothing of the product writes this file. */
  effects(): string[]
  /** Waits until a look holds; says what it saw last when it does not. */
  until<T>(look: () => Promise<T> | T, holds: (seen: T) => boolean, what: string): Promise<T>
  end(): Promise<void>
}

const LONGEST_MS = 30_000

/**
 * A tool that leaves a line `<run> <mark>` in a file outside the data folder and then takes its time: once as it begins, and
 * once more, with `done`, as it ends.
 */
function effectTool(name: string, file: string, idempotent: boolean): string {
  const field = (key: string) => `$(printf %s "$given" | sed 's/.*"${key}":"\\{0,1\\}\\([^",}]*\\).*/\\1/')`
  const script = [
    'IFS= read -r given',
    `mark="${field('run')} ${field('step')}"`,
    `echo "$mark" >> ${file}`,
    `sleep ${field('seconds')}`,
    `echo "$mark done" >> ${file}`,
    `echo '{"did":true}'`,
  ].join('; ')
  return manifest('Tool', name, {
    executor: { command: { command: ['sh', '-c', script] } },
    // It writes down what it did where tests look.
    trusted: true,
    idempotent,
    inputSchema: {
      type: 'object',
      required: ['run', 'seconds', 'step'],
      properties: { run: { type: 'string' }, seconds: { type: 'number' }, step: { type: 'string' } },
    },
  })
}

const step = (id: string, action: string, seconds: number) => ({
  id,
  kind: 'action_task',
  action,
  with: { run: '{{ run.id }}', seconds, step: id },
})

/** Blueprints of the site: `quick` (three effects), `slow` (one that lasts), `gated` (effect, gate, effect). */
function siteFiles(effectsFile: string): Record<string, string> {
  return {
    'tools/once.yaml': effectTool('effect.once', effectsFile, false),
    'tools/again.yaml': effectTool('effect.again', effectsFile, true),
    'blueprints/quick.yaml': manifest('Blueprint', 'quick', {
      triggers: [{ event: 'test.wanted' }],
      plan: [step('a', 'effect.once', 0), step('b', 'effect.once', 0), step('c', 'effect.once', 0)],
    }),
    'blueprints/slow.yaml': manifest('Blueprint', 'slow', {
      plan: [step('before', 'effect.once', 0), step('long', 'effect.again', 4), step('after', 'effect.once', 0)],
    }),
    'blueprints/gated.yaml': manifest('Blueprint', 'gated', {
      plan: [
        step('before', 'effect.once', 0),
        { id: 'approve', kind: 'gate', mode: 'manual' },
        step('after', 'effect.once', 0),
      ],
    }),
  }
}

export async function createSite(): Promise<Site> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stateward-site-')))
  const effectsFile = join(folder, 'effects')
  const dataDir = join(folder, 'data')
  const database = await createTestDatabase()
  const sql = connectAsOwner(database)
  const repo = bareRepository(join(folder, 'state.git'))
  commitFiles(repo, siteFiles(effectsFile))
  const children: ChildProcess[] = []
  const site: Site = {
    folder,
    repo,
    sql,
    async start(roles, flags = []) {
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', MAIN, 'up', '--roles', roles, '--lease', '3s', ...flags],
        {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'pipe'],
          env: {
            PATH: process.env['PATH'],
            HOME: folder,
            DATABASE_URL: database.urls.url,
            STATEWARD_DATA: dataDir,
            STATEWARD_REPO: repo,
            STATEWARD_PORT: '0',
            STATEWARD_LOG_FORMAT: 'json',
            STATEWARD_STATUS_INTERVAL: '200ms',
          },
        },
      )
      children.push(child)
      return await watched(child, sql)
    },
    push: (files) => commitFiles(repo, files),
    async post(server, path, body) {
      const token = readFileSync(adminCredentialPath(dataDir), 'utf8').trim()
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': 'ada' },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    effects: () => linesOf(effectsFile),
    until: untilHolds,
    async end() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGCONT')
        child.kill('SIGKILL')
        await new Promise((resolve) => child.once('exit', resolve))
      }
      // Only now: a living leader starts again what is killed.
      for (const { pid } of await sql<
        { pid: number }[]
      >`SELECT pid FROM instances WHERE ended_at IS NULL AND pid IS NOT NULL`)
        killGroup(pid)
      await sql.end()
      await database.drop()
      removeFolder(folder)
    },
  }
  return site
}

async function watched(child: ChildProcess, sql: Sql): Promise<ServerProcess> {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await untilHolds(
    () => stdout,
    (text) => text.includes('Stateward is ready') || child.exitCode !== null,
    'a process to be ready',
  )
  if (child.exitCode !== null) throw new Error(`a process ended with ${child.exitCode}:\n${stdout}${stderr}`)
  const [row] = await sql<{ id: string }[]>`SELECT id FROM writers WHERE pid = ${child.pid!}`
  return {
    pid: child.pid!,
    writer: row!.id,
    url: /http:\/\/\S+:[0-9]+/.exec(stdout)?.[0] ?? '',
    log: () => stderr,
    signal: (name) => void child.kill(name),
    exited,
  }
}

async function untilHolds<T>(look: () => Promise<T> | T, holds: (seen: T) => boolean, what: string): Promise<T> {
  const end = performance.now() + LONGEST_MS
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (performance.now() > end)
      throw new Error(`${what} did not come; last seen: …${JSON.stringify(seen).slice(-500)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
