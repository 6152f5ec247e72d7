import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf, isAlive } from '../../src/lib/process-identity.ts'
import { connect, type Sql } from '../../src/store/database.ts'
import { copyBinaries, findBinaries } from '../../src/store/embedded/binaries.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from '../../src/store/embedded/embedded-postgres.ts'
import { keepRunning } from '../../src/store/embedded/keep-running.ts'
import { migrate } from '../../src/store/migrate.ts'
import { until } from '../support/agent-fleet.ts'
import { quietLog, recordingLog } from '../support/quiet-log.ts'

const SCRIPT = fileURLToPath(new URL('../support/embedded-process.ts', import.meta.url))
const ROOT = process.getuid?.() === 0

interface Started {
  readonly pid: number
  readonly port: number
  readonly adopted: boolean
  readonly url: string
  readonly ref?: string
  readonly message?: string
}

type Controller = ChildProcessByStdio<Writable, Readable, null>

let dataDir = ''
const controllers: Controller[] = []
const sqls: Sql[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'stateward-embedded-'))
  chmodSync(dataDir, 0o711)
})

afterEach(async () => {
  for (const sql of sqls.splice(0)) await sql.end({ timeout: 0 })
  for (const controller of controllers.splice(0)) controller.kill('SIGKILL')
  // A test that broke off may have left a server, or a cluster that cannot be looked at.
  await stopEmbeddedPostgres({ dataDir, log: quietLog }).catch(() => false)
  const postgres = join(dataDir, 'postgres')
  if (lstatSync(postgres, { throwIfNoEntry: false })?.isSymbolicLink())
    rmSync(readlinkSync(postgres), { recursive: true, force: true })
  rmSync(dataDir, { recursive: true, force: true })
})

const start = (log = quietLog): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ dataDir, log })

function open(url: string): Sql {
  const sql = connect(url, { max: 1, applicationName: 'tests', namedStatements: false })
  sqls.push(sql)
  return sql
}

async function startController(
  options: { uid?: number; gid?: number } = {},
): Promise<{ controller: Controller; started: Started }> {
  const controller = spawn(process.execPath, [SCRIPT, dataDir], { stdio: ['pipe', 'pipe', 'inherit'], ...options })
  controllers.push(controller)
  const [line] = await once(createInterface(controller.stdout), 'line')
  return { controller, started: JSON.parse(line) as Started }
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('the embedded database', () => {
  it('starts on an empty directory, stops, and starts again where it was', async () => {
    const first = await start()
    expect(first.adopted).toBe(false)
    await migrate(first.urls.ownerUrl, { log: quietLog })
    const sql = open(first.urls.url)
    await sql`CREATE TABLE kept AS SELECT 'ä€😀' AS text`
    const settings = await sql<{ name: string; setting: string }[]>`
      SELECT name, setting FROM pg_settings
      WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'jit', 'listen_addresses', 'unix_socket_directories',
                     'server_encoding', 'password_encryption', 'TimeZone')`
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      jit: 'off',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      server_encoding: 'UTF8',
      password_encryption: 'scram-sha-256',
      TimeZone: 'UTC',
    })
    expect(await sql`SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()`).toEqual([
      { datcollate: 'C', datctype: 'C' },
    ])
    await sql.end()
    await first.stop()
    await first.stop()
    expect(identityOf(first.pid)).toBeNull()

    const second = await start()
    expect(second).toMatchObject({ port: first.port, adopted: false })
    expect(await open(second.urls.url)`SELECT text FROM kept`).toEqual([{ text: 'ä€😀' }])
  })

  it('keeps its password to itself and lets nobody in without', async () => {
    const postgres = await start()
    const credentials = join(dataDir, 'credentials', 'postgres')
    expect(statSync(credentials).mode & 0o777).toBe(0o600)
    expect(readFileSync(credentials, 'utf8').trim()).toBe(new URL(postgres.urls.url).password)
    const url = new URL(postgres.urls.url)
    url.password = 'wrong'
    await expect(open(url.href)`SELECT 1`).rejects.toMatchObject({ code: '28P01' })

    await postgres.stop()
    renameSync(credentials, `${credentials}.lost`)
    await expect(start()).rejects.toMatchObject({ ref: 'SW_PG_START', message: expect.stringContaining('password') })
    renameSync(`${credentials}.lost`, credentials)
  })

  it('takes another port when its own was taken meanwhile, and stays there', async () => {
    const first = await start()
    await first.stop()
    const squatter = createServer().listen(first.port, '127.0.0.1')
    await once(squatter, 'listening')
    const second = await start()
    expect(second.port).not.toBe(first.port)
    await second.stop()
    squatter.close()
    expect((await start()).port).toBe(second.port)
  })

  it('is adopted when its controller was killed, and outlives it meanwhile', async () => {
    const { controller, started } = await startController()
    await open(started.url)`CREATE TABLE mine (i int)`
    controller.kill('SIGKILL')
    await once(controller, 'exit')
    expect(isAlive(identityOf(started.pid)!)).toBe(true)
    const again = await startController()
    expect(again.started).toMatchObject({ pid: started.pid, port: started.port, adopted: true })
    again.controller.stdin.write('stop\n')
    await once(again.controller, 'exit')
    expect(identityOf(started.pid)).toBeNull()
  })

  it('is left to one controller: the second is told who holds the directory', async () => {
    const { controller } = await startController()
    const second = await startController()
    expect(second.started).toMatchObject({
      ref: 'SW_DATA_DIR_LOCKED',
      message: `${dataDir} is in use by process ${controller.pid} (see ${join(dataDir, 'lock')})`,
    })
  })

  it('loses nothing that was committed when its server is killed', async () => {
    const first = await start()
    const sql = open(first.urls.url)
    await sql`CREATE TABLE committed (i int)`
    for (let i = 0; i < 20; i++) await sql`INSERT INTO committed VALUES (${i})`
    process.kill(first.pid, 'SIGKILL')
    const second = await start()
    expect(second.adopted).toBe(false)
    expect(second.pid).not.toBe(first.pid)
    expect(await open(second.urls.url)`SELECT count(*) AS n FROM committed`).toEqual([{ n: 20 }])
  })

  it('is started again at its address when its server is killed, as long as somebody keeps it running', async () => {
    const first = await start()
    const kept = keepRunning(first, { dataDir, log: quietLog, pollMs: 10 })
    const sql = open(first.urls.url)
    await sql`CREATE TABLE committed AS SELECT 1 AS i`
    for (let kills = 0; kills < 2; kills++) {
      const pidFile = join(dataDir, 'postgres', (await findBinaries()).major, 'postmaster.pid')
      const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
      process.kill(pid, 'SIGKILL')
      await waitUntil(() => identityOf(pid) === null)
      await until('an answer', async () => (await sql`SELECT i FROM committed`.catch(() => [])).length === 1)
    }
    await sql.end()
    await kept.stop()
    expect(await stopEmbeddedPostgres({ dataDir, log: quietLog })).toBe(false)
  })

  it('starts although its old server is a zombie that nobody reaps', async () => {
    const { controller, started } = await startController()
    // A stopped parent does not reap.
    controller.kill('SIGSTOP')
    process.kill(started.pid, 'SIGKILL')
    await waitUntil(() => identityOf(started.pid) === null)
    const postgres = await start()
    expect(postgres).toMatchObject({ adopted: false, port: started.port })
    expect(postgres.pid).not.toBe(started.pid)
  })

  it('starts although the pid in postmaster.pid is another program now', async () => {
    const first = await start()
    const pidFile = join(dataDir, 'postgres', (await findBinaries()).major, 'postmaster.pid')
    const lines = readFileSync(pidFile, 'utf8').split('\n')
    await first.stop()
    writeFileSync(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'), { mode: 0o600 })
    expect((await start()).adopted).toBe(false)
  })

  it('is stopped by `stopEmbeddedPostgres` when a killed controller left it', async () => {
    const { controller, started } = await startController()
    controller.kill('SIGKILL')
    await once(controller, 'exit')
    expect(await stopEmbeddedPostgres({ dataDir, log: quietLog })).toBe(true)
    expect(identityOf(started.pid)).toBeNull()
    expect(await stopEmbeddedPostgres({ dataDir, log: quietLog })).toBe(false)
  })

  it('stops in bounded time although a session holds a transaction open', async () => {
    const postgres = await start()
    const sql = open(postgres.urls.url)
    let stopping = Promise.resolve()
    const cutOff = sql.begin(async (tx) => {
      await tx`SELECT 1`
      stopping = postgres.stop()
      await stopping
    })
    await expect(cutOff).rejects.toThrow()
    await stopping
    expect(identityOf(postgres.pid)).toBeNull()
  })

  it('refuses the cluster of another major version and leaves it alone', async () => {
    await (await start()).stop()
    const { major } = await findBinaries()
    const clusters = join(dataDir, 'postgres')
    renameSync(join(clusters, major), join(clusters, '15'))
    writeFileSync(join(clusters, '15', 'PG_VERSION'), '15\n')
    await expect(start()).rejects.toMatchObject({
      ref: 'SW_PG_MAJOR',
      message: expect.stringContaining(`Postgres 15; this version brings ${major}`),
    })
    expect(existsSync(join(clusters, major))).toBe(false)
  })

  it('begins again when its first start was cut off half-way', async () => {
    const { major } = await findBinaries()
    mkdirSync(join(dataDir, 'postgres', `new-${major}`), { recursive: true })
    writeFileSync(join(dataDir, 'postgres', `new-${major}`, 'PG_VERSION'), `${major}\n`)
    const postgres = await start()
    expect(await open(postgres.urls.url)`SELECT 1 AS one`).toEqual([{ one: 1 }])
    expect(existsSync(join(dataDir, 'postgres', `new-${major}`))).toBe(false)
  })

  it('shows what the server said when it does not start', async () => {
    await (await start()).stop()
    const { major } = await findBinaries()
    writeFileSync(join(dataDir, 'postgres', major, 'postgresql.auto.conf'), "no_such_setting = 'x'\n")
    await expect(start()).rejects.toMatchObject({
      ref: 'SW_PG_START',
      message: expect.stringContaining('no_such_setting'),
    })
  })
})

describe.runIf(ROOT)('the embedded database of root', () => {
  const owner = (path: string) => statSync(path).uid

  it('runs as an unprivileged user', async () => {
    const postgres = await start()
    const { major } = await findBinaries()
    expect(owner(`/proc/${postgres.pid}`)).not.toBe(0)
    expect(owner(join(dataDir, 'postgres', major))).toBe(owner(`/proc/${postgres.pid}`))
    expect(readFileSync(`/proc/${postgres.pid}/status`, 'utf8')).toMatch(/^Groups:\s*$/m)
  })

  it('keeps the cluster outside of a directory that its user cannot reach, and finds it again', async () => {
    chmodSync(dataDir, 0o700)
    const { log, lines } = recordingLog()
    const first = await start(log)
    const link = join(dataDir, 'postgres')
    const home = readlinkSync(link)
    expect(home).toMatch(/^\/var\/lib\/stateward\/[0-9a-f]{12}$/)
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ home }) }))
    await open(first.urls.url)`CREATE TABLE here (i int)`
    await first.stop()
    const second = await start()
    expect(await open(second.urls.url)`SELECT count(*) AS n FROM here`).toEqual([{ n: 0 }])
    expect(readlinkSync(`/proc/${second.pid}/exe`).startsWith(home)).toBe(true)

    // The data directory is removed, its server with it, and made anew: nothing of the old cluster is used or destroyed.
    rmSync(dataDir, { recursive: true })
    mkdirSync(dataDir, { mode: 0o700 })
    const third = await start(log)
    expect(identityOf(second.pid)).toBeNull()
    expect(await open(third.urls.url)`SELECT to_regclass('here') AS found`).toEqual([{ found: null }])
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'a cluster of a removed data directory was set aside' }),
    )
  })

  it('goes on as the user that made the cluster; and that user does not need root', async () => {
    const nobody = { uid: 65534, gid: 65534 }
    chownSync(dataDir, nobody.uid, nobody.gid)
    const { controller, started } = await startController(nobody)
    expect(started.adopted).toBe(false)
    expect(owner(`/proc/${started.pid}`)).toBe(nobody.uid)
    controller.stdin.write('stop\n')
    await once(controller, 'exit')
    const postgres = await start()
    expect(owner(`/proc/${postgres.pid}`)).toBe(nobody.uid)
  })

  it('tells an ordinary user that the cluster is not its own', async () => {
    await (await start()).stop()
    const nobody = { uid: 65534, gid: 65534 }
    chownSync(dataDir, nobody.uid, nobody.gid)
    const { started } = await startController(nobody)
    expect(started).toMatchObject({ ref: 'SW_PG_START', message: expect.stringContaining('belongs to uid') })
  })
})

describe('the binaries', () => {
  it('are complete in a copy, links included', async () => {
    const installed = await findBinaries()
    const copy = await copyBinaries(installed, dataDir)
    expect(copy.native.startsWith(dataDir)).toBe(true)
    for (const file of ['bin/postgres', 'bin/initdb', 'lib/libpq.so.5', 'share/postgresql']) {
      if (existsSync(join(installed.native, file))) expect(existsSync(join(copy.native, file)), file).toBe(true)
    }
    expect((await copyBinaries(installed, dataDir)).native).toBe(copy.native)
  })
})
