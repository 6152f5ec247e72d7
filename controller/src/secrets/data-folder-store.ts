import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { hasCode } from '../lib/error-code.ts'
import type { SecretProvider } from './ports.ts'

/** What the environment gave: `STATEWARD_SECRET_<NAME>_<KEY>`. Which secret a variable is for cannot be told from its name. */
export function environmentStore(fromEnvironment: (name: string, key: string) => string | undefined): SecretProvider {
  return {
    name: 'environment',
    find: async ({ name, key }) => fromEnvironment(name, key) ?? null,
    list: async () => null,
  }
}

/** Files `<directory>/<name>/<key>`, which nobody else may be able to read. One line feed at their end is not part of them. */
export function dataFolderStore(directory: string): SecretProvider {
  return {
    name: 'data folder',
    async find({ name, key }) {
      if (![...name.split('/'), key].every(isPlainPart)) return null
      const file = join(directory, ...name.split('/'), key)
      try {
        const found = await stat(file)
        if (!found.isFile()) return null
        if ((found.mode & 0o077) !== 0) {
          throw fail('SW_SECRET_MISSING', `secret ${name}/${key} is not used: others may read ${file}`, {
            remedy: `chmod 600 ${file}`,
          })
        }
        return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
        throw error
      }
    },
    async list() {
      try {
        const entries = await readdir(directory, { recursive: true, withFileTypes: true })
        const files = entries.filter((entry) => entry.isFile())
        return files
          .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
          .filter((path) => path.includes('/'))
          .sort()
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return []
        throw error
      }
    },
  }
}

/** A reference never leads out of the folder. */
function isPlainPart(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..'
}
