import { watch } from 'node:fs'
import { join } from 'node:path'
import { locateRepository } from './repository-layout.ts'

/**
 * Calls back when any branch of a local repository may have moved. A hint: file events get lost on network disks, and packed
 * or reftable refs make none, so whoever listens looks from time to time, too.
 */
export async function watchBranches(gitDir: string, onChange: () => void): Promise<{ close(): Promise<void> }> {
  const { commonDir } = await locateRepository(gitDir)
  const watcher = watch(join(commonDir, 'refs/heads'), { recursive: true, persistent: false }, () => onChange())
  watcher.on('error', () => watcher.close())
  return { close: async () => watcher.close() }
}
