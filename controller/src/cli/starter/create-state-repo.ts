import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { packageRoot } from '../../lib/package-root.ts'
import { checkOut, currentBranch, initRepository } from '../../source/git/isomorphic/work-tree.ts'
import { openRepository } from '../../source/git/open-repository.ts'
import { seedRepository } from '../../source/git/seed-repository.ts'

export interface NewStateRepo {
  /** The work tree, or with `bare` the git directory itself. */
  readonly directory: string
  readonly bare: boolean
  /** The time of the commit. */
  readonly time: Date
}

export interface CreatedRepo {
  readonly commit: string
  readonly branch: string
}

const AUTHOR = { name: 'Stateward', email: 'controller@stateward.dev' }

/**
 * Makes a git repository whose first commit on its branch (`main`, or the one an empty clone is on) is the starter. Works
 * without a git binary. A folder that holds anything but an empty repository is refused with SW_CONFLICT, untouched.
 */
export async function createStateRepo({ directory, bare, time }: NewStateRepo): Promise<CreatedRepo> {
  const gitdir = bare ? directory : join(directory, '.git')
  const found = await entriesOf(directory)
  const isClone = !bare && found.length === 1 && found[0] === '.git'
  if (found.length > 0 && !isClone) throw occupied(directory)
  await mkdir(directory, { recursive: true })
  if (!isClone) await initRepository(directory, gitdir, bare)
  const branch = (await currentBranch(gitdir)) ?? 'main'
  const repo = await openRepository({ gitDir: gitdir })
  try {
    if ((await repo.resolve(`refs/heads/${branch}`)) !== null) throw occupied(directory)
    const commit = await seedRepository({
      repo,
      directory: join(packageRoot(), 'state-repo'),
      ref: `refs/heads/${branch}`,
      message: 'Start from the starter state repo\n',
      author: AUTHOR,
      time,
    })
    if (!bare) await checkOut(directory, branch)
    return { commit, branch }
  } finally {
    await repo.close()
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw occupied(directory)
    throw error
  }
}

function occupied(directory: string): Error {
  return fail('SW_CONFLICT', `${directory} is there already and not empty`, {
    remedy: 'name a new folder, an empty one, or a clone of an empty repository',
  })
}
