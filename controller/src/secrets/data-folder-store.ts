import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
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
    readOnly: 'set its variable where Stateward is started',
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
    async write({ name, key }, value) {
      if (![...name.split('/'), key].every(isPlainPart) || /[\0\n\r]$|\0/.test(value))
        throw fail('SW_VALIDATION_FAILED', `secret ${name}/${key} cannot be kept in a file of that name as it is`)
      const folder = join(directory, ...name.split('/'))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const fresh = join(folder, `.${key}.${randomBytes(4).toString('hex')}`)
      const handle = await open(fresh, 'wx', 0o600)
      try {
        await handle.writeFile(value)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(fresh, join(folder, key))
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
