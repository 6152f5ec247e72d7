import fs from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { type StarterFile, starterFiles } from './starter-files.ts'

export interface NewStateRepo {
  /** The work tree, or with `bare` the git directory itself. */
  readonly directory: string
  readonly bare: boolean
  /** The time of the commit. */
  readonly time: Date
  readonly author?: { readonly name: string; readonly email: string }
  /** Default: the starter. */
  readonly files?: readonly StarterFile[]
}

export interface CreatedRepo {
  readonly commit: string
  readonly branch: string
  readonly files: number
}

const AUTHOR = { name: 'Stateward', email: 'stateward@localhost' }
const MESSAGE = 'Start from the starter state repo\n'

/**
 * Makes a git repository whose first commit on its branch (`main`, or the one an empty clone is on) is the starter. Works
 * without a git binary and reads none of the user's git settings, so hooks and signing cannot get in the way. A folder that
 * holds anything but an empty repository is refused with SW_CONFLICT, untouched.
 */
export async function createStateRepo(request: NewStateRepo): Promise<CreatedRepo> {
  const { default: git } = await import('isomorphic-git')
  const { directory, bare } = request
  const files = request.files ?? (await starterFiles())
  const gitdir = bare ? directory : join(directory, '.git')
  const found = await entriesOf(directory)
  const isClone = !bare && found.length === 1 && found[0] === '.git'
  if (found.length > 0 && !isClone) throw occupied(directory)
  await mkdir(directory, { recursive: true })
  if (!isClone) await git.init({ fs, dir: directory, bare, defaultBranch: 'main', ...(bare ? { gitdir } : {}) })
  const branch = (await git.currentBranch({ fs, gitdir, test: false })) || 'main'
  const ref = `refs/heads/${branch}`
  if (isClone && (await exists(git, gitdir, ref))) throw occupied(directory)
  const seconds = Math.floor(request.time.getTime() / 1000)
  const author = { ...(request.author ?? AUTHOR), timestamp: seconds, timezoneOffset: 0 }
  const tree = await writeTree(git, gitdir, treeOf(files))
  const commit = await git.commit({ fs, gitdir, message: MESSAGE, tree, ref, parent: [], author, committer: author })
  if (!bare) await git.checkout({ fs, dir: directory, ref: branch, force: true })
  return { commit, branch, files: files.length }
}

type Git = typeof import('isomorphic-git')
type Folder = Map<string, StarterFile | Folder>

function treeOf(files: readonly StarterFile[]): Folder {
  const root: Folder = new Map()
  for (const file of files) {
    const parts = file.path.split('/')
    const name = parts.pop()!
    let at = root
    for (const part of parts) {
      if (!at.has(part)) at.set(part, new Map())
      at = at.get(part) as Folder
    }
    at.set(name, file)
  }
  return root
}

async function writeTree(git: Git, gitdir: string, folder: Folder): Promise<string> {
  const tree = []
  for (const [path, entry] of folder) {
    if (entry instanceof Map)
      tree.push({ path, mode: '040000', type: 'tree' as const, oid: await writeTree(git, gitdir, entry) })
    else {
      const oid = await git.writeBlob({ fs, gitdir, blob: entry.bytes })
      tree.push({ path, mode: entry.executable ? '100755' : '100644', type: 'blob' as const, oid })
    }
  }
  return git.writeTree({ fs, gitdir, tree })
}

async function exists(git: Git, gitdir: string, ref: string): Promise<boolean> {
  try {
    await git.resolveRef({ fs, gitdir, ref })
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'NotFoundError') return false
    throw error
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function occupied(directory: string): Error {
  return fail('SW_CONFLICT', `${directory} is not empty`, {
    remedy: 'name a new folder, an empty one, or a clone of an empty repository',
  })
}
