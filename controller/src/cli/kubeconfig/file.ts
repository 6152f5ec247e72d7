import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { uuidv7 } from '../../lib/ids.ts'

/** Null when there is no such file. */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Whole or not at all, readable by its owner only: it holds credentials. A link stays one. */
export async function writeSafely(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const target = await realpath(file).catch(() => file)
  const part = `${target}.${uuidv7()}`
  try {
    await writeFile(part, text, { mode: 0o600, flag: 'wx' })
    await rename(part, target)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
