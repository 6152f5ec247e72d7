import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorMessage } from '../../lib/errors.ts'
import type { SourceLog } from '../log.ts'
import type { RepositoryLayout } from './repository-layout.ts'

/** How often the files are looked at when no event came: file events get lost on network disks and when a folder is replaced. */
const SAFETY_MS = 1000

/**
 * Calls back when one of a repository's refs may have moved, within milliseconds of the rename that moves it, whoever moved
 * it and however (loose, packed, reftable). Other refs, and so our own status commits, do not call back.
 */
export async function watchRefs(options: {
  readonly layout: RepositoryLayout
  /** Full names; they need not exist yet. */
  readonly refs: readonly string[]
  readonly onChange: () => void
  readonly log: SourceLog
}): Promise<{ close(): Promise<void> }> {
  const { gitDir, commonDir } = options.layout
  const folders = new Set([gitDir, commonDir])
  for (const ref of options.refs) {
    for (let folder = dirname(join(commonDir, ref)); folder.length > commonDir.length; folder = dirname(folder))
      folders.add(folder)
  }
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>()
  let closed = false
  let warned = false
  let last = await signature(options.layout, options.refs)
  let checking: Promise<void> | null = null
  let again = false

  const check = async () => {
    do {
      again = false
      const now = await signature(options.layout, options.refs)
      if (closed || now === last) continue
      last = now
      options.onChange()
    } while (again && !closed)
  }
  const schedule = () => {
    if (closed) return
    if (checking !== null) again = true
    else checking = check().finally(() => (checking = null))
  }
  const attach = async () => {
    for (const folder of folders) {
      const inode = (await statOrNull(folder))?.ino
      const known = watchers.get(folder)
      if (closed || known?.inode === inode) continue
      known?.watcher.close()
      watchers.delete(folder)
      if (inode === undefined) continue
      try {
        // A folder that appears (`refs/heads/feature`) is watched at once, not a second later.
        const watcher = watch(folder, (_event, name) => {
          if (name !== null && folders.has(join(folder, name))) void attach()
          schedule()
        })
        watcher.on('error', () => watcher.close())
        watchers.set(folder, { watcher, inode })
      } catch (error) {
        if (!warned)
          options.log.warn(
            { folder, error: errorMessage(error) },
            'file events are not available, looking once a second instead',
          )
        warned = true
      }
    }
  }

  await attach()
  const timer = setInterval(() => {
    void attach()
    schedule()
  }, SAFETY_MS)
  schedule()
  return {
    async close() {
      closed = true
      clearInterval(timer)
      for (const { watcher } of watchers.values()) watcher.close()
      watchers.clear()
      await checking
    },
  }
}

/** Everything a ref's value may depend on: the ref's file, and what replaces such files. */
async function signature(layout: RepositoryLayout, refs: readonly string[]): Promise<string> {
  const parts = await Promise.all([
    ...refs.map((ref) => textOrNull(join(layout.commonDir, ref))),
    ...[
      join(layout.gitDir, 'HEAD'),
      join(layout.commonDir, 'packed-refs'),
      join(layout.commonDir, 'reftable/tables.list'),
    ].map(async (path) => {
      const info = await statOrNull(path)
      return info === null ? null : `${info.ino}:${info.size}:${info.mtimeMs}`
    }),
  ])
  return JSON.stringify(parts)
}

/** An error is part of the signature too: it calls back, and the reader gets the error when it asks for the head. */
async function textOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    return `!${(error as NodeJS.ErrnoException).code}`
  }
}

async function statOrNull(path: string) {
  try {
    return await stat(path)
  } catch {
    return null
  }
}
