import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Sql } from '../../controller/src/store/database.ts'
import { startEmbeddedPostgres } from '../../controller/src/store/embedded/embedded-postgres.ts'
import { isRoot, unprivilegedUser } from '../../controller/src/store/embedded/os-user.ts'
import { runProgram } from '../../controller/src/store/embedded/run-program.ts'
import type { Log } from '../../controller/src/store/ports.ts'
import { freePort } from '../../controller/test/support/free-port.ts'

/** A Postgres that commits to disk, and a way to empty databases on it. */
export interface Database {
  /** `embedded`, `system` (this machine's packages) or `DATABASE_URL`. */
  readonly name: string
  readonly version: string
  /** Of its first process; null for a server that is not ours. */
  readonly pid: number | null
  /** A new, empty database; its URL as its owner. */
  readonly create: () => Promise<string>
  readonly drop: (url: string) => Promise<void>
  readonly stop: () => Promise<void>
}

const quiet: Log = {
  info: () => {},
  warn: () => {},
  error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
}

/** The embedded one; besides, the one of DATABASE_URL, else the newest that this machine has installed. */
export async function startDatabases(): Promise<Database[]> {
  const databases: Database[] = []
  try {
    for (const start of candidates()) databases.push(await start())
  } catch (error) {
    await Promise.all(databases.map((database) => database.stop()))
    throw error
  }
  return databases
}

function candidates(): (() => Promise<Database>)[] {
  const list = [embedded]
  const url = process.env['DATABASE_URL'] ?? ''
  const installed = installedServer()
  if (url !== '') list.push(() => databaseOf('DATABASE_URL', url, null, async () => {}))
  else if (installed !== null) list.push(() => system(installed))
  return list
}

async function embedded(): Promise<Database> {
  const data = mkdtempSync(join(tmpdir(), 'stateward-bench-'))
  chmodSync(data, 0o711)
  const postgres = await startEmbeddedPostgres({ dataDir: data, log: quiet })
  return await databaseOf('embedded', postgres.urls.ownerUrl, postgres.pid, async () => {
    await postgres.stop()
    rmSync(data, { recursive: true, force: true })
  })
}

const VERSIONS = '/usr/lib/postgresql'

/** The folder of the newest server programs that Debian's packages installed; null without any. */
function installedServer(): string | null {
  if (!existsSync(VERSIONS)) return null
  const newest = readdirSync(VERSIONS)
    .map(Number)
    .filter((version) => existsSync(join(VERSIONS, String(version), 'bin', 'postgres')))
    .sort((a, b) => b - a)[0]
  return newest === undefined ? null : join(VERSIONS, String(newest), 'bin')
}

/** A cluster of its own with the settings of initdb, but for the address. */
async function system(bin: string): Promise<Database> {
  const user = isRoot() ? await unprivilegedUser() : null
  const data = mkdtempSync(join(tmpdir(), 'stateward-bench-'))
  chmodSync(data, 0o711)
  const cluster = join(data, 'cluster')
  mkdirSync(cluster, { mode: 0o700 })
  const password = randomUUID()
  const passwordFile = join(data, 'password')
  writeFileSync(passwordFile, password)
  if (user !== null) for (const path of [cluster, passwordFile]) chownSync(path, user.uid, user.gid)
  const initdb = ['-D', cluster, '--username=bench', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  await runProgram(join(bin, 'initdb'), [...initdb, '--encoding=UTF8', '--locale=C'], user)
  const port = await freePort()
  const settings = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories='' -c max_connections=200`
  const control = (...args: string[]) => runProgram(join(bin, 'pg_ctl'), ['-D', cluster, '-s', '-w', ...args], user)
  await control('-l', join(cluster, 'log'), '-o', settings, 'start')
  const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
  return await databaseOf('system', `postgres://bench:${password}@127.0.0.1:${port}/postgres`, pid, async () => {
    await control('-m', 'immediate', 'stop')
    rmSync(data, { recursive: true, force: true })
  })
}

async function databaseOf(name: string, url: string, pid: number | null, stop: () => Promise<void>): Promise<Database> {
  const ask = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const sql = connect(url, { max: 1, applicationName: 'bench', namedStatements: false })
    try {
      return await work(sql)
    } finally {
      await sql.end()
    }
  }
  try {
    const version = await ask(async (sql) => {
      const [row] = await sql<{ fsync: string; commit: string; version: string }[]>`
        SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
               current_setting('server_version') AS version`
      if (row!.fsync !== 'on' || row!.commit !== 'on')
        throw new Error(
          `the Postgres ${name} does not commit to disk: fsync ${row!.fsync}, synchronous_commit ${row!.commit}`,
        )
      return row!.version
    })
    return {
      name,
      version,
      pid,
      async create() {
        const database = `bench_${randomUUID().replaceAll('-', '')}`
        await ask((sql) => sql`CREATE DATABASE ${sql(database)}`)
        const created = new URL(url)
        created.pathname = `/${database}`
        return created.href
      },
      async drop(created) {
        const database = new URL(created).pathname.slice(1)
        await ask(async (sql) => {
          await sql`DROP DATABASE IF EXISTS ${sql(database)} WITH (FORCE)`
          // What one engine left to be written back must not be charged to the next.
          await sql`CHECKPOINT`
        })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
