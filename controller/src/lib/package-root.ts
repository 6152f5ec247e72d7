import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail } from './error-catalogue.ts'

/** The folder of this installation that holds package.json, `state-repo/` and `ui/`: from the sources and from `dist` alike. */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'stateward')
      return folder
    if (folder === dirname(folder)) throw fail('SW_INTERNAL', 'package.json of stateward was not found above this file')
  }
}

/** The version of this installation. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version
}
