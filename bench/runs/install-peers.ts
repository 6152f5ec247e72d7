import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the peers' package.json is; their packages never get into those of the project. */
const FOLDER = fileURLToPath(new URL('..', import.meta.url))

/** Installs the peers when they are not there as bench/package-lock.json has them. Returns why they are not there; null = they are. */
export function installPeers(): string | null {
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return null
  process.stdout.write(`installing the peers that are measured into ${FOLDER}node_modules (about 100 packages)\n`)
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error !== undefined) return `npm did not start: ${error.message}`
  return status === 0 ? null : `npm ci in ${FOLDER} failed`
}

function changed(name: string): number {
  return statSync(`${FOLDER}${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
