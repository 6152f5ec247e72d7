import { realpathSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminCredentialPath } from '../../src/api/auth/admin-credential.ts'
import { type Stateward, type StatewardOptions, startStateward } from '../../src/build/stateward.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Condition } from '../../src/kinds/conditions.ts'
import type { ObjectKey } from '../../src/kinds/resource.ts'
import { identityOf } from '../../src/lib/process-identity.ts'
import type { WorldObject } from '../../src/reconcile/world.ts'
import { connect, type Sql } from '../../src/store/database.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { removeFolder, until } from './agent-fleet.ts'
import { assertConditionLaws } from './assert-conditions.ts'
import { assertCatalogued } from './assert-events.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { bareRepository, commitFiles, type FileContent, git, tipOf } from './git-remote.ts'

export interface LogEvent {
  readonly seq: number
  readonly event_name: string
  readonly actor: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** A data folder, a database and a state repo that outlive the processes of Stateward that run on them. */
export interface Installation {
  readonly dataDir: string
  readonly database: TestDatabase
  /** The bare state repo. */
  readonly repo: string
  /** Reads and disturbs behind the controller's back, as the owner of the database. */
  readonly sql: Sql
  /** What ran last; throws when nothing was started. */
  readonly stateward: Stateward
  /** Lines of the log of all starts, parsed. */
  readonly log: Record<string, unknown>[]
  /** Commits files (null deletes) onto main and returns the commit; nobody waits for anything. */
  push(files: Readonly<Record<string, FileContent>>, message?: string): string
  /** The same, and waits until the commit was made the accepted state (or planned) and everything it caused is done. */
  apply(files: Readonly<Record<string, FileContent>>, message?: string): Promise<string>
  /** Starts a process of Stateward on it, one at a time. */
  start(flags?: Readonly<Record<string, unknown>>, more?: Partial<StatewardOptions>): Promise<Stateward>
  stop(): Promise<void>
  object(key: ObjectKey): WorldObject
  condition(key: ObjectKey, type: string): Pick<Condition, 'status' | 'reason' | 'message'> | null
  /** Waits for a condition to be so; `reason` null = whatever reason. */
  untilCondition(key: ObjectKey, type: string, status: Condition['status'], reason?: string | null): Promise<Condition>
  /** A request as the holder of the admin credential. */
  ask(method: string, path: string, body?: object): Promise<Answer>
  post(path: string, body: object): Promise<Answer>
  /** Events after a position. */
  events(after?: number): Promise<LogEvent[]>
  logSeq(): Promise<number>
  /** Pids of an agent's processes that live now, in the order of their replicas. */
  pids(key: ObjectKey): Promise<number[]>
  /** Checks the condition laws over all objects, the events, and that no reconcile threw; stops what runs and removes everything. */
  end(): Promise<void>
}

const FLAGS = { port: '0', tlsPort: '0', statusInterval: '100ms', interval: '60s', logLevel: 'info', logFormat: 'json' }

/** Errors that only a bug, or a database that is away, makes. */
const UNEXPECTED = [
  'reconcile failed; it will be tried again',
  'a pass over the source failed; it will be tried again',
  'status could not be written',
  'a part could not be stopped cleanly',
  'could not look after an agent; it is tried again',
]

/** `files` null = no repo is given: the first start makes one from the starter. */
export async function createInstallation(files: Readonly<Record<string, FileContent>> | null): Promise<Installation> {
  const dataDir = realpathSync(await mkdtemp(join(tmpdir(), 'stateward-controller-')))
  const database = await createTestDatabase()
  const sql = connect(database.urls.ownerUrl, { max: 1, applicationName: 'tests owner', namedStatements: true })
  const repo = files === null ? join(dataDir, 'state-repo.git') : bareRepository(join(dataDir, 'given.git'))
  if (files !== null) commitFiles(repo, files)
  const log: Record<string, unknown>[] = []
  let running: Stateward | null = null
  const current = (): Stateward => {
    if (running === null) throw new Error('Stateward was not started')
    return running
  }
  const installation: Installation = {
    dataDir,
    database,
    repo,
    sql,
    log,
    get stateward() {
      return current()
    },
    push: (changed, message) => commitFiles(repo, changed, message === undefined ? {} : { message }),
    async apply(changed, message) {
      const commit = installation.push(changed, message)
      await until(`${commit} to be accepted`, () => current().sync.state.sync?.to_revision === commit)
      await current().settled()
      return commit
    },
    async start(flags = {}, more = {}) {
      const { config } = loadConfig({
        env: {},
        cwd: dataDir,
        flags: {
          data: dataDir,
          databaseUrl: database.urls.url,
          ...(files === null ? {} : { repo }),
          ...FLAGS,
          ...flags,
        },
      })
      running = await startStateward({
        config,
        environment: { PATH: process.env['PATH'] },
        log: createLogger({ level: 'info', format: 'json', write: (line) => log.push(JSON.parse(line)) }),
        directory: null,
        onLeaseLost: () => log.push({ msg: 'lease lost' }),
        ...more,
      })
      return running
    },
    async stop() {
      const stopping = running
      running = null
      await stopping?.stop()
    },
    object(key) {
      const object = current().world.get(key)
      if (object === undefined) throw new Error(`there is no ${key}`)
      return object
    },
    condition: (key, type) => conditionOf(current().world.get(key), type),
    untilCondition: (key, type, status, reason = null) =>
      until(
        `${key} ${type}=${status}${reason === null ? '' : ` ${reason}`}; it is ${JSON.stringify(installation.condition(key, type))}`,
        () => {
          const found = conditionOf(current().world.get(key), type)
          return found?.status === status && (reason === null || found.reason === reason) ? found : null
        },
      ),
    post: (path, body) => installation.ask('POST', path, body),
    async ask(method, path, body) {
      const token = (await readFile(adminCredentialPath(dataDir), 'utf8')).trim()
      const response = await fetch(current().url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-stateward-user': 'ada' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    events: async (after = 0) =>
      await sql<LogEvent[]>`SELECT seq, event_name, actor, data FROM events WHERE seq > ${after} ORDER BY seq`,
    async logSeq() {
      const [head] = await sql<{ seq: number }[]>`SELECT seq FROM log_head`
      return head!.seq
    },
    async pids(key) {
      const observation = await current().agents.observe(installation.object(key).uid)
      return (observation?.instances ?? []).flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
    },
    async end() {
      try {
        if (running !== null) {
          await running.settled()
          await assertConditionLaws(running.world.objects, sql)
        }
        const thrown = log.filter(({ msg }) => UNEXPECTED.includes(String(msg)))
        if (thrown.length > 0)
          throw new Error(`something threw:\n${thrown.map((line) => JSON.stringify(line)).join('\n')}`)
        await assertCatalogued(sql)
      } finally {
        await installation.stop()
        await sql.end()
        await database.drop()
        removeFolder(dataDir)
      }
    },
  }
  return installation
}

function conditionOf(object: WorldObject | undefined, type: string): Condition | null {
  return object?.status.conditions?.find((condition) => condition.type === type) ?? null
}

/** Names of events, `Agent/sre` beside those about an object. */
export function storyOf(events: readonly LogEvent[]): string[] {
  return events.map(({ event_name, data }) => {
    const short = event_name.replace(/^stateward\./, '')
    return typeof data['name'] === 'string' ? `${short} ${data['name']}` : short
  })
}

/** A runtime whose agents are Ready without a process: one command a task. */
export const PER_TASK = { runtime: { process: { command: ['cat'], mode: 'perTask' } } }

/** A daemon that never registers: for tests that only look at processes. */
export const SLEEPER = { runtime: { process: { command: ['sleep', '1000'] } } }

/** Commits on a ref, newest first; empty when it does not exist. */
export function commitsOf(repo: string, ref: string): string[] {
  return tipOf(repo, ref) === null ? [] : git(repo, ['rev-list', ref]).split('\n')
}

/** Whether a process lives; one that only waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  return identityOf(pid) !== null
}
