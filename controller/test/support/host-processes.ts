import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '../../src/lib/process-identity.ts'
import type { ServerProcess, Site } from './server-processes.ts'
import { manifest } from './state-files.ts'

/** `stateward host join` as processes of their own, next to the servers of a site. */

const MAIN = join(import.meta.dirname, '../../src/main.ts')

export interface HostProcess {
  readonly name: string
  readonly data: string
  readonly pid: number
  log(): string
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  readonly exited: Promise<number | null>
}

export interface HostSite {
  /** Joins a host of that name, or starts it again, and waits until it is connected. */
  join(name: string, options?: JoinOptions): Promise<HostProcess>
  token(body?: object): Promise<string>
  /** Lines agents of {@link beatingAgent} left. */
  beats(): Beat[]
  end(): Promise<void>
}

export interface JoinOptions {
  readonly flags?: readonly string[]
  /** Where it reaches the server; default: the server itself. */
  readonly url?: string
  readonly token?: string
  /** What the process is started with, before the program. */
  readonly through?: readonly string[]
}

/** Sign of life of one replica. */
export interface Beat {
  readonly agent: string
  readonly replica: string
  readonly instance: string
  readonly host: string
  /** Seconds since the machine was started. */
  readonly at: number
}

/** A daemon that says every tenth of a second that it lives, in a file that nothing of the product writes. */
export function beatingAgent(site: Site, name: string, spec: object = {}): string {
  const file = join(site.folder, 'beats')
  const script = [
    'set -- "$STATEWARD_WORKSPACE"',
    `while :; do read -r up rest </proc/uptime; echo "$STATEWARD_AGENT \${1##*/} $STATEWARD_INSTANCE $1 $up" >>${file}; echo "beat of \${1##*/}"; sleep 0.1; done`,
  ].join('; ')
  return manifest('Agent', name, {
    runtime: { process: { command: ['sh', '-c', script] } },
    heartbeat: { interval: '1m', timeout: '10m' },
    terminationGracePeriodSeconds: 1,
    ...spec,
  })
}

export function createHostSite(site: Site, server: () => ServerProcess): HostSite {
  const children: ChildProcess[] = []
  const folders = new Set<string>()
  const token = async (body: object = {}): Promise<string> => {
    const made = await site.post(server(), '/api/v1/host-tokens', body)
    if (made.status !== 201) throw new Error(JSON.stringify(made.body))
    return String(made.body['token'])
  }
  return {
    token,
    async join(name, { flags = [], url, token: given, through = [] } = {}) {
      const data = join(site.folder, `host-${name}`)
      const isNew = !folders.has(data)
      folders.add(data)
      mkdirSync(data, { recursive: true })
      const credentials = isNew || given !== undefined ? ['--token', given ?? (await token())] : []
      const [command, ...args] = [
        ...through,
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        MAIN,
        ...['host', 'join', '--data', data, '--name', name, '--server', url ?? server().url],
        ...['--log-format', 'json', ...credentials, ...flags],
      ]
      const child = spawn(command!, args, {
        cwd: site.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], HOME: site.folder },
      })
      children.push(child)
      return await connected(site, name, data, child)
    },
    beats: () => beatsIn(join(site.folder, 'beats'), [...folders]),
    async end() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGCONT')
        child.kill('SIGKILL')
        await new Promise((resolve) => child.once('exit', resolve))
      }
      for (const folder of folders) {
        const guard = guardOf(folder)
        if (guard !== null && isAlive(guard)) process.kill(guard.pid, 'SIGKILL')
      }
    },
  }
}

export function guardOf(data: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(join(data, 'host/guard'), 'utf8')) as ProcessIdentity
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function connected(site: Site, name: string, data: string, child: ChildProcess): Promise<HostProcess> {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await site.until(
    () => stdout,
    (text) => text.includes('is connected to') || child.exitCode !== null,
    `host ${name} to be connected`,
  )
  if (child.exitCode !== null) throw new Error(`host ${name} ended with ${child.exitCode}:\n${stdout}${stderr}`)
  return { name, data, pid: child.pid!, log: () => stderr, signal: (signal) => void child.kill(signal), exited }
}

function beatsIn(file: string, folders: readonly string[]): Beat[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [agent = '', replica = '', instance = '', workspace = '', at = ''] = line.split(' ')
      const folder = folders.find((one) => workspace.startsWith(`${one}/`))
      return { agent, replica, instance, host: folder?.replace(/.*\/host-/, '') ?? 'local', at: Number(at) }
    })
}

/** Lives of replicas that ran at the same time as another one of the same replica. */
export function overlaps(beats: readonly Beat[]): string[] {
  const lives = new Map<string, { replica: string; from: number; to: number }>()
  for (const { agent, replica, instance, at } of beats) {
    const life = lives.get(instance) ?? { replica: `${agent}/${replica}`, from: at, to: at }
    lives.set(instance, { ...life, from: Math.min(life.from, at), to: Math.max(life.to, at) })
  }
  const all = [...lives]
  return all.flatMap(([id, life], i) =>
    all
      .slice(i + 1)
      .filter(([, other]) => other.replica === life.replica && other.from <= life.to && life.from <= other.to)
      .map(([other]) => `${life.replica}: ${id} and ${other}`),
  )
}

/** A TCP proxy that can stop passing anything on, without closing a connection: what a broken network looks like. */
export interface StallingProxy {
  readonly url: string
  stall(): void
  resume(): void
  close(): Promise<void>
}

export async function stallingProxy(target: string, address = '127.0.0.1'): Promise<StallingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let stalled = false
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
      if (stalled) socket.pause()
    }
    client.on('data', (bytes) => void upstream.write(bytes))
    upstream.on('data', (bytes) => void client.write(bytes))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    if (stalled) for (const socket of [client, upstream]) socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  return {
    url: `http://${address}:${(server.address() as { port: number }).port}`,
    stall() {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    resume() {
      stalled = false
      for (const socket of sockets) socket.resume()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
