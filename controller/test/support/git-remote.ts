import { execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'

/**
 * Real repositories made with the git command line, and real servers in front of them on loopback: `git http-backend`
 * behind node:http, and an SSH server that runs git's own upload-pack and receive-pack.
 */

const AUTHOR = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
}

function environment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
    ...AUTHOR,
    ...extra,
  }
}

/** Runs git and returns what it printed, without the last line end; throws when it fails. */
export function git(
  directory: string,
  args: readonly string[],
  options: { input?: string | Buffer; env?: Record<string, string> } = {},
): string {
  const output = execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: directory,
    env: environment(options.env),
    input: options.input ?? '',
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return output.toString('utf8').replace(/\n$/, '')
}

/** A folder of its own for a test file, removed with `remove()`. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'stateward-git-'))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** An empty bare repository that accepts pushes over HTTP. */
export function bareRepository(path: string): string {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path], { env: environment() })
  git(path, ['config', 'http.receivepack', 'true'])
  git(path, ['config', 'gc.auto', '0'])
  return path
}

export type FileContent =
  | string
  | Buffer
  | null
  | { readonly mode: string; readonly content: string }
  | { readonly mode: '160000'; readonly oid: string }

let commitTime = 1_750_000_000

/**
 * Commits files onto a ref of a bare repository (null deletes one; nothing else of the ref changes) and moves the ref there;
 * returns the commit. Each commit is a second younger than the one before.
 */
export function commitFiles(
  repository: string,
  files: Readonly<Record<string, FileContent>>,
  options: {
    readonly ref?: string
    readonly message?: string
    readonly parent?: string | null
    /** More parents: a merge. */
    readonly merges?: readonly string[]
    /** Names of who wrote it and who committed it; their addresses are `<name>@example.org`. Default: ada. */
    readonly author?: string
    readonly committer?: string
    /** A private SSH key that signs it. */
    readonly signWith?: string
  } = {},
): string {
  const ref = options.ref ?? 'refs/heads/main'
  const current = options.parent === undefined ? tipOf(repository, ref) : options.parent
  const env = {
    GIT_INDEX_FILE: join(repository, `test-index-${process.pid}`),
    GIT_AUTHOR_DATE: `${++commitTime} +0200`,
    GIT_COMMITTER_DATE: `${commitTime} +0200`,
    ...(options.author === undefined ? {} : personEnv('AUTHOR', options.author)),
    ...(options.author === undefined && options.committer === undefined
      ? {}
      : personEnv('COMMITTER', options.committer ?? options.author!)),
  }
  git(repository, current === null ? ['read-tree', '--empty'] : ['read-tree', current], { env })
  const lines = Object.entries(files).map(([path, content]) => {
    if (content === null) return `0 ${'0'.repeat(40)}\t${path}\0`
    if (typeof content === 'object' && 'oid' in content) return `160000 ${content.oid}\t${path}\0`
    const plain = typeof content === 'string' || Buffer.isBuffer(content)
    const oid = git(repository, ['hash-object', '-w', '--stdin'], { input: plain ? content : content.content })
    return `${plain ? '100644' : content.mode} ${oid}\t${path}\0`
  })
  git(repository, ['update-index', '-z', '--index-info'], { env, input: lines.join('') })
  const tree = git(repository, ['write-tree'], { env })
  const commit = git(
    repository,
    [
      ...(options.signWith === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${options.signWith}`]),
      ...['commit-tree', tree, ...(current === null ? [] : ['-p', current])],
      ...(options.merges ?? []).flatMap((parent) => ['-p', parent]),
      ...(options.signWith === undefined ? [] : ['-S']),
      ...['-m', options.message ?? 'change'],
    ],
    { env },
  )
  git(repository, ['update-ref', ref, commit])
  rmSync(env.GIT_INDEX_FILE, { force: true })
  return commit
}

function personEnv(role: 'AUTHOR' | 'COMMITTER', name: string): Record<string, string> {
  return { [`GIT_${role}_NAME`]: name, [`GIT_${role}_EMAIL`]: `${name.toLowerCase()}@example.org` }
}

/**
 * Waits until nobody writes a ref any more. A `git` that still runs while its repository is moved away makes the folder
 * again, to leave its crash report there.
 */
export async function untilQuiet(repository: string, ref: string): Promise<void> {
  for (let quiet = 0, last = tipOf(repository, ref); quiet < 6; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const tip = tipOf(repository, ref)
    if (tip !== last || tip === null) quiet = -1
    last = tip
  }
}

export function tipOf(repository: string, ref: string): string | null {
  try {
    return git(repository, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])
  } catch {
    return null
  }
}

export interface GitServer {
  /** The URL of a repository by its folder's name. */
  url(name: string): string
  close(): Promise<void>
}

/** Serves the repositories of a folder over smart HTTP; with `password` (user `ada`) only to those who send it. `port` 0 (the default) is any that is free. */
export async function serveHttp(
  folder: string,
  options: { readonly password?: string; readonly port?: number } = {},
): Promise<GitServer> {
  const expected =
    options.password === undefined ? undefined : `Basic ${Buffer.from(`ada:${options.password}`).toString('base64')}`
  const server = createServer((request, response) => {
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    runBackend(folder, request, response)
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** One CGI call (RFC 3875) of `git http-backend`. */
function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const env = environment({
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
    REMOTE_USER: 'ada',
    REMOTE_ADDR: '127.0.0.1',
  })
  const backend = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], { env })
  request.pipe(backend.stdin)
  backend.stdin.on('error', () => {})
  backend.stderr.resume()
  let head: Buffer | null = Buffer.alloc(0)
  backend.stdout.on('data', (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const headers = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/: (.*)/s) as [string, string])
    const status = headers.find(([name]) => name.toLowerCase() === 'status')
    response.writeHead(
      status === undefined ? 200 : Number.parseInt(status[1], 10),
      Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== 'status')),
    )
    response.write(head.subarray(end + 4))
    head = null
  })
  backend.on('close', () => response.end())
}

/** Serves the repositories of a folder over SSH with a key of its own; `environment` is what a client needs to get in. */
export async function serveSsh(
  folder: string,
  keyFolder: string,
): Promise<GitServer & { readonly environment: Record<string, string> }> {
  const hostKey = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey
  const clientKey = ssh2.utils.generateKeyPairSync('ed25519')
  const keyFile = join(keyFolder, 'client-key')
  writeFileSync(keyFile, clientKey.private, { mode: 0o600 })
  const allowed = ssh2.utils.parseKey(clientKey.public)
  if (allowed instanceof Error || Array.isArray(allowed)) throw new Error('the key that was just made cannot be read')

  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {})
    client.on('authentication', (context) => {
      const matches = context.method === 'publickey' && context.key.data.equals(allowed.getPublicSSH())
      const signed =
        context.method === 'publickey' &&
        (context.signature === undefined ||
          context.blob === undefined ||
          allowed.verify(context.blob, context.signature, context.hashAlgo) === true)
      if (matches && signed) context.accept()
      else context.reject(['publickey'])
    })
    client.on('session', (acceptSession) => {
      const session = acceptSession()
      session.on('env', (accept) => accept?.())
      session.on('exec', (accept, reject, info) => {
        const match = /^(git-(?:upload|receive)-pack) '\/?([\w./-]+)'$/.exec(info.command)
        if (match === null) return reject()
        const stream = accept()
        const child = spawn('git', ['-c', 'safe.directory=*', match[1]!.slice(4), join(folder, match[2]!)], {
          env: environment(),
        })
        stream.pipe(child.stdin)
        child.stdin.on('error', () => {})
        child.stdout.pipe(stream, { end: false })
        child.stderr.pipe(stream.stderr, { end: false })
        child.on('close', (code) => {
          stream.exit(code ?? 1)
          stream.end()
        })
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: (name) => `ssh://ada@127.0.0.1:${port}/${name}`,
    environment: {
      PATH: process.env['PATH'] ?? '',
      GIT_SSH_COMMAND: `ssh -F /dev/null -i ${keyFile} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes`,
    },
    async close() {
      server.close()
    },
  }
}
