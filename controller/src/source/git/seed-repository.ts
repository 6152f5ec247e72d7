import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { GitRepository } from '../ports.ts'

/**
 * Commits the files of a directory as the first commit of `ref` (a full name) and returns its oid. Everything in it is taken,
 * `.git` left out; the executable bit is kept. Throws SW_CONFLICT when the ref exists, SW_REPO_INVALID for a file that is
 * neither plain nor a directory.
 */
export async function seedRepository(options: {
  readonly repo: GitRepository
  readonly directory: string
  readonly ref: string
  readonly message: string
  readonly author: { readonly name: string; readonly email: string }
  readonly time: Date
}): Promise<string> {
  const files = new Map<string, Uint8Array>()
  const executable = new Set<string>()
  const entries = await readdir(options.directory, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const absolute = join(entry.parentPath, entry.name)
    const path = absolute.slice(join(options.directory, '/').length)
    if (entry.isDirectory() || path.split('/').includes('.git')) continue
    if (!entry.isFile())
      throw fail('SW_REPO_INVALID', `${absolute} is not a plain file`, {
        remedy: 'replace it by a file; symbolic links are not followed',
      })
    files.set(path, await readFile(absolute))
    if (((await stat(absolute)).mode & 0o100) !== 0) executable.add(path)
  }
  return options.repo.writeCommit({
    ref: options.ref,
    parent: null,
    files,
    executable,
    message: options.message,
    author: options.author,
    committer: options.author,
    time: options.time,
  })
}
