import { readFileSync } from 'node:fs'

/** Whether an error of the operating system has one of these codes: `ENOENT`, `EACCES`, `ESRCH` … */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** The text of a file; null when it is not there. A file of `/proc` may lose its process between open and read. */
export function readIfThere(path: string, ...alsoNull: readonly string[]): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', ...alsoNull)) return null
    throw error
  }
}
