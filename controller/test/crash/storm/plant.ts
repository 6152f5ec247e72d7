import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Sql } from '../../../src/store/database.ts'
import { readAddress } from '../../../src/store/embedded/cluster-config.ts'
import { DATABASE, OWNER, readPassword } from '../../../src/store/embedded/credentials.ts'
import { bareRepository, commitFiles } from '../../support/git-remote.ts'
import { starterFiles } from '../../support/starter-files.ts'
import { createHome, type Home, type Server } from '../../support/stateward-process.ts'
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
  /** The one that runs now; null while it is started again. */
  worker(): Server | null
  /** It ended though nobody killed it. */
  readonly exits: readonly Exit[]
  /** Kills it (`kill -9`); it is started again at once. */
  killWorker(): Promise<void>
  /** Kills the next one this long after it began to start. */
  killNextStart(afterMs: number): void
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

export async function startPlant(): Promise<Plant> {
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
    return new RunningPlant(home, effectsFile, observer, repo)
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
  readonly #repo: string
  readonly #supervising: Promise<void>
  #server: Server | null = null
  #killed = new Set<number>()
  #killStartAfter: number | null = null
  #stopping = false
  #sql: Sql | null = null

  constructor(home: Home, effectsFile: string, observer: ChildProcess, repo: string) {
    this.home = home
    this.effectsFile = effectsFile
    this.#observer = observer
    this.#repo = repo
    this.#supervising = this.#supervise()
  }

  /** As a service manager does it: what ends is started again. */
  async #supervise(): Promise<void> {
    while (!this.#stopping) {
      const server = this.home.launch(['up', '--repo', this.#repo], { STATEWARD_LOG_LEVEL: 'warn' })
      const after = this.#killStartAfter
      this.#killStartAfter = null
      if (after !== null) {
        void delay(after).then(() => {
          this.#killed.add(server.pid)
          return server.kill()
        })
      }
      await Promise.race([server.ready, server.exited])
      const wasReady = server.isReady()
      if (wasReady) this.#server = server
      const code = await server.exited
      this.#server = null
      if (this.#stopping || this.#killed.has(server.pid)) continue
      this.exits.push({ code, wasReady, said: server.stderr().slice(-2000) })
      await delay(200)
    }
  }

  worker(): Server | null {
    return this.#server
  }

  async killWorker(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#killed.add(server.pid)
    await server.kill()
  }

  killNextStart(afterMs: number): void {
    this.#killStartAfter = afterMs
  }

  async untilReady(): Promise<void> {
    for (let waited = 0; this.#server === null; waited += 10) {
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
      readPassword(this.home.dataDir),
    ])
    if (address === null || password === null) throw new Error('there is no database yet')
    return `postgres://${OWNER}:${encodeURIComponent(password)}@${address.host}:${address.port}/${DATABASE}`
  }

  #cluster(): string | null {
    const folder = join(this.home.dataDir, 'postgres')
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
    const code = (await this.#server?.interrupt()) ?? -1
    await this.#supervising
    return {
      code,
      left: this.home
        .processes()
        .filter(({ pid }) => pid !== this.#observer.pid)
        .map(({ pid, command }) => `${pid} ${command}`),
    }
  }

  async end(): Promise<void> {
    this.#stopping = true
    await this.#forget()
    await this.killWorker()
    this.#observer.kill('SIGKILL')
    await this.home.end()
    await this.#supervising
  }
}
