import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath, unlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize, sep } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'

/**
 * Paths that stay inside a folder. A symbolic link as the last part is refused; one on the way is followed only when it stays inside.
 * After opening, the kernel is asked where the file really is, so that a link swapped in between is found as well.
 */

export function escapes(path: string): Error {
  return fail('SW_PATH_ESCAPES', `${JSON.stringify(path)} leads out of the workspace`)
}

export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** A path below a folder, by its text alone. Throws SW_PATH_ESCAPES. */
export function plainPath(path: string): string {
  if (path.includes('\0')) throw fail('SW_INVALID_TEXT', 'a path holds a NUL character')
  const plain = normalize(path)
  if (isAbsolute(plain) || plain === '..' || plain.startsWith(`..${sep}`)) throw escapes(path)
  return plain.endsWith(sep) ? plain.slice(0, -1) : plain
}

/** Where the nearest existing folder above `path` really is, and the parts below it that do not exist yet. */
export async function realFolder(workspace: string, path: string): Promise<{ folder: string; missing: string[] }> {
  const root = await realpath(workspace)
  const missing: string[] = []
  let at = dirname(join(root, plainPath(path)))
  for (;;) {
    try {
      const folder = await realpath(at)
      if (!contains(root, folder)) throw escapes(path)
      return { folder, missing }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      // A link to nowhere exists and would be created through.
      if (await exists(at)) throw escapes(path)
      missing.unshift(at.slice(dirname(at).length + 1))
      at = dirname(at)
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Opens a file that `realFolder` led to, never through a link, and checks where it is. Throws SW_PATH_ESCAPES. */
export async function openInside(
  folder: string,
  name: string,
  flags: number,
  mode: number,
  path: string,
): Promise<FileHandle> {
  let handle: FileHandle
  try {
    // O_NONBLOCK: opening a pipe must not wait for somebody at its other end.
    handle = await open(join(folder, name), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode)
  } catch (error) {
    if (errorCode(error) === 'ELOOP') throw escapes(path)
    throw error
  }
  const real = await placeOf(handle)
  if (real !== null && dirname(real) !== folder) {
    await handle.close()
    if ((flags & constants.O_EXCL) !== 0) await unlink(real)
    throw escapes(path)
  }
  return handle
}

/** Where the kernel says an open file is; null where there is no /proc. */
async function placeOf(handle: FileHandle): Promise<string | null> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
