import { statfs } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { Option } from 'commander'
import { type DeclaredNeeds, declaredNeeds } from '../build/declared-needs.ts'
import type { Config } from '../config/schema.ts'
import { errorMessage } from '../lib/errors.ts'
import { gitVersion, REQUIRED_GIT } from '../source/git/open-repository.ts'
import { connect } from '../store/database.ts'
import { findBinaries } from '../store/embedded/binaries.ts'
import { dataFolderUsers } from '../store/embedded/data-lock.ts'
import { listProcesses, type ProcessRow } from '../store/queries/processes.ts'
import { findSandbox } from '../tools/sandbox/sandbox.ts'
import type { Terminal } from './terminal.ts'
import type { Verb } from './verb.ts'

interface Finding {
  readonly check: string
  readonly verdict: 'ok' | 'warning' | 'failed'
  readonly found: string
  readonly remedy?: string
}

const MIN_FREE_BYTES = 1024 ** 3
const OLDEST_POSTGRES = 15

export const verb: Verb = {
  description:
    'Checks what a server needs: versions, git, database, processes on it, port, data folder, disk, sandbox, keys of providers of models and of tools. Every failure comes with what to do.\n\nExit code: 0 when nothing failed (warnings do not count), 1 otherwise.',
  examples: [['stateward doctor'], ['stateward doctor -o json', 'for scripts']],
  settings: ['data', 'port', 'repo', 'ref', 'path', 'database.url', 'database.directUrl', 'database.requiredMajor'],
  define: (command) =>
    void command.addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'),
    ),
  async run({ config, options, terminal }) {
    const { config: settings } = config()
    const findings = [
      checkNode(),
      await checkGit(terminal),
      await checkDatabase(settings),
      await checkPort(settings),
      ...(await checkProcesses(settings)),
      checkData(settings),
      await checkDisk(settings),
      await checkSandbox(settings, terminal),
      ...(await checkDeclared(settings, terminal)),
    ]
    if (options['output'] === 'json') await terminal.out(`${JSON.stringify(findings, null, 2)}\n`)
    else for (const finding of findings) await terminal.out(line(finding, terminal))
    return findings.some(({ verdict }) => verdict === 'failed') ? 1 : 0
  },
}

function line({ check, verdict, found, remedy }: Finding, { colors }: Terminal): string {
  const mark =
    verdict === 'ok'
      ? colors.green('ok     ')
      : verdict === 'warning'
        ? colors.yellow('warning')
        : colors.red('failed ')
  return `${mark}  ${check.padEnd(9)} ${found}\n${remedy === undefined ? '' : `           remedy: ${remedy}\n`}`
}

/** Programs that tools start. Where an Environment requires a sandbox they are refused without one, and run unconfined elsewhere. */
async function checkSandbox({ data }: Config, { env }: Terminal): Promise<Finding> {
  const check = 'sandbox'
  const { problem } = await findSandbox({ path: env['PATH'] ?? '', home: env['HOME'] ?? null, hidden: [data] })
  if (problem !== null)
    return {
      check,
      verdict: 'warning',
      found: `${problem}: programs of tools run unconfined, or are refused where a sandbox is required`,
      remedy: 'install bubblewrap, and let it make user namespaces',
    }
  const isRoot = process.getuid?.() === 0
  return {
    check,
    verdict: 'ok',
    found: `bubblewrap confines programs of tools${isRoot ? '; as root, not their number' : ''}`,
  }
}

/** Every variable that is missing of what the state repo declares. */
async function checkDeclared(config: Config, { env }: Terminal): Promise<readonly Finding[]> {
  const declared = await declaredNeeds(config, env)
  if ('problem' in declared) return [{ check: 'models', verdict: 'warning', found: declared.problem }]
  return [...checkModels(declared.providers), ...checkTools(declared.tools)]
}

const remedy = 'set it, or write it into .env: stateward env init'

/** A tool that misses something fails when it is called; nothing else does. */
function checkTools(lacking: DeclaredNeeds['tools']): readonly Finding[] {
  return lacking.map(({ name, missing, maybe }) => ({
    check: 'tools',
    verdict: 'warning',
    found: `tool ${name} misses ${missing.join(', ')}${maybe ? ', unless a SecretStore has it' : ''}`,
    remedy,
  }))
}

/** Failed when not one of the providers could be asked. */
function checkModels(declared: DeclaredNeeds['providers']): readonly Finding[] {
  const check = 'models'
  if (declared.length === 0) return [{ check, verdict: 'ok', found: 'no ModelProvider is declared' }]
  const lacking = declared.filter(({ missing }) => missing.length > 0)
  const usable = declared.filter(({ missing, maybe }) => missing.length === 0 || maybe)
  const named = declared
    .filter((one) => !lacking.includes(one))
    .map(({ name, type }) => (type === 'scripted' ? `${name} (scripted)` : name))
  return [
    ...(named.length === 0 ? [] : [{ check, verdict: 'ok', found: `can be asked: ${named.join(', ')}` } as const]),
    ...lacking.map(
      ({ name, missing, maybe }): Finding => ({
        check,
        verdict: usable.length === 0 ? 'failed' : 'warning',
        found: `provider ${name} misses ${missing.join(', ')}${maybe ? ', unless a SecretStore has it' : ''}`,
        remedy,
      }),
    ),
  ]
}

function checkNode(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  const found = `Node ${process.versions.node}`
  if (major > 22 || (major === 22 && minor >= 22)) return { check: 'node', verdict: 'ok', found }
  return {
    check: 'node',
    verdict: 'failed',
    found,
    remedy: 'install Node 22.22 or newer, or run `npm ci`, which brings one',
  }
}

async function checkGit({ env }: Terminal): Promise<Finding> {
  const git = await gitVersion({ environment: env })
  if (git === null)
    return {
      check: 'git',
      verdict: 'warning',
      found: 'not installed: remotes over ssh, proposals and large repos do not work',
      remedy: `install git ${REQUIRED_GIT} or newer`,
    }
  if (!git.supported)
    return {
      check: 'git',
      verdict: 'warning',
      found: `git ${git.version}`,
      remedy: `install git ${REQUIRED_GIT} or newer`,
    }
  return { check: 'git', verdict: 'ok', found: `git ${git.version}` }
}

async function checkDatabase({ database }: Config): Promise<Finding> {
  if (database.url === null) {
    try {
      const binaries = await findBinaries()
      return majorFinding(`embedded Postgres ${binaries.major}`, Number(binaries.major), database.requiredMajor)
    } catch (error) {
      return {
        check: 'database',
        verdict: 'failed',
        found: errorMessage(error),
        remedy: 'run `npm ci` again, or name a database with DATABASE_URL',
      }
    }
  }
  const sql = connect(database.url, { max: 1, applicationName: 'stateward doctor', namedStatements: false })
  try {
    const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version_num') AS version`
    const major = Math.floor(Number(row!.version) / 10_000)
    return majorFinding(`Postgres ${major}`, major, database.requiredMajor)
  } catch (error) {
    return {
      check: 'database',
      verdict: 'failed',
      found: errorMessage(error),
      remedy: 'check DATABASE_URL and that the server accepts connections',
    }
  } finally {
    await sql.end({ timeout: 2 })
  }
}

/** Only of a database that processes share; nothing when it cannot be asked, which is said before, or is empty. */
async function checkProcesses({ database }: Config): Promise<readonly Finding[]> {
  if (database.url === null) return []
  const sql = connect(database.directUrl ?? database.url, {
    max: 1,
    applicationName: 'stateward doctor',
    namedStatements: false,
  })
  try {
    return [processesFinding(await listProcesses(sql))]
  } catch {
    return []
  } finally {
    await sql.end({ timeout: 2 })
  }
}

function processesFinding(processes: readonly ProcessRow[]): Finding {
  const check = 'processes'
  const named = processes.map(({ host, pid, roles, leads, lease_ms }) => {
    const notes = [...(leads.includes('controller') ? ['leads'] : []), ...(lease_ms > 0 ? [] : ['lease is over'])]
    return `${host}-${pid} (${[...roles, ...notes].join(', ')})`
  })
  const found = named.length === 0 ? 'none on this database' : named.join(', ')
  const living = processes.filter(({ lease_ms }) => lease_ms > 0)
  if (living.length > 0 && !living.some(({ leads }) => leads.includes('controller')))
    return { check, verdict: 'warning', found, remedy: 'nobody leads: start a process with the role controller' }
  if (living.length > 0 && !living.some(({ roles }) => roles.includes('worker')))
    return { check, verdict: 'warning', found, remedy: 'nobody moves runs: start a process with the role worker' }
  return { check, verdict: 'ok', found }
}

function majorFinding(found: string, major: number, required: number | null): Finding {
  if (major < OLDEST_POSTGRES)
    return { check: 'database', verdict: 'failed', found, remedy: `use Postgres ${OLDEST_POSTGRES} or newer` }
  if (required !== null && required !== major)
    return {
      check: 'database',
      verdict: 'warning',
      found,
      remedy: `database.requiredMajor is ${required}: move the data, or change the setting`,
    }
  return { check: 'database', verdict: 'ok', found }
}

async function checkPort({ port, data }: Config): Promise<Finding> {
  const busy = await new Promise<boolean>((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port: port || 1 })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (!busy || port === 0) return { check: 'port', verdict: 'ok', found: `${port} is free` }
  if (dataFolderUsers(data).length > 0)
    return { check: 'port', verdict: 'ok', found: `${port} is used, and a server runs on this data folder` }
  return {
    check: 'port',
    verdict: 'failed',
    found: `something listens on ${port}`,
    remedy: 'stop it, or choose another port with --port',
  }
}

function checkData({ data }: Config): Finding {
  const pids = dataFolderUsers(data).map(({ pid }) => pid)
  return {
    check: 'data',
    verdict: 'ok',
    found: pids.length === 0 ? `${data} is free` : `${data} is used by the server with pid ${pids.join(', ')}`,
  }
}

async function checkDisk({ data }: Config): Promise<Finding> {
  const stats = await statfs(data).catch(() => statfs('.'))
  const free = stats.bavail * stats.bsize
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  return free >= MIN_FREE_BYTES
    ? { check: 'disk', verdict: 'ok', found }
    : { check: 'disk', verdict: 'warning', found, remedy: 'free some space: Postgres stops when the disk is full' }
}
