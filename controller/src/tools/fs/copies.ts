import { constants } from 'node:fs'
import { copyFile, cp, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../lib/error-catalogue.ts'
import type { Place } from './at.ts'
import { errorCode } from './inside.ts'

/** Copies of what a call is going to change, so that it can come back. Made again after a crash, the first copy stays. */

/** Durable when it resolves. */
export async function keepFile(place: Place, folder: string, name: string): Promise<void> {
  const copy = join(folder, name)
  if (await isThere(copy)) return
  const partial = `${copy}.part`
  await rm(partial, { force: true })
  await copyFile(place.at, partial, constants.COPYFILE_FICLONE)
  const handle = await open(partial, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, copy)
}

/** Moves a file, link or folder out of the workspace. */
export async function takeAway(place: Place, folder: string, name: string): Promise<void> {
  const copy = join(folder, name)
  try {
    await rename(place.at, copy)
  } catch (error) {
    // Another file system: copied whole before it is removed.
    if (errorCode(error) !== 'EXDEV') throw error
    await cp(place.at, `${copy}.part`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
    await rename(`${copy}.part`, copy)
    await rm(place.at, { recursive: true })
  }
}

/** Puts a file back, whole or not at all; what stands there is replaced. */
export async function putFileBack(place: Place, folder: string, name: string, mode: number): Promise<void> {
  const copy = join(folder, name)
  if (!(await isThere(copy))) throw fail('SW_TOOL_FAILED', `the copy of ${place.plain} is not there any more`)
  const partial = `${place.at}.${process.pid}.undo`
  await rm(partial, { force: true })
  await copyFile(copy, partial, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
  const handle = await open(partial, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, place.at)
}

/** Moves what was taken away back; nothing may stand there. False = it is back already. */
export async function putBack(place: Place, folder: string, name: string): Promise<boolean> {
  const copy = join(folder, name)
  if (!(await isThere(copy))) {
    if (await isThere(place.at)) return false
    throw fail('SW_TOOL_FAILED', `the copy of ${place.plain} is not there any more`)
  }
  if (await isThere(place.at))
    throw fail('SW_CONFLICT', `${place.plain} is there again: what stands there is not overwritten`)
  try {
    await rename(copy, place.at)
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error
    const isFolder = (await stat(copy)).isDirectory()
    await cp(copy, place.at, { recursive: isFolder, verbatimSymlinks: true, preserveTimestamps: true })
    await rm(copy, { recursive: true })
  }
  return true
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}
