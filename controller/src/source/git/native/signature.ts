import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommitSignature } from '../../ports.ts'
import type { GitContext } from './git-process.ts'
import { git } from './git-process.ts'

/**
 * Checks the SSH signature of a commit with git and ssh-keygen against signers of the form of `allowed_signers`. Told by the
 * letters of `%G?`, not by words: G = good and of somebody who is allowed; N = there is none; everything else counts for nothing.
 */
export async function signatureOf(
  context: GitContext,
  commit: string,
  allowedSigners: string,
): Promise<CommitSignature> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-signers-'))
  try {
    const file = join(folder, 'allowed_signers')
    await writeFile(file, allowedSigners, { mode: 0o600 })
    const settings = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${file}`]
    const { stdout } = await git(context, [
      ...settings,
      ...['log', '-1', '--no-show-signature', '--format=%G?%x00%GS%x00%GF', commit],
    ])
    const [letter = '', signer = '', key = ''] = stdout.toString('utf8').trimEnd().split('\0')
    if (letter === 'G') return { state: 'good', signer, key }
    return {
      state: letter === 'N' ? 'none' : letter === 'B' ? 'bad' : 'unknown',
      signer: null,
      key: key === '' ? null : key,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
