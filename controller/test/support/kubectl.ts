import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requires } from './requires.ts'

export interface KubectlResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Kubectl {
  readonly path: string
  readonly minor: number
}

/** The first kubectl that asks for OpenAPI v3 and says by which command a request is made. */
export const RECENT = 27

/** The kubectl of this machine; null when there is none, and none could be installed. */
export function findKubectl(): Kubectl | null {
  return requires('kubectl').available ? { path: 'kubectl', minor: minorOf('kubectl') } : null
}

/** The minor version of the kubectl of this machine. */
export function kubectlMinor(): number {
  return minorOf('kubectl')
}

function minorOf(path: string): number {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })
  return Number.parseInt((JSON.parse(stdout) as { clientVersion: { minor: string } }).clientVersion.minor, 10)
}

/**
 * The kubectl of the package `kubernetes-client` of this machine's Debian, unpacked into a folder of its own: what is
 * installed stays as it is. null where apt has no such package, or nothing may be fetched (outside of CI unless
 * STATEWARD_TEST_INSTALL is set). Whoever asks removes it.
 */
export function fetchDebianKubectl(): (Kubectl & { remove(): void }) | null {
  if ((process.env['CI'] ?? '') === '' && (process.env['STATEWARD_TEST_INSTALL'] ?? '') === '') return null
  const folder = mkdtempSync(join(tmpdir(), 'stateward-debian-kubectl-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const run = (program: string, ...argv: string[]) =>
    spawnSync(program, argv, { cwd: folder, timeout: 120_000, stdio: 'ignore' }).status === 0
  const fetched =
    run('apt-get', 'download', 'kubernetes-client') ||
    (run('apt-get', 'update') && run('apt-get', 'download', 'kubernetes-client'))
  const archive = fetched ? readdirSync(folder).find((name) => name.endsWith('.deb')) : undefined
  if (archive === undefined || !run('dpkg-deb', '-x', archive, 'unpacked')) {
    remove()
    return null
  }
  const path = join(folder, 'unpacked', 'usr', 'bin', 'kubectl')
  return { path, minor: minorOf(path), remove }
}

/** What kubectl is called with to speak with the API at `url` and nothing else; its cache is kept in `folder`. */
export function kubectlArguments(url: string, folder: string, argv: readonly string[]): string[] {
  const where = ['--server', `${url}/kube`, '--cache-dir', join(folder, 'cache'), '--kubeconfig', '/dev/null']
  return [...where, ...argv]
}

/** Runs kubectl to its end. */
export async function kubectl(
  argv: readonly string[],
  input?: string,
  options: { readonly path?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<KubectlResult> {
  const { path = 'kubectl', env = {}, cwd } = options
  const child = spawn(path, [...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  child.stdin.end(input ?? '')
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)))
  return { code, out, err }
}
