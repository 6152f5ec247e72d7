import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'

export interface RepositoryLayout {
  /** Where HEAD is: the bare repo, `.git`, or a linked work tree's own folder. */
  readonly gitDir: string
  /** Where refs and objects are; differs from `gitDir` only for a linked work tree. */
  readonly commonDir: string
}

/** Finds the git directory of a path: a bare repo, a work tree, or a linked one. Throws SW_REPO_INVALID when there is none. */
export async function locateRepository(path: string): Promise<RepositoryLayout> {
  const absolute = resolve(path)
  const info = await statOrNull(absolute)
  if (info === null) throw fail('SW_REPO_INVALID', `${absolute} does not exist`)
  if (!info.isDirectory()) throw fail('SW_REPO_INVALID', `${absolute} is not a directory`)
  const gitDir = (await isGitDir(absolute)) ? absolute : await workTreeGitDir(absolute)
  const common = await textOrNull(join(gitDir, 'commondir'))
  return { gitDir, commonDir: common === null ? gitDir : resolve(gitDir, common.trim()) }
}

async function workTreeGitDir(workTree: string): Promise<string> {
  const dotGit = join(workTree, '.git')
  const info = await statOrNull(dotGit)
  if (info?.isDirectory() && (await isGitDir(dotGit))) return dotGit
  if (info?.isFile()) {
    const target = /^gitdir: (.+?)\s*$/m.exec((await textOrNull(dotGit)) ?? '')?.[1]
    if (target !== undefined && (await isGitDir(resolve(workTree, target)))) return resolve(workTree, target)
  }
  throw fail('SW_REPO_INVALID', `${workTree} is not a git repository`)
}

async function isGitDir(path: string): Promise<boolean> {
  if ((await statOrNull(join(path, 'HEAD'))) === null) return false
  if ((await statOrNull(join(path, 'commondir')))?.isFile()) return true
  return (
    ((await statOrNull(join(path, 'objects')))?.isDirectory() ?? false) &&
    ((await statOrNull(join(path, 'refs')))?.isDirectory() ?? false)
  )
}

async function statOrNull(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw fail('SW_REPO_INVALID', `cannot read ${path}: ${errorMessage(error)}`, {
      cause: error,
      remedy: 'make the repository readable for the user Stateward runs as',
    })
  }
}

async function textOrNull(path: string): Promise<string | null> {
  return (await statOrNull(path)) === null ? null : await readFile(path, 'utf8')
}

/** True for the system's "there is no such file". */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
