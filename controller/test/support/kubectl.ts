import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'

export interface KubectlResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The minor version of the kubectl of this machine. */
export function kubectlMinor(): number {
  const { stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' })
  return Number.parseInt((JSON.parse(stdout) as { clientVersion: { minor: string } }).clientVersion.minor, 10)
}

/** What kubectl is called with to speak with the API at `url` and nothing else; its cache is kept in `folder`. */
export function kubectlArguments(url: string, folder: string, argv: readonly string[]): string[] {
  const where = ['--server', `${url}/kube`, '--cache-dir', join(folder, 'cache'), '--kubeconfig', '/dev/null']
  return [...where, ...argv]
}

/** Runs kubectl to its end. */
export async function kubectl(argv: readonly string[], input?: string): Promise<KubectlResult> {
  const child = spawn('kubectl', [...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  child.stdin.end(input ?? '')
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)))
  return { code, out, err }
}
