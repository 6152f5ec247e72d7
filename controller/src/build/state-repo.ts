import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { parseDuration } from '../lib/duration.ts'
import { packageRoot } from '../lib/package-root.ts'
import { type GitSource, openGitSource } from '../source/git/git-source.ts'
import { initBareRepository, openRepository } from '../source/git/open-repository.ts'
import { seedRepository } from '../source/git/seed-repository.ts'
import type { Log } from '../store/ports.ts'
import type { DataFolder } from './data-folder.ts'

/** The name of the source that the configuration gives. */
export const SOURCE_NAME = 'state'

const AUTHOR = { name: 'Stateward', email: 'controller@stateward.dev' }

/** Opens the state repo; without one in the configuration, that of the data folder, made from the starter the first time. */
export async function openStateRepo(config: Config, folder: DataFolder, clock: Clock, log: Log): Promise<GitSource> {
  if (config.repo === null) await ensureStarter(folder, clock, log)
  return await openGitSource({
    name: SOURCE_NAME,
    repo: config.repo ?? folder.stateRepo,
    ref: config.ref,
    path: config.path,
    intervalMs: parseDuration(config.interval),
    mirrorDir: folder.mirror,
    log,
  })
}

async function ensureStarter(folder: DataFolder, clock: Clock, log: Log): Promise<void> {
  if (!existsSync(join(folder.stateRepo, 'HEAD'))) await initBareRepository(folder.stateRepo, { defaultBranch: 'main' })
  const repo = await openRepository({ gitDir: folder.stateRepo })
  try {
    // Also after a start that was killed between the two.
    if ((await repo.resolve('refs/heads/main')) !== null) return
    const commit = await seedRepository({
      repo,
      directory: join(packageRoot(), 'state-repo'),
      ref: 'refs/heads/main',
      message: 'Start from the starter state repo\n',
      author: AUTHOR,
      time: clock.now(),
    })
    log.info({ repo: folder.stateRepo, revision: commit }, 'made the state repo from the starter')
  } finally {
    await repo.close()
  }
}
