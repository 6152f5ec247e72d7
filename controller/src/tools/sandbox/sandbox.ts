import { spawn } from 'node:child_process'
import { access, constants, lstat } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'

/**
 * What keeps a program of somebody else to its workspace: namespaces of its own, made by bubblewrap. It sees the machine read-only,
 * without the data folder, the keys of whoever started Stateward and the sockets of the machine; it writes to its workspace alone,
 * sees no other process, and has a network only where it may. Where bubblewrap is not there, or not allowed to work, that is said.
 */

export interface Confinement {
  readonly workspace: string
  /** False = it reaches nothing. */
  readonly network: boolean
  /** False = it sees and writes what its user may; only the network is closed. */
  readonly files: boolean
}

export interface Sandbox {
  /** Null = it works; else why not. */
  readonly problem: string | null
  /** A program and its arguments as they are to be started. */
  wrap(argv: readonly string[], confinement: Confinement): Promise<readonly string[]>
}

export interface SandboxOptions {
  /** Of programs. */
  readonly path: string
  readonly home: string | null
  /** What no program may see, folders and files: the data folder, the file of variables. */
  readonly hidden: readonly string[]
}

/** Of a home: what opens other machines. */
const KEYS = [
  ...[
    '.ssh',
    '.gnupg',
    '.aws',
    '.azure',
    '.config',
    '.kube',
    '.docker',
    '.netrc',
    '.git-credentials',
    '.npmrc',
    '.pypirc',
  ],
  ...[
    '.pgpass',
    '.my.cnf',
    '.vault-token',
    '.terraform.d',
    '.password-store',
    '.mozilla',
    '.local/share/keyrings',
    '.env',
  ],
  ...['.cargo/credentials', '.cargo/credentials.toml', '.cache/huggingface/token', '.claude', '.claude.json', '.codex'],
  ...['.gemini', '.bash_history', '.zsh_history', '.python_history', '.psql_history', '.node_repl_history'],
]
/** Of the machine: what tells passwords and keys, and what other programs keep; where it is a link, what it leads to is hidden. */
const OF_THE_MACHINE = [
  ...['/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/sudoers', '/etc/sudoers.d', '/etc/ssh'],
  ...['/etc/kubernetes', '/etc/rancher', '/var/lib/kubelet', '/var/lib/docker', '/var/lib/containerd'],
  ...['/var/lib/stateward', '/var/run', '/var/tmp', '/var/spool/cron'],
]
const RESOLVER = ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager']
const PROBE_MS = 5_000

/** Looks for bubblewrap, and tries it. */
export async function findSandbox(options: SandboxOptions): Promise<Sandbox> {
  const program = await onPath('bwrap', options.path)
  if (program === null) return NONE('bubblewrap is not installed')
  const trial = [
    program,
    '--ro-bind',
    '/',
    '/',
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--proc',
    '/proc',
    'true',
  ]
  const problem = await tried(trial)
  if (problem !== null) return NONE(`bubblewrap does not work here: ${problem}`)
  return { problem: null, wrap: (argv, confinement) => wrapped(program, options, argv, confinement) }
}

export const NONE = (problem: string): Sandbox => ({
  problem,
  wrap: () => Promise.reject(unavailable(problem)),
})

export function unavailable(problem: string): Error {
  return fail('SW_SANDBOX_UNAVAILABLE', `the call has to be confined, and cannot be: ${problem}`, {
    details: { retryable: false },
  })
}

/** `/bin/sh -c <limits> sh <program> …`: the program is what is looked for. */
function programOf(argv: readonly string[]): string {
  return (argv[0] === '/bin/sh' && argv[3] === 'sh' ? argv[4] : argv[0]) ?? ''
}

async function wrapped(
  program: string,
  { home, hidden, path }: SandboxOptions,
  argv: readonly string[],
  { workspace, network, files }: Confinement,
): Promise<readonly string[]> {
  const own = ['--unshare-user', '--unshare-ipc', '--die-with-parent', ...(network ? [] : ['--unshare-net'])]
  if (!files) return [program, ...own, '--dev-bind', '/', '/', '--chdir', workspace, '--', ...argv]
  const file = programOf(argv)
  if ((await onPath(file, path, workspace)) === null)
    throw fail('SW_TOOL_FAILED', `${file} could not be started: there is no such program`, {
      remedy: 'name a program that is installed and may be run',
    })
  const keys = home === null ? [] : KEYS.map((name) => join(home, name))
  const masks: string[] = []
  for (const at of [...OF_THE_MACHINE, ...keys, ...hidden]) {
    const stat = await lstat(at).catch(() => null)
    if (stat?.isDirectory() === true) masks.push('--tmpfs', at)
    else if (stat?.isFile() === true) masks.push('--ro-bind', '/dev/null', at)
  }
  // Programs that lie where nothing else is shown. Those of npm are links to what lies beside them.
  const programs = path
    .split(delimiter)
    .filter((folder) => /^\/(?:tmp|run)\//.test(folder))
    .map((folder) => (basename(folder) === '.bin' ? dirname(folder) : folder))
    .flatMap((folder) => ['--ro-bind-try', folder, folder])
  return [
    ...[program, ...own, '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/run'],
    ...RESOLVER.flatMap((folder) => ['--ro-bind-try', folder, folder]),
    ...programs,
    ...masks,
    ...['--bind', workspace, workspace, '--chdir', workspace, '--', ...argv],
  ]
}

async function onPath(program: string, path: string, cwd?: string): Promise<string | null> {
  const isRunnable = (file: string) =>
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
  if (program.includes('/')) {
    const file = isAbsolute(program) ? program : join(cwd ?? '/', program)
    return (await isRunnable(file)) ? file : null
  }
  for (const folder of path.split(delimiter)) {
    if (folder !== '' && (await isRunnable(join(folder, program)))) return join(folder, program)
  }
  return null
}

/** What went wrong; null when it worked. */
function tried([program = '', ...args]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: PROBE_MS })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 500)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? null : said.trim() || `exit code ${code}`))
  })
}
