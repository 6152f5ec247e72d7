import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Sql } from '../../../src/store/database.ts'
import { readAddress } from '../../../src/store/embedded/cluster-config.ts'
import { DATABASE, OWNER, readPassword } from '../../../src/store/embedded/credentials.ts'
import { startEmbeddedPostgres } from '../../../src/store/embedded/embedded-postgres.ts'
import { keepRunning } from '../../../src/store/embedded/keep-running.ts'
import { bareRepository, commitFiles } from '../../support/git-remote.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { starterFiles } from '../../support/starter-files.ts'
import { createHome, type Home, type Server } from '../../support/stateward-process.ts'
import type { Random } from './random.ts'
import { stateFilesOf } from './workload.ts'

/** What an exit says that nobody asked for. */
export interface Exit {
  readonly code: number
  readonly wasReady: boolean
  readonly said: string
}

/** A whole installation: Stateward as a person starts it, with its own database server, and the observer beside it. */
export interface Plant {
  readonly home: Home
  /** Every effect, a line each. */
  readonly effectsFile: string
  /** It ended though nobody killed it. */
  readonly exits: readonly Exit[]
  /** Kills one (`kill -9`); it is started again at once, and perhaps killed again this long after that began. */
  killWorker(random: Random, nextStartAfterMs: number | null): Promise<void>
  /** Stops one for longer than its lease, as a machine that sleeps does, and lets it go on. False when there is only one. */
  freezeWorker(random: Random, ms: number): Promise<boolean>
  /** Resolves when it runs and says so. */
  untilReady(): Promise<void>
  /** Reads, as the owner of the database, again and again while the server is away. */
  read<T extends object>(query: (sql: Sql) => Promise<T[]>): Promise<T[]>
  /** A request with the admin's credential; null when nobody answers. */
  request(method: 'GET' | 'POST', path: string, body?: object, key?: string): Promise<Answer | null>
  postmaster(): number | null
  /** Ctrl-C; what is left of it. */
  stop(): Promise<{ readonly code: number; readonly left: readonly string[] }>
  end(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * `single`: one process with its own database server. `team`: a leader and two workers on a server that they share.
 */
export type Profile = 'single' | 'team'

export async function startPlant(profile: Profile): Promise<Plant> {
  const home = await createHome()
  const effectsFile = join(home.folder, 'effects')
  const observer = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../support/observer-process.ts'), effectsFile],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const [port] = (await once(observer.stdout!, 'data')) as [Buffer]
    const url = `http://127.0.0.1:${String(port).trim()}`
    const repo = bareRepository(join(home.folder, 'state.git'))
    const starter = Object.fromEntries((await starterFiles()).map(({ path, bytes }) => [path, Buffer.from(bytes)]))
    commitFiles(repo, { ...starter, ...stateFilesOf({ url, file: effectsFile }) })
    const database = profile === 'team' ? await startDatabase(join(home.folder, 'database')) : null
    return new RunningPlant({ home, effectsFile, observer, repo, database })
  } catch (error) {
    observer.kill('SIGKILL')
    await home.end()
    throw error
  }
}

class RunningPlant implements Plant {
  readonly home: Home
  readonly effectsFile: string
  readonly exits: Exit[] = []
  readonly #observer: ChildProcess
  readonly #nodes: readonly Node[]
  readonly #database: TeamDatabase | null
  #stopping = false
  #sql: Sql | null = null

  constructor(parts: {
    readonly home: Home
    readonly effectsFile: string
    readonly observer: ChildProcess
    readonly repo: string
    readonly database: TeamDatabase | null
  }) {
    const { home, database, repo } = parts
    this.home = home
    this.effectsFile = parts.effectsFile
    this.#observer = parts.observer
    this.#database = database
    const env = {
      STATEWARD_LOG_LEVEL: 'warn',
      STATEWARD_REPO: repo,
      ...(database === null ? {} : { DATABASE_URL: database.url, STATEWARD_LEASE: '3s' }),
    }
    const roles = database === null ? [''] : ['controller,api', 'worker', 'worker']
    this.#nodes = roles.map((role) => this.#start({ ...env, ...(role === '' ? {} : { STATEWARD_ROLES: role }) }))
  }

  #start(env: Readonly<Record<string, string>>): Node {
    const node: Node = { server: null, expected: new Set(), killStartAfter: null, supervising: Promise.resolve() }
    node.supervising = this.#supervise(node, env)
    return node
  }

  /** As a service manager does it: what ends is started again. */
  async #supervise(node: Node, env: Readonly<Record<string, string>>): Promise<void> {
    while (!this.#stopping) {
      const server = this.home.launch(['up'], env)
      const after = node.killStartAfter
      node.killStartAfter = null
      if (after !== null) {
        void delay(after).then(() => {
          node.expected.add(server.pid)
          return server.kill()
        })
      }
      await Promise.race([server.ready, server.exited])
      const wasReady = server.isReady()
      if (wasReady) node.server = server
      const code = await server.exited
      node.server = null
      if (this.#stopping || node.expected.has(server.pid)) continue
      this.exits.push({ code, wasReady, said: server.stderr().slice(-2000) })
      await delay(200)
    }
  }

  async killWorker(random: Random, nextStartAfterMs: number | null): Promise<void> {
    const node = random.pick(this.#nodes)
    const { server } = node
    if (server === null) return
    node.expected.add(server.pid)
    node.killStartAfter = nextStartAfterMs
    await server.kill()
  }

  async freezeWorker(random: Random, ms: number): Promise<boolean> {
    const node = random.pick(this.#nodes)
    const { server } = node
    if (server === null || this.#nodes.length === 1) return false
    // It finds its lease taken and ends by itself.
    node.expected.add(server.pid)
    process.kill(server.pid, 'SIGSTOP')
    await delay(ms)
    process.kill(server.pid, 'SIGCONT')
    return true
  }

  async untilReady(): Promise<void> {
    for (let waited = 0; this.#nodes.some(({ server }) => server === null); waited += 10) {
      if (waited > 60_000) throw new Error(`Stateward does not get ready: ${JSON.stringify(this.exits.slice(-3))}`)
      await delay(10)
    }
  }

  async read<T extends object>(query: (sql: Sql) => Promise<T[]>): Promise<T[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        this.#sql ??= connect(await this.#databaseUrl(), { max: 1, applicationName: 'storm', namedStatements: false })
        return await query(this.#sql)
      } catch (error) {
        await this.#forget()
        if (attempt > 300) throw error
        await delay(100)
      }
    }
  }

  async #databaseUrl(): Promise<string> {
    const cluster = this.#cluster()
    const [address, password] = await Promise.all([
      cluster === null ? null : readAddress(cluster),
      readPassword(this.#databaseDir),
    ])
    if (address === null || password === null) throw new Error('there is no database yet')
    return `postgres://${OWNER}:${encodeURIComponent(password)}@${address.host}:${address.port}/${DATABASE}`
  }

  get #databaseDir(): string {
    return this.#database?.dataDir ?? this.home.dataDir
  }

  #cluster(): string | null {
    const folder = join(this.#databaseDir, 'postgres')
    if (!existsSync(folder)) return null
    const found = readdirSync(folder).find((entry) => existsSync(join(folder, entry, 'postgresql.conf')))
    return found === undefined ? null : join(folder, found)
  }

  async #forget(): Promise<void> {
    const sql = this.#sql
    this.#sql = null
    await sql?.end({ timeout: 1 }).catch(() => undefined)
  }

  postmaster(): number | null {
    const cluster = this.#cluster()
    try {
      return cluster === null ? null : Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return null
    }
  }

  async request(method: 'GET' | 'POST', path: string, body?: object, key?: string): Promise<Answer | null> {
    try {
      const token = readFileSync(join(this.home.dataDir, 'credentials', 'admin'), 'utf8').trim()
      const response = await fetch(`http://127.0.0.1:${this.home.port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    } catch {
      return null
    }
  }

  async stop(): Promise<{ code: number; left: string[] }> {
    this.#stopping = true
    await this.#forget()
    const codes = await Promise.all(this.#nodes.map(({ server }) => server?.interrupt() ?? -1))
    await Promise.all(this.#nodes.map(({ supervising }) => supervising))
    await this.#database?.stop()
    const left = this.home.processes().filter(({ pid }) => pid !== this.#observer.pid)
    return { code: codes.find((code) => code !== 0) ?? 0, left: left.map(({ pid, command }) => `${pid} ${command}`) }
  }

  async end(): Promise<void> {
    this.#stopping = true
    await this.#forget()
    for (const { server } of this.#nodes) await server?.kill()
    this.#observer.kill('SIGKILL')
    await this.#database?.stop()
    await this.home.end()
    await Promise.all(this.#nodes.map(({ supervising }) => supervising))
  }
}

/** One process of Stateward, and its successors. */
interface Node {
  server: Server | null
  /** Pids whose end is our doing. */
  readonly expected: Set<number>
  killStartAfter: number | null
  supervising: Promise<void>
}

interface TeamDatabase {
  readonly dataDir: string
  readonly url: string
  stop(): Promise<void>
}

/** A server that several processes share, started again when it is killed, as a service is. */
async function startDatabase(dataDir: string): Promise<TeamDatabase> {
  mkdirSync(dataDir, { mode: 0o711 })
  const server = await startEmbeddedPostgres({ dataDir, log: quietLog })
  const kept = keepRunning(server, { dataDir, log: quietLog })
  return { dataDir, url: server.urls.ownerUrl, stop: () => kept.stop() }
}
