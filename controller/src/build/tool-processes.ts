import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { World } from '../reconcile/world.ts'
import type { EnvironmentOf } from '../runs/ports.ts'
import type { Store } from '../store/store.ts'
import type { ArtifactSink } from '../tools/ports.ts'
import { ProcessKeeper } from '../tools/process/running/running-programs.ts'
import { quotaOf } from './world-views.ts'

/** Where the Environment of a namespace says nothing. */
const MOST_PROCESSES = 16
const STOP_MS = 5_000

/** Programs of tools that go on after their call, on the parts of a process. Nothing is looked after yet. */
export function processesOfTools(parts: {
  readonly store: Store
  readonly config: Config
  readonly world: World
  readonly environments: EnvironmentOf
  readonly artifacts: ArtifactSink
}): ProcessKeeper {
  const { store, config, world, environments, artifacts } = parts
  const quota = quotaOf(world)
  const keeper = new ProcessKeeper({
    ...{ store, artifacts },
    folder: resolve(join(config.data, 'processes')),
    host: hostname(),
    envId: (namespace) => environments(namespace).id,
    most: (namespace) => quota(namespace, 'processes') ?? MOST_PROCESSES,
  })
  store.writer.onTakeOver(() => {
    keeper
      .recover()
      .catch((error: unknown) =>
        store.log.warn({ err: error }, 'processes of tools that nobody looks after were not taken over'),
      )
  })
  return keeper
}

/** As agents: they end with this process, unless they are to go on; those of a process that was replaced are its successor's. */
export async function endProcesses(keeper: ProcessKeeper, { keepAgents }: Config, { writer }: Store): Promise<void> {
  if (keepAgents || writer.isLost) await keeper.leave()
  else await keeper.stopAll(STOP_MS)
}
