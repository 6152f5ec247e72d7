import { spawn } from 'node:child_process'
import { cpuSecondsOfTree } from '../support/cpu-time.ts'

/** One `kubectl get` of everything. */
export interface Listed {
  /** From its start to its end, as a person waits. */
  readonly seconds: number
  /** Of these, what the server spent on processors; null for the floor. */
  readonly serverCpu: number | null
  readonly rows: number
}

/** `kubectl get agents`, a table on its output. */
export async function getAll(url: string, cache: string, serverPid: number | null): Promise<Listed> {
  const before = serverPid === null ? null : cpuSecondsOfTree(serverPid)
  const from = performance.now()
  const where = ['--server', `${url}/kube`, '--cache-dir', cache, '--kubeconfig', '/dev/null']
  const child = spawn('kubectl', [...where, 'get', 'agents', '--no-headers'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let rows = 0
  child.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 10) rows += 1
  })
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`kubectl ended with exit code ${code}`))))
  })
  const seconds = (performance.now() - from) / 1000
  const after = serverPid === null ? null : cpuSecondsOfTree(serverPid)
  return { seconds, rows, serverCpu: before === null || after === null ? null : after - before }
}
