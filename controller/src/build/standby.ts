import { CONTROLLER_LEASE } from '../reconcile/controller.ts'
import type { AcceptedBlueprint } from '../runs/ports.ts'
import type { Core } from './core.ts'
import type { Follower } from './follower.ts'
import { makeLeader } from './leader.ts'
import { awaitLease } from './leadership.ts'

export interface Standby {
  /** Stands by no more; when it just began to lead, it waits until that is done. */
  stop(): Promise<void>
}

/** Waits to lead, and then does. `failed` is told when it could not: the process has to end, for another to try. */
export function standBy(
  core: Core,
  options: {
    readonly follower: Follower
    readonly accepted: Map<string, AcceptedBlueprint>
    readonly directory: string | null
    readonly failed: (error: unknown) => void
  },
): Standby {
  const { store, wakes, log, parts } = core
  const stopping = new AbortController()
  const lead = async (): Promise<void> => {
    if (!(await awaitLease(store, wakes, CONTROLLER_LEASE, stopping.signal))) return
    log.info({ lease: CONTROLLER_LEASE }, 'this process leads from here on')
    await options.follower.stop()
    parts.leader = await makeLeader(core, options.directory, options.accepted)
    await parts.leader.start(stopping.signal)
    if (!stopping.signal.aborted) parts.leader.open()
  }
  log.info({ lease: CONTROLLER_LEASE }, 'another process leads; this one stands by')
  const leading = lead().catch((error: unknown) => {
    // A lost lease was told already.
    if (!store.writer.isLost) options.failed(error)
  })
  return {
    async stop() {
      stopping.abort()
      await leading
    },
  }
}
