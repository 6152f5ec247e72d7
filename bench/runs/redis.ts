import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../controller/test/support/free-port.ts'

export interface Redis {
  readonly port: number
  readonly version: string
  readonly stop: () => Promise<void>
}

/** Debian's packages of the server and of what it is linked with. */
const PACKAGES = [
  'redis-tools',
  'libjemalloc2',
  'liblua5.1-0',
  'lua-cjson',
  'lua-bitop',
  'libhiredis0.14',
  'liblzf1',
  'libatomic1',
]

/**
 * A Redis that syncs every write to disk before it answers. Its program: the one on the PATH, else Debian's, fetched into
 * `folder` without installing it. A text = why there is none.
 */
export async function startRedis(folder: string): Promise<Redis | string> {
  const program = find(folder)
  if ('missing' in program) return program.missing
  const port = await freePort()
  const data = mkdtempSync(join(tmpdir(), 'stateward-bench-redis-'))
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', data, '--save', '', '--appendonly', 'yes']
  const child = spawn(program.path, [...settings, '--appendfsync', 'always'], { stdio: 'ignore', env: program.env })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    port,
    version: program.version,
    async stop() {
      child.kill()
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}

type Program = { readonly path: string; readonly env: NodeJS.ProcessEnv; readonly version: string }

function find(folder: string): Program | { readonly missing: string } {
  const installed = tried('redis-server', process.env)
  if (installed !== null) return installed
  const path = join(folder, 'usr/bin/redis-check-rdb')
  if (!existsSync(path)) {
    const problem = fetchPackages(folder)
    if (problem !== null) return { missing: `there is no redis-server; ${problem}` }
  }
  const libraries = readdirSync(join(folder, 'usr/lib')).map((name) => join(folder, 'usr/lib', name))
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }
  // One program under several names.
  const server = join(folder, 'usr/bin/redis-server')
  return tried(server, env) ?? { missing: 'the redis-server of the Debian packages does not start here' }
}

function tried(path: string, env: NodeJS.ProcessEnv): Program | null {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', env })
  if (status !== 0) return null
  return { path, env, version: /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown' }
}

/** Returns what went wrong. */
function fetchPackages(folder: string): string | null {
  process.stdout.write('fetching the Debian packages of Redis for the benchmark (nothing is installed)\n')
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  const fetched = spawnSync('apt-get', ['download', 'redis-server', ...PACKAGES], { cwd: fresh, encoding: 'utf8' })
  if (fetched.status !== 0) return `apt-get download failed: ${(fetched.stderr ?? String(fetched.error)).trim()}`
  for (const name of readdirSync(fresh)) {
    const { status, stderr } = spawnSync('dpkg-deb', ['-x', name, '.'], { cwd: fresh, encoding: 'utf8' })
    if (status !== 0) return `dpkg-deb failed: ${stderr}`
  }
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return null
}
