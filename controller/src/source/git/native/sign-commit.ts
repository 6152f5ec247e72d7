import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fail } from '../../../lib/error-catalogue.ts'
import type { GitContext } from './git-process.ts'
import { git } from './git-process.ts'

/** Writes the same commit again with an SSH signature, as `git commit -S` would; returns the oid of the signed one. */
export async function signCommit(context: GitContext, commit: string, keyFile: string): Promise<string> {
  const { stdout } = await git(context, ['cat-file', 'commit', commit])
  const signature = await sshSignature(context, stdout, keyFile)
  const end = stdout.indexOf('\n\n')
  const header = `gpgsig ${signature.trimEnd().replaceAll('\n', '\n ')}\n`
  const signed = Buffer.concat([stdout.subarray(0, end + 1), Buffer.from(header), stdout.subarray(end + 1)])
  const written = await git(context, ['hash-object', '-t', 'commit', '-w', '--stdin'], { input: [signed] })
  return written.stdout.toString('latin1').trim()
}

/** The armoured signature of some bytes, in the namespace of git. */
async function sshSignature(context: GitContext, bytes: Uint8Array, keyFile: string): Promise<string> {
  const child = spawn('ssh-keygen', ['-Y', 'sign', '-n', 'git', '-f', keyFile], {
    env: { ...context.env, SSH_AUTH_SOCK: '' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(bytes)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    if (code === 0) return Buffer.concat(output).toString('latin1')
    throw fail('SW_GIT_FAILED', `ssh-keygen could not sign: ${Buffer.concat(errors).toString('utf8').trim()}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw fail('SW_GIT_BINARY_REQUIRED', 'ssh-keygen is not installed', { cause: error, remedy: 'install OpenSSH' })
  }
}
