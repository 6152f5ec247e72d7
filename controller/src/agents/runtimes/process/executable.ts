import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * Where the first word of a command leads, as `execvp` would look for it: a word with a `/` from `cwd`, any other word on
 * `path`. null when there is no such executable file.
 */
export function resolveExecutable(
  word: string,
  options: { readonly cwd: string; readonly path: string },
): string | null {
  if (word === '') return null
  if (isAbsolute(word) || word.includes('/')) {
    const file = resolve(options.cwd, word)
    return isExecutable(file) ? file : null
  }
  for (const folder of options.path.split(delimiter)) {
    const file = join(folder === '' ? options.cwd : folder, word)
    if (isExecutable(file)) return file
  }
  return null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR' || code === 'ELOOP') return false
    throw error
  }
}
