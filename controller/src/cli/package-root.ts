import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package: the same files are below it whether sources or compiled code run. */
export function packageRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(at, 'package.json'))) {
    const above = dirname(at)
    if (above === at) throw new Error('the folder of the package has no package.json')
    at = above
  }
  return at
}
