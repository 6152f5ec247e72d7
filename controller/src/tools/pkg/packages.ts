import { fail } from '../../lib/error-catalogue.ts'
import type { Json } from '../../lib/json.ts'
import type { Invocation, ToolDependencies } from '../ports.ts'
import { runOwnProgram } from '../process/program.ts'
import type { BuiltinTool } from '../tool.ts'

/** Packages of the operating system, where that is Debian or one of its children. */

const remedy = 'use a machine with apt: Debian, Ubuntu'
const MAX_FOUND = 200

async function search(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { query } = call.parameters as { query: string }
  const { stdout } = await runOwnProgram(call, dependencies, {
    argv: ['apt-cache', 'search', '--', query],
    remedy,
  })
  const found = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(' - ')
      return { name, description: rest.join(' - ') }
    })
  return { packages: found.slice(0, MAX_FOUND), truncated: found.length > MAX_FOUND }
}

export const pkgSearch: BuiltinTool = {
  name: 'pkg.search',
  aliases: ['pkg_search'],
  description: 'Searches the packages that the operating system knows.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['query'],
    properties: { query: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9 .+-]{0,100}$' } },
  },
  outputSchema: { type: 'object', required: ['packages', 'truncated'] },
  risk: 'low',
  sideEffects: 'none',
  idempotent: true,
  cost: { estimatedCents: 0, estimatedLatencyMs: 500 },
  timeout: '60s',
  run: search,
}

async function install(call: Invocation, dependencies: ToolDependencies): Promise<Json> {
  const { name, version } = call.parameters as { name: string; version?: string }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg fills it in.
  const ask = ['dpkg-query', '--show', '--showformat=${db:Status-Status} ${Version}', '--', name]
  const installed = async (): Promise<string | null> => {
    const { exitCode, stdout } = await runOwnProgram(call, dependencies, { argv: ask, ok: [0, 1], remedy })
    const [status, found] = stdout.trim().split(' ')
    return exitCode === 0 && status === 'installed' ? (found ?? '') : null
  }
  await assertIsPackage(name, call, dependencies)
  const before = await installed()
  await runOwnProgram(call, dependencies, {
    argv: [
      ...['apt-get', 'install', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', '--'],
      version === undefined ? name : `${name}=${version}`,
    ],
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
    remedy,
  })
  return { name, version: await installed(), before }
}

/** To apt, a name that no package has is a pattern: `a.+` is whatever has an `a` in it. */
async function assertIsPackage(name: string, call: Invocation, dependencies: ToolDependencies): Promise<void> {
  const { stdout } = await runOwnProgram(call, dependencies, { argv: ['apt-cache', 'pkgnames', '--', name], remedy })
  if (stdout.split('\n').includes(name)) return
  throw fail('SW_TOOL_FAILED', `there is no package ${name}`, {
    remedy: 'find its name with pkg.search; apt-get update knows newer ones',
  })
}

export const pkgInstall: BuiltinTool = {
  name: 'pkg.install',
  aliases: ['pkg_install'],
  description: 'Installs a package of the operating system; Stateward has to run as root for it.',
  inputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      // With a `-` at its end it would be removed.
      name: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.+-]{0,100}[a-z0-9.+])?$' },
      version: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~-]{0,100}$' },
    },
  },
  outputSchema: { type: 'object', required: ['name', 'version', 'before'] },
  risk: 'high',
  sideEffects: 'irreversible',
  idempotent: true,
  outbound: true,
  rateLimit: { calls: 20, per: '1m' },
  cost: { estimatedCents: 0, estimatedLatencyMs: 20_000 },
  timeout: '15m',
  run: install,
}
