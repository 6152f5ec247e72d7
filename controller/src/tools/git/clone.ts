import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { shellWord } from '../../lib/shell-word.ts'
import { addressesWithin } from '../net/reach.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import type { BuiltinTool } from '../tool.ts'
import { dirParameter, git, refParameter, repositoryFolder, type Transport } from './git.ts'

/**
 * Clones into the workspace. The host is reached at the addresses that were checked, so that its name leads nowhere else
 * meanwhile; the credentials are secrets that are used by name, never those of whoever started the controller.
 */

interface Parameters {
  readonly url: string
  readonly dir: string
  readonly branch?: string
  readonly depth?: number
  /** In the place of `token_ref`. */
  readonly token?: string
}

async function clone(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { url, dir, branch, depth, token } = call.parameters as unknown as Parameters
  const target = await repositoryFolder(call)
  const at = URL.parse(url)
  if (at === null || !['http:', 'https:', 'ssh:'].includes(at.protocol))
    throw fail('SW_VALIDATION_FAILED', 'only http, https and ssh are cloned from', { remedy: 'write the whole URL' })
  if (at.password !== '')
    throw fail('SW_VALIDATION_FAILED', 'what stands in a URL is recorded: it holds no password', {
      remedy: 'give token_ref: the secret with the token',
    })
  const options = [
    ...(branch === undefined ? [] : ['--branch', branch]),
    ...(depth === undefined ? [] : ['--depth', String(depth)]),
  ]
  const clone = ['clone', '--quiet', '--no-recurse-submodules', '--template=', ...options, '--', url, target]
  const addresses = await addressesWithin(call.reach, hostOf(at))
  if (at.protocol === 'ssh:')
    await withKey(call, dependencies, async (key) => {
      await git(call, dependencies, call.workspace, clone, { transport: overSsh(at, addresses, key) })
    })
  else await git(call, dependencies, call.workspace, clone, { transport: overHttp(at, addresses, token) })
  const { stdout } = await git(call, dependencies, target, ['rev-parse', 'HEAD'], { ok: [0, 128] })
  return { dir, commit: stdout.trim() }
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

function overHttp(url: URL, addresses: readonly string[], token: string | undefined): Transport {
  const host = hostOf(url)
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const known = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address)).join()
  const credential = Buffer.from(`${url.username || 'x-access-token'}:${token}`).toString('base64')
  return {
    options: [
      // A redirect would lead where nobody has looked.
      ...['-c', 'http.followRedirects=false'],
      ...(isIP(host) === 0 ? ['-c', `http.curloptResolve=${host}:${port}:${known}`] : []),
    ],
    environment: {
      GIT_ALLOW_PROTOCOL: 'http:https',
      // Of arguments, everybody on the machine may read.
      ...(token === undefined
        ? {}
        : {
            GIT_CONFIG_COUNT: '1',
            GIT_CONFIG_KEY_0: `http.${url.origin}/.extraHeader`,
            GIT_CONFIG_VALUE_0: `Authorization: Basic ${credential}`,
          }),
    },
  }
}

interface KeyFiles {
  readonly identity: string
  readonly knownHosts: string
}

function overSsh(url: URL, addresses: readonly string[], { identity, knownHosts }: KeyFiles): Transport {
  const host = hostOf(url)
  const address = addresses.find((one) => isIP(one) === 4) ?? addresses[0]!
  const alias = url.port === '' || url.port === '22' ? host : `[${host}]:${url.port}`
  const settings = {
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
    IdentityFile: identity,
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    HostKeyAlias: alias,
    HostName: address,
  }
  const words = Object.entries(settings).map(([name, value]) => shellWord(`-o${name}=${value}`))
  return {
    options: ['-c', `core.sshCommand=ssh -F /dev/null ${words.join(' ')}`],
    environment: { GIT_ALLOW_PROTOCOL: 'ssh' },
  }
}

/** The secrets ssh/key and ssh/known_hosts as files, for as long as the work takes. */
async function withKey(
  call: Invocation,
  { secrets }: ToolDependencies,
  work: (key: KeyFiles) => Promise<void>,
): Promise<void> {
  const read = async (key: string): Promise<string> => {
    const found = await secrets.read({ name: 'ssh', key }, call.use)
    if (found !== null) return `${found.trimEnd()}\n`
    throw fail('SW_SECRET_MISSING', `not there: secret ssh/${key}`, {
      remedy: 'set the secrets ssh/key and ssh/known_hosts (the lines of ssh-keyscan)',
    })
  }
  const [key, known] = [await read('key'), await read('known_hosts')]
  const folder = await mkdtemp(join(tmpdir(), 'stateward-key-'))
  try {
    const files = { identity: join(folder, 'key'), knownHosts: join(folder, 'known_hosts') }
    await writeFile(files.identity, key, { mode: 0o600 })
    await writeFile(files.knownHosts, known, { mode: 0o600 })
    await work(files)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const secret: JsonObject = { type: ['string', 'object'] }

export const gitRepoClone: BuiltinTool = {
  timeout: '5m',
  // The folder it made stands in the way of the same again.
  idempotent: false,
  name: 'git.repo.clone',
  aliases: ['git_repo_clone'],
  description:
    'Clones a repository into the workspace, over http, https or ssh. Over ssh, the secrets ssh/key and ssh/known_hosts are used.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['url', 'dir'],
    properties: {
      url: { type: 'string', minLength: 1, maxLength: 2048 },
      dir: dirParameter,
      branch: refParameter,
      depth: { type: 'integer', minimum: 1 },
      token_ref: { ...secret, description: 'The secret with a token, for http and https.' },
    },
  },
  outputSchema: { type: 'object', required: ['dir', 'commit'] },
  risk: 'medium',
  sideEffects: 'irreversible',
  outbound: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 5000 },
  run: clone,
}
