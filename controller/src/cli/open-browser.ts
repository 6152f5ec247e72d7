import { spawn } from 'node:child_process'
import type { Environment } from '../config/environment.ts'

/** The program that opens addresses on this desktop; null where there is none to see it. */
export function opener(platform: NodeJS.Platform, env: Environment): string | null {
  if (platform === 'darwin') return 'open'
  const hasDesktop = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
  return hasDesktop ? 'xdg-open' : null
}

/** Hands an address to the browser of the desktop; false when nothing took it. */
export async function openInBrowser(url: string, env: Environment): Promise<boolean> {
  const program = opener(process.platform, env)
  if (program === null) return false
  const child = spawn(program, [url], { detached: true, stdio: 'ignore', env: { ...env } })
  child.unref()
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true))
    child.once('error', () => resolve(false))
  })
}
