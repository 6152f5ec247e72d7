import { execFile } from 'node:child_process'
import { access, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Environment } from '../config/environment.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { OpenSource } from './source.ts'

export interface SigningKey {
  /** The private key, an OpenSSH file readable by its owner only. */
  readonly file: string
  /** `ssh-ed25519 AAAA… stateward` */
  readonly publicKey: string
}

/** The key with which this installation signs what it commits itself, made at the first need. SW_GIT_BINARY_REQUIRED: no ssh-keygen. */
export async function ensureSigningKey(dataDir: string, environment: Environment): Promise<SigningKey> {
  const file = join(dataDir, 'credentials', 'signing_key')
  try {
    await access(file)
  } catch {
    await mkdir(join(dataDir, 'credentials'), { recursive: true, mode: 0o700 })
    const args = ['-q', '-t', 'ed25519', '-N', '', '-C', 'stateward', '-f', file]
    try {
      await promisify(execFile)('ssh-keygen', args, { env: { PATH: environment['PATH'] ?? '/usr/bin:/bin' } })
    } catch (error) {
      throw fail('SW_GIT_BINARY_REQUIRED', 'ssh-keygen is needed to sign commits', {
        cause: error,
        remedy: 'install OpenSSH',
      })
    }
  }
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() }
}

/** A source whose commits onto one ref are signed: what lands there has to be verified like any other. */
export function withSigning(source: OpenSource, ref: string, key: SigningKey): OpenSource {
  const { repository } = source
  if (repository === null) return source
  return {
    ...source,
    repository: {
      ...repository,
      writeCommit: (request) =>
        repository.writeCommit(request.ref === ref ? { ...request, signWith: key.file } : request),
      commitTree: (request) => repository.commitTree({ ...request, signWith: key.file }),
    },
  }
}
