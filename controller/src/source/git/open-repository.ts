import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '../../lib/error-catalogue.ts'
import type { GitRepository } from '../ports.ts'
import { openIsomorphicRepository } from './isomorphic/isomorphic-repository.ts'
import type { Environment } from './native/git-process.ts'
import { gitEnvironment } from './native/git-process.ts'
import { openNativeRepository } from './native/native-repository.ts'
import { isMissing, locateRepository } from './repository-layout.ts'

/** From here on git has `cat-file --batch-command`, `safe.directory` on the command line, and `merge-tree --write-tree`. */
export const REQUIRED_GIT = '2.38'

export interface GitOptions {
  /** Which adapter; default: the git binary where a new enough one is installed, else isomorphic-git. */
  readonly adapter?: 'git' | 'isomorphic-git'
  /** Name or path of the git binary; default `git`. */
  readonly gitBinary?: string
  /** Where PATH, HOME, SSH_AUTH_SOCK and proxies come from; nothing else of it is passed on. Default: the usual folders and the user's home. */
  readonly environment?: Environment
}

function environmentOf(options: GitOptions): Environment {
  return { HOME: homedir(), ...options.environment }
}

/** The version of the installed git; null when there is none. */
export async function gitVersion(
  options: GitOptions = {},
): Promise<{ readonly version: string; readonly supported: boolean } | null> {
  try {
    const { stdout } = await promisify(execFile)(options.gitBinary ?? 'git', ['--version'], {
      env: gitEnvironment(environmentOf(options)),
      timeout: 10_000,
    })
    const match = /(\d+)\.(\d+)[\w.]*/.exec(stdout)
    if (match === null) return null
    const [major, minor] = [Number(match[1]), Number(match[2])]
    return { version: match[0], supported: major > 2 || (major === 2 && minor >= 38) }
  } catch (error) {
    if (isMissing(error)) return null
    throw fail('SW_GIT_FAILED', `${options.gitBinary ?? 'git'} --version failed`, { cause: error })
  }
}

/** The adapter that will be used. Throws SW_GIT_BINARY_REQUIRED when the git binary is asked for and not there. */
export async function chooseAdapter(options: GitOptions = {}): Promise<'git' | 'isomorphic-git'> {
  if (options.adapter === 'isomorphic-git') return options.adapter
  const found = await gitVersion(options)
  if (found?.supported) return 'git'
  if (options.adapter === undefined) return 'isomorphic-git'
  throw fail(
    'SW_GIT_BINARY_REQUIRED',
    found === null
      ? `${options.gitBinary ?? 'git'} is not installed`
      : `git ${found.version} is older than ${REQUIRED_GIT}`,
  )
}

/**
 * Opens the repository at a path (bare, a work tree, or a linked one) in place. Throws SW_REPO_INVALID when there is none,
 * SW_GIT_BINARY_REQUIRED when it needs the git binary and that is not there.
 */
export async function openRepository(options: GitOptions & { readonly gitDir: string }): Promise<GitRepository> {
  const layout = await locateRepository(options.gitDir)
  if ((await chooseAdapter(options)) === 'isomorphic-git') return openIsomorphicRepository(layout)
  return openNativeRepository({
    gitDir: layout.gitDir,
    binary: options.gitBinary ?? 'git',
    environment: environmentOf(options),
  })
}

/** What a started and not finished `initBareRepository` may have left. */
const OWN_PARTS = new Set(['objects', 'refs', 'info', 'config'])

/** Makes an empty bare repository; throws SW_REPO_INVALID when something else is there already. Needs no git binary. */
export async function initBareRepository(
  path: string,
  options: { readonly defaultBranch?: string } = {},
): Promise<void> {
  const gitDir = resolve(path)
  await mkdir(gitDir, { recursive: true })
  const foreign = (await readdir(gitDir)).filter((name) => !OWN_PARTS.has(name))
  if (foreign.length > 0) {
    throw fail('SW_REPO_INVALID', `${gitDir} is not empty`, { remedy: 'name a folder that does not exist yet' })
  }
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info']) {
    await mkdir(join(gitDir, folder), { recursive: true })
  }
  await writeFile(join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n')
  // HEAD comes last: until it is there the folder is no repository, so a crash leaves nothing half made that looks whole.
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${options.defaultBranch ?? 'main'}\n`)
}
