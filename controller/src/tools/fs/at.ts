import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import { errorCode, escapes, plainPath, realFolder } from './inside.ts'

/** A name in a folder that is held open: whatever becomes of the way to it meanwhile, it stays that folder. */
export interface Place {
  /** For system calls: `/proc/self/fd/<n>/<name>`, or the path itself where there is no /proc. */
  readonly at: string
  readonly name: string
  /** Below the workspace, as people say it. */
  readonly plain: string
}

/**
 * Works on one name below a workspace, as `openat` would: the folder is opened once, the kernel is asked where it is, and the
 * name is looked up in what is open, so that a link swapped in on the way leads nowhere. The last part is not followed by this.
 * `make`: missing folders are made. Paths into `.git` are refused: its configuration names programs that git starts.
 */
export async function inFolder<T>(
  workspace: string,
  path: string,
  options: { readonly make: boolean },
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const plain = plainPath(path)
  if (plain === '.') throw fail('SW_TOOL_FAILED', 'the workspace itself is not meant', { remedy: 'name a file in it' })
  notOfGit(plain)
  const { folder: existing, missing } = await realFolder(workspace, plain)
  if (missing.length > 0 && !options.make) throw missingPath(path)
  const folder = join(existing, ...missing)
  // A link may have led there.
  notOfGit(relative(await realpath(workspace), folder))
  if (missing.length > 0) await mkdir(folder, { recursive: true })
  const handle = await openFolder(folder, path)
  try {
    const name = basename(plain)
    const held = await heldPath(handle, folder, path)
    return await work({ at: join(held, name), name, plain })
  } finally {
    await handle.close()
  }
}

export function notOfGit(plain: string): void {
  if (plain.split(sep).some((part) => part.toLowerCase() === '.git'))
    throw fail('SW_PATH_ESCAPES', `${plain} is in the folder of git itself`, { remedy: 'use the tools git.*' })
}

async function openFolder(folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (errorCode(error) === 'ELOOP' || errorCode(error) === 'ENOTDIR') throw escapes(path)
    throw error
  }
}

async function heldPath({ fd }: FileHandle, folder: string, path: string): Promise<string> {
  const held = `/proc/self/fd/${fd}`
  let real: string
  try {
    real = await readlink(held)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return folder
    throw error
  }
  if (real !== folder) throw escapes(path)
  return held
}

export function missingPath(path: string, cause?: unknown): Error {
  return fail('SW_TOOL_FAILED', `${path} does not exist in the workspace`, { cause, remedy: 'correct the path' })
}

/** What stands at a place itself, links not followed; null when nothing does. */
export async function standsAt({ at }: Place): Promise<Awaited<ReturnType<typeof lstat>> | null> {
  try {
    return await lstat(at)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
