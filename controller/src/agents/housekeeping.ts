import { isUuid } from '../lib/ids.ts'
import type { HostFleet } from './fleet.ts'

/** Removes what nobody needs any more: folders of instances that ended long ago, and copies of trees no agent uses. */
export async function tidy(fleet: HostFleet): Promise<void> {
  const { clock, settings } = fleet.context
  const now = clock.now()
  const folders = (await fleet.workspaces.instanceFolders()).filter((name) => isUuid(name) && !fleet.starting.has(name))
  if (folders.length > 0) {
    for (const id of await fleet.ledger.endedBefore(folders, new Date(now.getTime() - settings.keepLogsMs))) {
      await fleet.workspaces.removeInstanceFolder(id)
    }
  }
  const used = new Set([...fleet.targets.values()].flatMap(({ filesTree }) => (filesTree === null ? [] : [filesTree])))
  await fleet.trees.touch(used, now)
  await fleet.trees.removeUnused(used, new Date(now.getTime() - settings.keepTreesMs))
}
