import { relative } from 'node:path'
import { watch } from 'chokidar'
import { errorMessage } from '../../lib/errors.ts'
import type { IgnoreMatcher } from '../ignore-rules.ts'
import { isIgnoreFile } from '../ignore-rules.ts'
import type { SourceLog } from '../log.ts'

/** Editors write a file in several steps (temporary file, rename, permissions): one callback for all of them. */
const QUIET_MS = 50
/** A program that never stops writing must not silence the watch. */
const LONGEST_MS = 500

/**
 * Calls back shortly after files below `root` changed, ignored ones left out. `ignored` is asked anew for each path, but what
 * was left out at the start stays unwatched: watch again when the rules change.
 */
export async function watchDirectory(options: {
  readonly root: string
  readonly ignored: () => IgnoreMatcher
  readonly onChange: () => void
  readonly log: SourceLog
  readonly monotonicMs: () => number
}): Promise<{ close(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined
  let firstMs: number | undefined
  const fire = () => {
    timer = undefined
    firstMs = undefined
    options.onChange()
  }
  const changed = () => {
    const nowMs = options.monotonicMs()
    firstMs ??= nowMs
    clearTimeout(timer)
    timer = setTimeout(fire, Math.max(0, Math.min(QUIET_MS, firstMs + LONGEST_MS - nowMs)))
  }
  const watcher = watch(options.root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path, stats) => {
      const below = relative(options.root, path)
      return below !== '' && !isIgnoreFile(below) && options.ignored()(below, stats?.isDirectory() ?? false)
    },
  })
  watcher.on('all', changed)
  watcher.on('error', (error) => {
    options.log.warn({ root: options.root, error: errorMessage(error) }, 'a file cannot be watched')
    changed()
  })
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
  return {
    async close() {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}
