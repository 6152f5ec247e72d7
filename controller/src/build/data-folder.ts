import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from '../lib/ids.ts'

/** Where things stand in the data folder. */
export interface DataFolder {
  readonly root: string
  readonly stateRepo: string
  readonly mirror: string
  readonly secrets: string
  readonly runs: string
  readonly artifacts: string
  /** What client commands read to find the server. */
  readonly serverFile: string
}

export function dataFolder(root: string): DataFolder {
  return {
    root,
    stateRepo: join(root, 'state-repo.git'),
    mirror: join(root, 'mirror.git'),
    secrets: join(root, 'secrets'),
    runs: join(root, 'runs'),
    artifacts: join(root, 'artifacts'),
    serverFile: join(root, 'server.json'),
  }
}

/** The id of this installation's controller, the same across restarts: status commits carry it. */
export function controllerId(folder: DataFolder): string {
  const file = join(folder.root, 'controller-id')
  if (!existsSync(file)) {
    mkdirSync(folder.root, { recursive: true })
    writeFileSync(file, `${uuidv7()}\n`, { flag: 'wx' })
  }
  return readFileSync(file, 'utf8').trim()
}
